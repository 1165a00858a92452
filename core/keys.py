"""Keys for single purposes, made from the one secret key, so that none can stand in for another."""

import hashlib
import hmac


def code_key(secret_key: str) -> bytes:
    """Return the key that order codes are drawn with."""
    return derive(secret_key, "order codes")


def derive(secret_key: str, purpose: str) -> bytes:
    """Return the key for one purpose."""
    return hmac.digest(secret_key.encode(), purpose.encode(), hashlib.sha256)
