"""Cookies that hold a secret: for this host alone, out of reach of scripts, by https where that is spoken."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.keys import SETTINGS

_LONGEST_SECRET: Final = 64


@dataclass(frozen=True, slots=True)
class SecretCookie:
    """A cookie by its name; without a `life` it goes with the browser's window.

    Lax, not Strict: links in mails and chats open signed in.
    """

    name: str
    life: timedelta | None = None

    def read(self, request: web.Request) -> str | None:
        """Return the secret, None where there is none or what cannot be one."""
        secret = request.cookies.get(self._name(request), "")
        return secret if 0 < len(secret) <= _LONGEST_SECRET else None

    def keep(self, request: web.Request, response: web.StreamResponse, secret: str) -> None:
        """Give it to the browser."""
        response.set_cookie(
            self._name(request),
            secret,
            max_age=int(self.life.total_seconds()) if self.life else None,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=_is_secure(request),
        )

    def let_go(self, request: web.Request, response: web.StreamResponse) -> None:
        """Take it from the browser."""
        response.del_cookie(
            self._name(request), path="/", httponly=True, samesite="Lax", secure=_is_secure(request)
        )

    def _name(self, request: web.Request) -> str:
        """With `__Host-` browsers take it from this very host by https only."""
        return f"__Host-{self.name}" if _is_secure(request) else self.name


def _is_secure(request: web.Request) -> bool:
    """Whether the public address is https."""
    return urlsplit(request.config_dict[SETTINGS].base_url).scheme == "https"
