"""The Zalo phone: the chat with the Official Account, with buttons that really tap."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from aiohttp import web

from sandbox.wall import words
from sandbox.wall.panel import failed, read_body, said
from sandbox.zalo import Bubble, Delivery, FakeZalo, Person

# What fits on the screen of a patient reader.
_SHOWN = 60
_LONGEST_TEXT = 1000


class ZaloPhone:
    """Shows one person's chat at a time; the reader chooses whose."""

    key = "zalo"
    label = "Zalo"
    hears = ("zalo.",)

    def __init__(self, zalo: FakeZalo) -> None:
        self._zalo = zalo

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the people, the chosen one and the chat by days."""
        people = list(self._zalo.people.values())
        person = self._zalo.people.get(query.get("zalo", ""), people[0] if people else None)
        bubbles = person.bubbles[-_SHOWN:] if person else []
        return {
            "people": people,
            "person": person,
            "oa_name": self._zalo.oa_name,
            "days": _by_day(bubbles, self._zalo),
            "now": self._zalo.clock(),
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what a tap and a typed text call."""
        return [web.post("/zalo/tap", self._tap), web.post("/zalo/say", self._say)]

    async def _tap(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        person = self._person(body.get("person"))
        bubble = _bubble(person, body.get("message"))
        index = body.get("index")
        if not isinstance(index, int) or bubble.button(index) is None:
            raise web.HTTPNotFound
        return _answer(await person.tap(index, on=bubble))

    async def _say(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        text = str(body.get("text", "")).strip()[:_LONGEST_TEXT]
        if not text:
            return failed("Hãy gõ gì đó trước khi gửi")
        return _answer(await self._person(body.get("person")).say(text))

    def _person(self, user_id: object) -> Person:
        person = self._zalo.people.get(str(user_id))
        if person is None:
            raise web.HTTPNotFound
        return person


def _bubble(person: Person, message_id: object) -> Bubble:
    for bubble in person.received:
        if bubble.message_id == message_id:
            return bubble
    raise web.HTTPNotFound


def _by_day(bubbles: Sequence[Bubble], zalo: FakeZalo) -> list[tuple[str, list[Bubble]]]:
    now = zalo.clock()
    grouped = groupby(bubbles, key=lambda bubble: words.short_day(bubble.at, now))
    return [(day, list(group)) for day, group in grouped]


def _answer(delivery: Delivery) -> web.Response:
    if delivery.accepted:
        return said()
    return failed("Chốt Đơn chưa nhận được. Xem dòng màu đỏ ở cột “Chuyện gì vừa xảy ra”.")
