"""The SMS phone: a cheap one, with texts as they arrived and a line to write on."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from aiohttp import web

from sandbox.sms import Delivery, Sms, SmsFake, SmsPhone
from sandbox.wall import words
from sandbox.wall.panel import failed, read_body, said

# What fits on the screen of a patient reader.
_SHOWN: Final = 40
# Six messages in a row: nobody types more on such keys.
_LONGEST_TEXT: Final = 900

#: What the keys write, and what it means to a cook.
KEYS: Final = (
    ("XN", "nhận đơn"),
    ("HT", "giao xong"),
    ("DS", "các đơn"),
    ("HN", "hôm nay"),
    ("MAI", "ngày mai"),
    ("TG", "trợ giúp"),
)


class SmsPanel:
    """Shows one phone's texts at a time; the reader chooses whose."""

    key = "sms"
    label = "SMS"
    hears = ("sms.",)

    def __init__(self, sms: SmsFake) -> None:
        self._sms = sms

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the phones, the chosen one and its texts by days."""
        phones = list(self._sms.phones.values())
        phone = self._sms.phones.get(query.get("sms", ""), phones[0] if phones else None)
        return {
            "phones": phones,
            "phone": phone,
            "days": self._by_day(phone.texts[-_SHOWN:] if phone else []),
            "reply_number": self._sms.reply_number,
            "keys": KEYS,
            "now": self._sms.clock(),
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what a typed text and a key call."""
        return [web.post("/sms/write", self._write)]

    async def _write(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        text = str(body.get("text", "")).strip()[:_LONGEST_TEXT]
        if not text:
            return failed("Hãy soạn tin trước khi gửi")
        return _answer(await self._phone(body.get("phone")).writes(text))

    def _phone(self, number: object) -> SmsPhone:
        phone = self._sms.phones.get(str(number))
        if phone is None:
            raise web.HTTPNotFound
        return phone

    def _by_day(self, texts: Sequence[Sms]) -> list[tuple[str, list[Sms]]]:
        now = self._sms.clock()
        grouped = groupby(texts, key=lambda sms: words.short_day(sms.at, now))
        return [(day, list(group)) for day, group in grouped]


def _answer(delivery: Delivery) -> web.Response:
    if delivery.accepted:
        return said()
    return failed("Chốt Đơn chưa nhận được tin SMS. Xem dòng màu đỏ ở cột “Chuyện gì vừa xảy ra”.")
