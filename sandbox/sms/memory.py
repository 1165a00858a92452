"""What a fake SMS gateway remembers from one demo to the next: the phones and their texts."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from sandbox.sms.phone import Sms, SmsPhone

# A list of texts that is longer than this is scrolled by nobody.
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class RememberedPhone:
    """One phone and its newest texts."""

    number: str
    name: str
    texts: list[Sms]


def remembered(phone: SmsPhone) -> RememberedPhone:
    """Return what is kept of a phone."""
    return RememberedPhone(phone.number, phone.name, phone.texts[-_KEPT:])


def save(path: Path, phones: list[RememberedPhone]) -> None:
    """Write the memory in one step, readable by its owner alone: it holds people's numbers."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(phones))
    draft.replace(path)


def load(path: Path) -> list[RememberedPhone]:
    """Return the memory; an empty one when there is none yet."""
    if not path.exists():
        return []
    return msgspec.json.decode(path.read_bytes(), type=list[RememberedPhone])
