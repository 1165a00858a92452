"""Ids that we make ourselves."""

import os
import time
from uuid import UUID


def new() -> UUID:
    """Return a UUID that rises with time (version 7, RFC 9562), so that new rows lie together."""
    return _at(time.time_ns() // 1_000_000)


def beside(other: UUID) -> UUID:
    """Return a new id that is as old as another one: rows of both lie in the same month's part."""
    return _at(other.int >> 80)


def _at(milliseconds: int) -> UUID:
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
