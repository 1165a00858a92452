"""The Telegram phone: private chats and groups, with cards that change under the finger."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from aiohttp import web

from sandbox.telegram import Chat, FakeTelegram, Message, Tap, TelegramPerson
from sandbox.wall import words
from sandbox.wall.marks import marked
from sandbox.wall.panel import failed, read_body, said

# What fits on the screen of a patient reader.
_SHOWN: Final = 60
_LONGEST_TEXT: Final = 1000
_AWAY: Final = "Chốt Đơn chưa nhận được. Xem dòng màu đỏ ở cột “Chuyện gì vừa xảy ra”."

#: The commands that the phone offers, and what they mean to a cook.
COMMANDS: Final = (
    ("/donhang", "các đơn"),
    ("/homnay", "hôm nay"),
    ("/ngaymai", "ngày mai"),
    ("/trogiup", "trợ giúp"),
)


class TelegramPanel:
    """Shows one chat at a time; in a group the reader also chooses whose finger presses."""

    key = "telegram"
    label = "Telegram"
    hears = ("telegram.",)

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram
        self._closed: set[str] = set()

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the chats, the chosen one by days, who presses there, and what the last press brought."""
        chats = [chat for chat in self._telegram.chats if chat.moved_to is None and _has_begun(chat)]
        chat = next(
            (one for one in chats if str(one.id) == query.get("telegram")), chats[0] if chats else None
        )
        people = self._people_in(chat)
        person = next((one for one in people if str(one.user_id) == query.get("as")), None)
        person = person or (people[0] if people else None)
        return {
            "chats": chats,
            "chat": chat,
            "people": people,
            "person": person,
            "bot_name": self._telegram.office.bot["first_name"],
            "days": self._by_day(chat.messages[-_SHOWN:] if chat else []),
            "tap": self._last_tap(person),
            "commands": COMMANDS,
            "marked": marked,
            "now": self._telegram.clock(),
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what a press, a typed text, a shared number and a closed window call."""
        return [
            web.post("/telegram/tap", self._tap),
            web.post("/telegram/say", self._say),
            web.post("/telegram/share", self._share),
            web.post("/telegram/close", self._close),
        ]

    def _people_in(self, chat: Chat | None) -> list[TelegramPerson]:
        if chat is None:
            return []
        if chat.is_private:
            return [self._telegram.people[chat.id]]
        return next(group.members for group in self._telegram.groups if group.chat is chat)

    def _last_tap(self, person: TelegramPerson | None) -> Tap | None:
        if person is None or not person.taps_made:
            return None
        tap = person.taps_made[-1]
        return tap if tap.toast and tap.query_id not in self._closed else None

    async def _tap(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        person, message = self._person(body), self._message(body)
        label = body.get("label")
        if not isinstance(label, str) or message.button(label) is None:
            raise web.HTTPNotFound
        tap = await person.taps(label, on=message)
        return said() if tap.status == web.HTTPOk.status_code else failed(_AWAY)

    async def _say(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        person, chat = self._person(body), self._chat(body)
        text = str(body.get("text", "")).strip()[:_LONGEST_TEXT]
        if not text:
            return failed("Hãy gõ gì đó trước khi gửi")
        delivery = await person.says(text, where=chat)
        return said() if delivery is None or delivery.accepted else failed(_AWAY)

    async def _share(self, request: web.Request) -> web.Response:
        delivery = await self._person(await read_body(request)).shares_contact()
        return said() if delivery.accepted else failed(_AWAY)

    async def _close(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        self._closed.add(str(body.get("tap")))
        self._telegram.feed.report("telegram.tap", "Đóng thông báo trên Telegram")
        return said()

    def _person(self, body: Mapping[str, object]) -> TelegramPerson:
        given = str(body.get("person"))
        person = self._telegram.people.get(int(given)) if given.isascii() and given.isdecimal() else None
        if person is None:
            raise web.HTTPNotFound
        return person

    def _chat(self, body: Mapping[str, object]) -> Chat:
        for chat in self._telegram.chats:
            if chat.id == body.get("chat") or str(chat.id) == body.get("chat"):
                return chat
        raise web.HTTPNotFound

    def _message(self, body: Mapping[str, object]) -> Message:
        number = body.get("message")
        message = self._chat(body).message(number) if isinstance(number, int) else None
        if message is None:
            raise web.HTTPNotFound
        return message

    def _by_day(self, messages: Sequence[Message]) -> list[tuple[str, list[Message]]]:
        now = self._telegram.clock()
        grouped = groupby(messages, key=lambda message: words.short_day(message.at, now))
        return [(day, list(group)) for day, group in grouped]


def _has_begun(chat: Chat) -> bool:
    return not chat.shut or bool(chat.messages)
