"""OAuth v4 of the Official Account: short access tokens, refresh tokens that work once."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.moments import Clock
from sandbox.zalo.errors import Refused

# docs/facts.md#zalo-token-life (OA authentication page: 25 hours, 3 months; the code 10 minutes).
ACCESS_LIFE = timedelta(seconds=90_000)
REFRESH_LIFE = timedelta(days=90)
CODE_LIFE = timedelta(minutes=10)

INVALID_APP = -14002
INVALID_REDIRECT = -14003
# docs/facts.md#zalo-refresh-refused: one source. No list of the -14xxx codes is public; a wrong secret
# and a burned code are answered with it too.
REJECTED = -14014


class OAuthRefused(Exception):
    """The OAuth host would answer with an error body of its own shape."""

    def __init__(self, code: int, name: str) -> None:
        self.code = code
        self.name = name
        super().__init__(f"{code} {name}")

    def body(self) -> dict[str, object]:
        """Return the error body; it travels with HTTP 200."""
        return {
            "error": self.code,
            "error_name": self.name,
            "error_reason": self.name,
            "error_description": self.name,
            "ref_doc": "https://developers.zalo.me/docs",
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the refresh token that replaces both."""

    access_token: str
    refresh_token: str

    def body(self) -> dict[str, object]:
        """Return the answer of the token endpoint; `expires_in` is a string there."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_in": str(int(ACCESS_LIFE.total_seconds())),
        }


@dataclass(frozen=True, slots=True)
class _Code:
    expires: datetime
    challenge: str


class Tokens:
    """Every token of one app and one Official Account, with the moment at which each one ends."""

    def __init__(self, *, clock: Clock, app_id: str, app_secret: str) -> None:
        self.access: dict[str, datetime] = {}
        self.refresh: dict[str, datetime] = {}
        self._codes: dict[str, _Code] = {}
        self._clock = clock
        self._app_id = app_id
        self._app_secret = app_secret

    def issue(self) -> Pair:
        """Return a fresh pair, as the API Explorer hands one to an admin."""
        pair = Pair(secrets.token_urlsafe(48), secrets.token_urlsafe(48))
        self.access[pair.access_token] = self._clock() + ACCESS_LIFE
        self.refresh[pair.refresh_token] = self._clock() + REFRESH_LIFE
        return pair

    def check(self, access_token: str) -> None:
        """Raise Refused unless the token may be used now."""
        expires = self.access.get(access_token)
        if expires is None:
            raise Refused(-216)
        if self._clock() >= expires:
            raise Refused(-220)

    def expire_access(self) -> None:
        """Let every access token be expired from now on; refresh tokens go on working."""
        self.access = {token: self._clock() for token in self.access}

    def revoke(self) -> None:
        """Forget every token, as when an admin removes the app from the Official Account."""
        self.access.clear()
        self.refresh.clear()

    def consent(self, *, challenge: str = "") -> str:
        """Return the code that the consent page hands to the redirect address."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(self._clock() + CODE_LIFE, challenge)
        return code

    def renew(self, *, app_id: str, secret: str, refresh_token: str) -> Pair:
        """Burn the refresh token and return its successor."""
        self._check_app(app_id, secret)
        expires = self.refresh.pop(refresh_token, None)
        if expires is None or self._clock() >= expires:
            raise OAuthRefused(REJECTED, "Invalid refresh token")
        return self.issue()

    def exchange(self, *, app_id: str, secret: str, code: str, verifier: str) -> Pair:
        """Burn the code and return the first pair."""
        self._check_app(app_id, secret)
        known = self._codes.pop(code, None)
        if known is None or self._clock() >= known.expires:
            raise OAuthRefused(REJECTED, "Invalid authorization code")
        if known.challenge and known.challenge != challenge_of(verifier):
            # The code is gone with it. Which code a wrong verifier gets is not confirmed: the console
            # keeps the challenge beside the redirect address, so the one of a wrong redirect.
            raise OAuthRefused(INVALID_REDIRECT, "Invalid code verifier")
        return self.issue()

    def _check_app(self, app_id: str, secret: str) -> None:
        if app_id != self._app_id:
            raise OAuthRefused(INVALID_APP, "Invalid appId")
        if not secrets.compare_digest(secret, self._app_secret):
            raise OAuthRefused(REJECTED, "Invalid secret key")


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge: base64url without padding over the raw SHA-256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
