"""What a fake Telegram remembers from one demo to the next: who may be written to, and every chat."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from sandbox.telegram.chats import Chat, ChatKind, Message

# A chat that is longer than this is scrolled by nobody.
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class RememberedChat:
    """One chat and its newest messages; private chats have the id of their person."""

    id: int
    kind: ChatKind
    title: str
    shut: str
    messages: list[Message]
    moved_to: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that outlives the process. `last_id` is the newest number of a message."""

    chats: list[RememberedChat]
    last_id: int = 0


def remembered(chat: Chat) -> RememberedChat:
    """Return what is kept of a chat."""
    return RememberedChat(chat.id, chat.kind, chat.title, chat.shut, chat.messages[-_KEPT:], chat.moved_to)


def restore(chat: Chat, known: RememberedChat) -> None:
    """Give a chat back what was remembered."""
    chat.shut, chat.moved_to = known.shut, known.moved_to
    chat.messages = list(known.messages)


def save(path: Path, memory: Memory) -> None:
    """Write the memory in one step, readable by its owner alone: it holds people's orders."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(memory))
    draft.replace(path)


def load(path: Path) -> Memory:
    """Return the memory; an empty one when there is none yet."""
    if not path.exists():
        return Memory([])
    return msgspec.json.decode(path.read_bytes(), type=Memory)
