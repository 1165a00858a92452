"""Tests talk to this machine only. Whatever else is tried is stopped and fails the test."""

import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


class LoopbackGuard:
    """An audit hook: Python asks it before every use of a socket."""

    def __init__(self) -> None:
        self.strays: list[str] = []
        self._rules: Final[dict[str, Callable[..., None]]] = {
            "socket.bind": self._meet,
            "socket.connect": self._meet,
            "socket.sendto": self._meet,
            "socket.getaddrinfo": self._look_up,
        }

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Raise OSError, as an unplugged network would, before anything leaves this machine."""
        rule = self._rules.get(event)
        if rule is not None:
            rule(*args)

    def take_strays(self) -> list[str]:
        """Return what was tried since the last call."""
        strays, self.strays = self.strays, []
        return strays

    def _meet(self, sock: socket.socket, address: Any) -> None:
        if sock.family in _INTERNET and not _is_here(address[0]):
            self._refuse(f"{address[0]}:{address[1]}")

    def _look_up(self, host: str | bytes | None, *_: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if name and not _is_address(name) and name not in {"localhost", socket.gethostname()}:
            self._refuse(name)

    def _refuse(self, what: str) -> None:
        self.strays.append(what)
        raise OSError(errno.ENETUNREACH, f"Tests talk to loopback only, not to {what}")


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
