"""Platforms: the systems that place orders here. Their keys, and where their webhooks may go."""

import asyncio
import base64
import hashlib
import ipaddress
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from tortoise.exceptions import IntegrityError

from core import ids
from core.errors import Conflict, RuleError
from core.partners.models import PlatformRow
from core.partners.words import name_of

_KEY_BYTES: Final = 32
_SECRET_BYTES: Final = (
    32  # docs/facts.md#standard-webhooks: a secret has 24 to 64 bytes, shown as whsec_<base64>
)
_LONGEST_URL: Final = 2_000
_LOOK_UP_WITHIN: Final = 3.0
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")

Resolve = Callable[[str], Awaitable[Sequence[str]]]


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
    keys = PlatformKeys(name, f"cdk_{secrets.token_urlsafe(_KEY_BYTES)}", _new_webhook_secret())
    try:
        await PlatformRow.create(
            id=ids.new(),
            name=name,
            api_key_hash=_hash(keys.api_key),
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


async def authenticate(api_key: str) -> Platform | None:
    """Return the platform that this key belongs to, None for a key of nobody's.

    The key is looked up by its hash: how long that takes tells something of the hash, nothing of the key.
    """
    row = await PlatformRow.get_or_none(api_key_hash=_hash(api_key))
    return Platform(row.id, row.name, row.notify_customer, Scope(row.scope)) if row else None


def _hash(api_key: str) -> bytes:
    # Not a slow hash: the key is 256 random bits, so there is no dictionary to try against a stolen table.
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).digest()


def _new_webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


# --- where webhooks may go ----------------------------------------------------------------------


async def system_resolver(host: str) -> list[str]:
    """Return every address that this machine finds for a host; nothing when there is none (yet)."""
    looking = asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.wait_for(looking, _LOOK_UP_WITHIN)
    except (OSError, TimeoutError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]


async def check_webhook_url(
    url: str, *, allow_private: bool = False, resolve: Resolve = system_resolver
) -> None:
    """Refuse an address that webhooks must not go to: https only, and nothing inside our own network.

    A host that cannot be found yet passes: whoever sends looks at the final address once more
    (`is_public_address`). With `allow_private` (development) http and private addresses pass too.

    Raises RuleError("webhook_url_refused", why=…).
    """
    parts = _split(url)
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise _refused("not_https")
    if "@" in parts.netloc:
        raise _refused("userinfo")
    host = _host_of(parts)
    if allow_private:
        return
    addresses = [host] if _is_literal(host) else await resolve(host)
    if _is_local_name(host) or not all(is_public_address(address) for address in addresses):
        raise _refused("private_address")


def _refused(why: str) -> RuleError:
    return RuleError("webhook_url_refused", why=why)


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused("malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("malformed") from None
    if port == 0 or parts.fragment:
        raise _refused("malformed")
    return parts


def _host_of(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if _is_literal(host):
        return host
    if not _HOST.fullmatch(host) or _looks_like_a_number(host):
        raise _refused("malformed")
    return host


def _looks_like_a_number(host: str) -> bool:
    """Whether programs would take it for an IPv4 address written oddly: 2130706433, 0x7f.1, 127.1."""
    last = host.rpartition(".")[2]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".home.arpa"))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# docs/facts.md#not-public: ranges that ipaddress calls global (Python 3.11), though they lead elsewhere.
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # the old 6to4 relays
        "64:ff9b::/96",  # NAT64: carries an IPv4 address
        "64:ff9b:1::/48",  # NAT64 inside a network
        "2002::/16",  # 6to4: carries an IPv4 address
        "2001::/32",  # Teredo: carries an IPv4 address
        "::/96",  # IPv4-compatible, long given up
        "fec0::/10",  # site-local, long given up
    )
)


def is_public_address(text: str) -> bool:
    """Tell whether an IP address lies in the public internet, and in nobody's own network."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_public_address(str(address.ipv4_mapped))
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast
