"""Chats as they stand on a phone: messages in order, each as it is now and as it was before."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sandbox.telegram.html import Text
from sandbox.telegram.keyboards import Button, Rows, written


class ChatKind(StrEnum):
    """What the Bot API calls a chat."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `earlier` is what it said before each change, the oldest first; `html` shows it."""

    chat_id: int
    message_id: int
    at: datetime
    author: str
    text: str
    html: str
    from_bot: bool = True
    rows: Rows = ()
    entities: tuple[dict[str, object], ...] = ()
    earlier: tuple[str, ...] = ()
    edited_at: datetime | None = None
    read: bool = False

    @property
    def buttons(self) -> list[str]:
        """The labels under it, row by row."""
        return [button.label for row in self.rows for button in row]

    @property
    def was_edited(self) -> bool:
        """Whether it has been changed since it was sent."""
        return self.edited_at is not None

    def button(self, label: str) -> Button | None:
        """Return the button of that label, with or without a sign before it, if there is one."""
        buttons = [button for row in self.rows for button in row]
        return next((one for one in buttons if one.label == label or one.label.endswith(f" {label}")), None)

    def changed(self, text: Text, rows: Rows, *, at: datetime) -> "Message":
        """Return it as it is after a change."""
        return replace(
            self,
            text=text.plain,
            html=text.html,
            entities=text.entities,
            rows=rows,
            edited_at=at,
            earlier=(*self.earlier, self.text),
        )


@dataclass(slots=True)
class Chat:
    """A private chat with the bot, or a group. `moved_to` is set when a group became a supergroup.

    `keyboard` is what stands in place of the phone's own keyboard. `shut` is why the bot may not write here.
    """

    id: int
    kind: ChatKind
    title: str
    messages: list[Message] = field(default_factory=list)
    keyboard: Rows = ()
    moved_to: int | None = None
    shut: str = ""
    on_change: Callable[[], None] = lambda: None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_private(self) -> bool:
        """Whether it is the chat of one person with the bot."""
        return self.kind is ChatKind.PRIVATE

    @property
    def received(self) -> list[Message]:
        """The bot's messages, the oldest first."""
        return [message for message in self.messages if message.from_bot]

    @property
    def unread(self) -> list[Message]:
        """The bot's messages that `sees` has not read yet, the oldest first."""
        return [message for message in self.received if not message.read]

    def message(self, message_id: int) -> Message | None:
        """Return a message as it is now; None when it is not there (any more)."""
        return next((one for one in self.messages if one.message_id == message_id), None)

    def now(self, message: Message) -> Message:
        """Return a message as it is now. Raises LookupError if it is gone."""
        found = self.message(message.message_id)
        if found is None:
            raise LookupError(f"the message {message.message_id} is gone")
        return found

    def add(self, message: Message) -> Message:
        """Put a message at the end."""
        self.messages.append(message)
        self._arrived.set()
        self.on_change()
        return message

    def swap(self, old: Message, new: Message) -> Message:
        """Let a message be another one from now on."""
        self.messages[self.messages.index(old)] = new
        self._arrived.set()
        self.on_change()
        return new

    def drop(self, message: Message) -> None:
        """Take a message away."""
        self.messages.remove(message)
        self.on_change()

    async def sees(self, text: str, *, within: float = 5.0) -> Message:
        """Read the oldest unread message that contains `text`, waiting for it up to `within` real seconds.

        Raises AssertionError, with what was there instead.
        """
        try:
            async with asyncio.timeout(within):
                return await self._first_with(text)
        except TimeoutError:
            there = [message.text for message in self.unread]
            raise AssertionError(f"{self.title} did not see {text!r}; unread: {there}") from None

    async def becomes(self, message: Message, text: str, *, within: float = 5.0) -> Message:
        """Wait until a message contains `text`, up to `within` real seconds; return it as it is then.

        Raises AssertionError, with what it says instead.
        """
        try:
            async with asyncio.timeout(within):
                while text not in self.now(message).text:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} not in:\n{self.now(message).text}") from None
        return self.now(message)

    async def _first_with(self, text: str) -> Message:
        while True:
            for message in self.unread:
                if text in message.text:
                    return self.swap(message, replace(message, read=True))
            self._arrived.clear()
            await self._arrived.wait()

    def reads_all(self) -> list[Message]:
        """Read every unread message and return them."""
        return [self.swap(message, replace(message, read=True)) for message in self.unread]

    def find(self, label: str, on: Message | None) -> tuple[Message, Button]:
        """Return a button and its message: on that message as it is now, or the newest that has it.

        Raises LookupError if there is none.
        """
        for message in [self.now(on)] if on else reversed(self.received):
            found = message.button(label)
            if found is not None:
                return message, found
        raise LookupError(f"no button {label!r} in {self.title}")


def told_chat(chat: Chat) -> dict[str, object]:
    """Return a chat as the Bot API tells it."""
    if chat.is_private:
        return {"id": chat.id, "type": chat.kind.value, "first_name": chat.title}
    return {"id": chat.id, "type": chat.kind.value, "title": chat.title}


def told_message(chat: Chat, message: Message, author: dict[str, object]) -> dict[str, object]:
    """Return a message as the Bot API tells it."""
    told: dict[str, object] = {
        "message_id": message.message_id,
        "from": author,
        "chat": told_chat(chat),
        "date": int(message.at.timestamp()),
        "text": message.text,
    }
    if message.edited_at:
        told["edit_date"] = int(message.edited_at.timestamp())
    if message.entities:
        told["entities"] = list(message.entities)
    if message.rows:
        told["reply_markup"] = written(message.rows)
    return told
