"""The signature Zalo puts on every webhook call.

docs/facts.md#zalo-signature: the header `X-ZEvent-Signature` holds the plain SHA-256
(not an HMAC) of app id + body as received + the body's timestamp + the OA secret key.
"""

import hashlib
import hmac
import json
import re
from typing import Final

import msgspec

HEADER: Final = "X-ZEvent-Signature"

_MAC: Final = re.compile(r"(?:mac\s*=\s*)?([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
# Digits only: nothing else could be moved across the seam between body and timestamp.
_TIMESTAMP: Final = re.compile(r"[0-9]{1,20}", re.ASCII)


class _Stamped(msgspec.Struct):
    timestamp: str | int


_stamped: Final = msgspec.json.Decoder(_Stamped)


def verify(raw_body: bytes, header: str | None, *, app_id: str, secret: str) -> bool:
    """Return whether Zalo signed exactly these bytes for this app; never raises.

    `secret` is the OA secret key of the console's webhook page, not the app secret.
    Without a secret nothing is genuine.
    """
    claimed = _MAC.fullmatch((header or "").strip())
    timestamp = _timestamp(raw_body)
    if claimed is None or timestamp is None or not app_id or not secret:
        return False
    expected = _digest(raw_body, timestamp, app_id=app_id, secret=secret)
    return hmac.compare_digest(expected, claimed[1].lower())


def sign(raw_body: bytes, *, app_id: str, secret: str) -> str:
    """Return the header value Zalo would send with this body.

    Raises ValueError when the body carries no usable timestamp.
    """
    timestamp = _timestamp(raw_body)
    if timestamp is None:
        raise ValueError("the body is not a JSON object with a timestamp of digits")
    return f"mac={_digest(raw_body, timestamp, app_id=app_id, secret=secret)}"


def _digest(raw_body: bytes, timestamp: str, *, app_id: str, secret: str) -> str:
    signed = b"".join((app_id.encode(), raw_body, timestamp.encode(), secret.encode()))
    return hashlib.sha256(signed).hexdigest()


def _timestamp(raw_body: bytes) -> str | None:
    try:
        timestamp: object = _stamped.decode(raw_body).timestamp
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        timestamp = _read_loosely(raw_body)
    return str(timestamp) if _TIMESTAMP.fullmatch(str(timestamp)) else None


def _read_loosely(raw_body: bytes) -> object:
    """Return the timestamp of a body that is no good JSON: half an emoji can be signed by Zalo too."""
    try:
        body = json.loads(raw_body, strict=False)
    except (ValueError, RecursionError):
        return None
    return body.get("timestamp") if isinstance(body, dict) else None
