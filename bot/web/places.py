"""Where a page of a list ended, as it stands in the address of the next one. Pure.

Whoever changes it gets other orders of their own kitchen, never those of another.
"""

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from core.errors import Malformed
from core.orders.listing import Place


class _Written(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    heap: int
    at: datetime
    id: UUID


def written(place: Place) -> str:
    """Return a place as a piece of an address."""
    raw = msgspec.json.encode(_Written(place.heap, place.at, place.id))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_LONGEST: Final = 200


def read(text: str) -> Place | None:
    """Return the place that an address names, or None. Raises Malformed for what we never wrote."""
    if not text:
        return None
    try:
        given = text[:_LONGEST].encode("ascii")
        raw = base64.b64decode(given + b"=" * (-len(given) % 4), b"-_", validate=True)
        found = msgspec.json.decode(raw, type=_Written)
    except (binascii.Error, UnicodeError, ValueError):
        raise Malformed("place") from None
    if found.at.tzinfo is None or not 1 < found.at.year < 9999 or not 0 <= found.heap < 8:
        raise Malformed("place")
    return Place(found.at, found.id, found.heap)


def read_if_good(text: str) -> Place | None:
    """Return the place that an address names; the beginning of the list for what we never wrote."""
    try:
        return read(text)
    except Malformed:
        return None
