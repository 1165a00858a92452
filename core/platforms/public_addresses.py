"""Where webhooks may go: into the public internet by https, and into nobody's own network."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from core.errors import RuleError

_LONGEST_URL: Final = 2_000
_LOOK_UP_WITHIN: Final = 3.0
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")

Resolve = Callable[[str], Awaitable[Sequence[str]]]


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
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
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
        "::ffff:0:0:0/96",  # IPv4-translated: carries an IPv4 address
        "3fff::/20",  # for documents
        "5f00::/16",  # segment routing
    )
)


def leads_inside(url: str) -> bool:
    """Tell whether a URL names an address of a network inside, without looking any name up."""
    host = (urlsplit(url).hostname or "").removesuffix(".")
    return _is_local_name(host) or (_is_literal(host) and not is_public_address(host))


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
        if address not in _GLOBAL_UNICAST:
            return False
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast
