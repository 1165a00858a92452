"""Platforms: the systems that place orders here. Their keys, and where their webhooks may go."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from core import ids
from core.errors import Conflict
from core.partners.models import PlatformRow
from core.partners.words import name_of
from core.platforms.public_addresses import check_webhook_url

_KEY_BYTES: Final = 32
_SECRET_BYTES: Final = (
    32  # docs/facts.md#standard-webhooks: a secret has 24 to 64 bytes, shown as whsec_<base64>
)


class Scope(StrEnum):
    """Whose orders a platform hears of."""

    ALL = "all"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform, as the API knows it. `notify_customer`: its customers are told by us."""

    id: UUID
    name: str
    notify_customer: bool
    scope: Scope


@dataclass(frozen=True, slots=True)
class PlatformKeys:
    """What a new platform is given, once: nothing but a hash of the key is kept."""

    name: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


async def add(
    name: str,
    *,
    now: datetime,
    webhook_url: str | None = None,
    notify_customer: bool = True,
    scope: Scope = Scope.ALL,
    ask_review: bool = False,
    allow_private: bool = False,
) -> PlatformKeys:
    """Add a platform and return its keys, which cannot be read again.

    With `ask_review` its customers are asked for a review when their order is completed.

    Raises RuleError("name_invalid") or RuleError("webhook_url_refused"), Conflict("platform_name").
    """
    name = name_of(name)
    if webhook_url is not None:
        await check_webhook_url(webhook_url, allow_private=allow_private)
    keys = PlatformKeys(name, new_api_key(), new_webhook_secret())
    try:
        await PlatformRow.create(
            id=ids.new(),
            name=name,
            api_key_hash=hash_of(keys.api_key),
            webhook_url=webhook_url,
            webhook_secret=keys.webhook_secret,
            notify_customer=notify_customer,
            scope=scope.value,
            ask_review=ask_review,
            created_at=now,
        )
    except IntegrityError:
        raise Conflict("platform_name", name=name) from None
    return keys


async def authenticate(api_key: str, *, now: datetime) -> Platform | None:
    """Return the platform that this key belongs to, None for a key of nobody's.

    While a key is being renewed, the one before is good as well.
    The key is looked up by its hash: how long that takes tells something of the hash, nothing of the key.
    """
    hashed = hash_of(api_key)
    row = await PlatformRow.get_or_none(
        Q(api_key_hash=hashed) | Q(api_key_hash_before=hashed, api_key_before_until__gt=now)
    )
    return Platform(row.id, row.name, row.notify_customer, Scope(row.scope)) if row else None


def new_api_key() -> str:
    """Return a key that nobody guesses."""
    return f"cdk_{secrets.token_urlsafe(_KEY_BYTES)}"


def hash_of(api_key: str) -> bytes:
    """Return what is kept of a key."""
    # Not a slow hash: the key is 256 random bits, so there is no dictionary to try against a stolen table.
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).digest()


def new_webhook_secret() -> str:
    """Return a secret as Standard Webhooks shows it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
