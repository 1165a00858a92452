"""What Telegram knows of one bot: its chats, its name, the taps that wait for an answer."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sandbox.feed import Feed, Level
from sandbox.moments import Clock
from sandbox.telegram.chats import Chat, ChatKind, Message, told_message
from sandbox.telegram.errors import NOT_FOUND, QUERY_TOO_OLD, UPGRADED, Refused
from sandbox.telegram.html import Text
from sandbox.telegram.keyboards import Markup
from sandbox.telegram.webhooks import Postman

# docs/facts.md#telegram-query-life: a tap that is not answered by then counts as not answered.
_ANSWER_WITHIN: Final = 15.0


@dataclass(slots=True, eq=False)
class Tap:
    """One press of a button: the phone shows a spinner until the bot answers, with a toast if it has words.

    `alert`: the words stand in a window that must be closed. `status` is what the webhook answered.
    """

    query_id: str
    label: str
    data: str
    at: float = field(default_factory=time.monotonic)
    toast: str = ""
    alert: bool = False
    status: int | None = None

    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spins(self) -> bool:
        """Whether the phone still waits."""
        return not self.stopped.is_set()

    async def stops(self, *, within: float = 3.0) -> str:
        """Wait for the spinner to stop, up to `within` real seconds; return the toast.

        Raises AssertionError if it goes on.
        """
        try:
            async with asyncio.timeout(within):
                await self.stopped.wait()
        except TimeoutError:
            raise AssertionError(f"the button {self.label!r} still spins") from None
        return self.toast


class Office:
    """The bot and every chat it could be in."""

    def __init__(
        self, *, clock: Clock, feed: Feed, postman: Postman, bot_id: int, username: str, name: str
    ) -> None:
        self.clock = clock
        self.feed = feed
        self.postman = postman
        self.username = username
        self.bot: dict[str, object] = {
            "id": bot_id,
            "is_bot": True,
            "first_name": name,
            "username": username,
        }
        #: Bots in privacy mode hear only commands in groups, and answers to themselves.
        self.privacy = True
        #: How long after it was sent a message can be changed (product time); None: for ever.
        self.edit_within: timedelta | None = timedelta(hours=48)
        self.chats: dict[int, Chat] = {}
        self.taps: dict[str, Tap] = {}
        self.on_change: Callable[[], None] = lambda: None
        # Private chats and small groups share one row of numbers, each supergroup has its own.
        self.last_id = 0
        self._own_ids: dict[int, itertools.count[int]] = {}

    def open_chat(self, chat_id: int, kind: ChatKind, title: str, *, shut: str = "") -> Chat:
        """Return a new chat that the bot can write to, unless it is `shut`."""
        chat = Chat(chat_id, kind, title, shut=shut)
        chat.on_change = self._changed
        self.chats[chat_id] = chat
        return chat

    def reach(self, chat_id: int | None) -> Chat:
        """Return a chat that the bot may write to. Raises Refused."""
        chat = self.chats.get(chat_id or 0)
        if chat is None:
            raise Refused(400, NOT_FOUND)
        if chat.moved_to is not None:
            raise Refused(400, UPGRADED, {"migrate_to_chat_id": chat.moved_to})
        if chat.shut:
            raise Refused(403, chat.shut)
        return chat

    def next_id(self, chat: Chat) -> int:
        """Return the number of the next message in a chat."""
        if chat.kind is ChatKind.SUPERGROUP:
            return next(self._own_ids.setdefault(chat.id, itertools.count(1)))
        self.last_id += 1
        return self.last_id

    def put(self, chat: Chat, text: Text, markup: Markup) -> Message:
        """Put a message of the bot's on everybody's phone in this chat."""
        message = Message(
            chat.id,
            self.next_id(chat),
            self.clock(),
            str(self.bot["first_name"]),
            text.plain,
            text.html,
            rows=markup.inline,
            entities=text.entities,
        )
        if markup.keyboard is not None:
            chat.keyboard = markup.keyboard
        self._tell(f"Tin “{_first_line(text.plain)}” tới {chat.title} trên Telegram", chat)
        return chat.add(message)

    def change(self, chat: Chat, old: Message, new: Message) -> Message:
        """Change a message of the bot's in its place."""
        self._tell(f"Sửa tại chỗ thành “{_first_line(new.text)}” ở {chat.title}", chat)
        return chat.swap(old, new)

    def told(self, chat: Chat, message: Message) -> dict[str, object]:
        """Return a message of the bot's as the Bot API tells it."""
        return told_message(chat, message, self.bot)

    def answer(self, query_id: str, text: str, *, alert: bool) -> None:
        """Stop a spinner, with a toast or a window. Raises Refused for a tap that waits no more."""
        tap = self.taps.get(query_id)
        if tap is None or not tap.spins or time.monotonic() - tap.at > _ANSWER_WITHIN:
            raise Refused(400, QUERY_TOO_OLD)
        tap.toast, tap.alert = text, alert
        tap.stopped.set()
        if text:
            self.feed.report("telegram.out", f"Telegram hiện “{text}”", level=Level.GOOD)
        self.on_change()

    def _changed(self) -> None:
        self.on_change()

    def _tell(self, text: str, chat: Chat) -> None:
        self.feed.report("telegram.out", text, level=Level.GOOD, ref=str(chat.id))


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
