"""The nonce of a page's forms: that we made it, for this link. Each deed acts once: it names its command."""

import hashlib
import secrets
from typing import Final

from aiohttp import web
from itsdangerous import BadSignature, Signer

from core.errors import Untrusted

_RANDOM_BYTES: Final = 16
_LONGEST: Final = 128


class Nonces:
    """Makes nonces and recognises them. Safe to share."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, token: str) -> str:
        """Return a new nonce for the forms of one page."""
        return self._signer(token).sign(secrets.token_urlsafe(_RANDOM_BYTES)).decode()

    def check(self, nonce: str, token: str) -> str:
        """Return the nonce. Raises Untrusted unless it was issued for this link."""
        if len(nonce) > _LONGEST:
            raise Untrusted("nonce")
        try:
            self._signer(token).unsign(nonce.encode())
        except (BadSignature, UnicodeEncodeError):
            raise Untrusted("nonce") from None
        return nonce

    def is_of(self, nonce: str, token: str) -> bool:
        """Whether the nonce was issued for this link, or whatever is sent as one."""
        try:
            self.check(nonce, token)
        except (Untrusted, UnicodeEncodeError):
            return False
        return True

    def _signer(self, token: str) -> Signer:
        return Signer(
            self._key,
            salt=token.encode(),
            key_derivation="hmac",
            digest_method=hashlib.sha256,  # itsdangerous' own default is SHA-1
        )


NONCES: Final = web.AppKey("nonces", Nonces)
