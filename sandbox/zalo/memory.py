"""What a fake Zalo remembers from one demo to the next: people, their chats, and the tokens."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from sandbox.zalo.person import Bubble, Person

# A chat that is longer than this is scrolled by nobody.
_KEPT_BUBBLES: Final = 200


@dataclass(frozen=True, slots=True)
class RememberedPerson:
    """One person and the newest part of the chat."""

    user_id: str
    name: str
    phone: str
    follows: bool
    last_interaction: datetime | None
    bubbles: list[Bubble]


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that outlives the process."""

    people: list[RememberedPerson]
    access: dict[str, datetime]
    refresh: dict[str, datetime]


def remembered(person: Person) -> RememberedPerson:
    """Return what is kept of a person."""
    return RememberedPerson(
        person.user_id,
        person.name,
        person.phone,
        person.follows,
        person.last_interaction,
        person.bubbles[-_KEPT_BUBBLES:],
    )


def save(path: Path, memory: Memory) -> None:
    """Write the memory in one step, readable by its owner alone: it holds tokens."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(memory))
    draft.replace(path)


def load(path: Path) -> Memory:
    """Return the memory; an empty one when there is none yet."""
    if not path.exists():
        return Memory([], {}, {})
    return msgspec.json.decode(path.read_bytes(), type=Memory)


def restore(person: Person, known: RememberedPerson) -> None:
    """Give a person back what was remembered."""
    person.follows = known.follows
    person.last_interaction = known.last_interaction
    person.bubbles = list(known.bubbles)
