"""Which place on the net a request comes from, as far as it can be known."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from aiohttp import web

_NETWORK: Final = 64  # who has one IPv6 address has all of its network's


def client_of(request: web.Request, proxies: Iterable[str]) -> str:
    """Return the address that tries are counted under; `proxies` are networks (the setting TRUSTED_PROXIES).

    A proxy of ours is believed about whom it speaks for; nobody else is.
    """
    socket = _parsed(request.remote or "")
    if socket is None or not any(socket in ipaddress.ip_network(proxy) for proxy in proxies):
        return _counted(socket)
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return _counted(_parsed(told) or socket)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _counted(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _NETWORK), strict=False))
    return str(address) if address else "unknown"
