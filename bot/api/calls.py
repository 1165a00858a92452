"""One call of a platform: who calls, and what it may use."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.api.limits import LIMITS, count
from bot.api.problems import Problem
from bot.keys import DATABASE, LEDGER, SETTINGS
from bot.web.clients import client_of
from core.actors import Actor, ActorKind, Via
from core.database import Database
from core.ledger import Ledger
from core.platforms import platforms
from core.platforms.platforms import Platform

_LONGEST_KEY: Final = 200
_CHALLENGE: Final = 'Bearer realm="chotdon"'
# docs/facts.md#idempotency-key: a quoted string by the IETF draft, bare with Stripe, at most 255 signs there.
_LONGEST_IDEMPOTENCY_KEY: Final = 255
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE: Final = re.compile(r"[!#-~]+")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a known platform."""

    request: web.Request
    platform: Platform
    ledger: Ledger
    now: datetime
    zone: ZoneInfo

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.request.config_dict[DATABASE]

    @property
    def actor(self) -> Actor:
        """The platform, as whoever gives commands."""
        return Actor(ActorKind.PLATFORM, self.platform.name, Via.API, id=self.platform.id)

    @property
    def inbox_key(self) -> str | None:
        """The name of this command for ever, where the platform gave it one.

        Raises Problem for an Idempotency-Key that is none.
        """
        key = idempotency_key(self.request)
        return f"api:{self.platform.id}:{key}" if key else None


Act = Callable[[Call], Awaitable[web.StreamResponse]]


async def open_call(request: web.Request) -> Call:
    """Return the call of the platform whose key the request carries; raises Problem without one."""
    found = request.config_dict
    platform = await _platform_of(request, _api_key(request))
    count(request, platform.id)
    return Call(
        request,
        platform,
        found[LEDGER],
        now=found[DATABASE].clock.now(),
        zone=ZoneInfo(found[SETTINGS].timezone),
    )


async def _platform_of(request: web.Request, api_key: str) -> Platform:
    limits = request.config_dict[LIMITS]
    limits.check_key(api_key, client_of(request, request.config_dict[SETTINGS].trusted_proxies))
    now = request.config_dict[DATABASE].clock.now()
    platform = await platforms.authenticate(api_key, now=now)
    limits.note_key(api_key, good=platform is not None)
    if platform is None:
        raise _unauthorized('error="invalid_token"')
    return platform


def _api_key(request: web.Request) -> str:
    given = request.headers.getall("Authorization", [])
    scheme, _, key = given[0].strip().partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unauthorized()
    if len(key) > _LONGEST_KEY:
        raise _unauthorized('error="invalid_token"')
    return key.strip()


def _unauthorized(*why: str) -> Problem:
    return Problem("unauthorized", headers={"WWW-Authenticate": ", ".join((_CHALLENGE, *why))})


def idempotency_key(request: web.Request) -> str | None:
    """Return the Idempotency-Key, bare or quoted; raises Problem for one that is neither."""
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    text = given[0].strip()
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else text
    if (
        len(given) > 1
        or not 0 < len(key) <= _LONGEST_IDEMPOTENCY_KEY
        or not (quoted or _BARE.fullmatch(text))
    ):
        raise Problem("malformed", detail="Idempotency-Key must be 1 to 255 signs, bare or quoted.")
    return key
