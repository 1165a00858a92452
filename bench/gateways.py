"""The fakes, in a process of their own: Zalo without its rate limits, a mail server, a platform's webhooks.

Says in one line of JSON where they are, then answers each line on its standard input with one line;
ends when that is closed.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, Final

import uvloop
from aiohttp import web

from bench.mail_sink import MailSink
from sandbox.feed import Feed
from sandbox.listener import Listener
from sandbox.moments import real_time
from sandbox.sms import FakeEsms
from sandbox.zalo.fake import FakeZalo


class Gateways:
    """What came in at the fakes, by the clock of this machine."""

    def __init__(self, zalo: FakeZalo, mailbox: MailSink, sms: FakeEsms) -> None:
        self._zalo = zalo
        self._mailbox = mailbox
        self._sms = sms
        self.webhooks = 0
        self._answers: Final[Mapping[str, Callable[..., Any]]] = {
            "people": self._people,
            "count": self._count,
            "calls": self._calls,
            "forget": self._forget,
            "hang": self._hang,
            "recover": self._zalo.recover,
        }

    async def answer(self, line: str) -> Any:
        """Return what one line asks for: `["people", [ids]]`, `["count"]`, `["hang"]` and so on."""
        asked, *rest = json.loads(line)
        told = self._answers[asked](*rest)
        return await told if isawaitable(told) else told

    async def take_webhook(self, request: web.Request) -> web.Response:
        """Take a webhook, as a platform that is content with everything."""
        await request.read()
        self.webhooks += 1
        return web.Response()

    async def keep_silent(self, request: web.Request) -> web.Response:
        """Take a webhook's connection, as a platform that is dead, and never answer it."""
        await request.read()
        await asyncio.sleep(60)
        return web.Response(status=504)

    def _people(self, user_ids: list[str]) -> int:
        for user_id in user_ids:
            self._zalo.person(user_id).last_interaction = real_time()
        return len(self._zalo.people)

    def _count(self) -> dict[str, int]:
        cards = sum(len(person.bubbles) for person in self._zalo.people.values())
        texts = sum(len(phone.received) for phone in self._sms.phones.values())
        return {"zalo": cards, "mail": len(self._mailbox.mails), "sms": texts, "webhooks": self.webhooks}

    def _calls(self) -> dict[str, list[tuple[float, str, str]]]:
        """Return when, to whom, and the first line, of every card and mail."""
        cards = [
            (bubble.at.timestamp(), person.user_id, bubble.text.partition("\n")[0])
            for person in self._zalo.people.values()
            for bubble in person.bubbles
        ]
        mails = [(mail.at, mail.to, mail.subject) for mail in self._mailbox.mails]
        texts = [
            (sms.at.timestamp(), phone.number, sms.text)
            for phone in self._sms.phones.values()
            for sms in phone.received
        ]
        return {"zalo": cards, "mail": mails, "sms": texts}

    def _hang(self) -> None:
        """Let Zalo take every call and answer none."""
        self._zalo.hang(30, times=None)

    def _forget(self) -> None:
        for person in self._zalo.people.values():
            person.bubbles.clear()
        self._mailbox.mails.clear()
        for phone in self._sms.phones.values():
            phone.texts.clear()
        self.webhooks = 0


async def _main() -> None:
    async with FakeZalo(feed=Feed(keep=1), per_minute=None) as zalo, FakeEsms(feed=Feed(keep=1)) as sms:
        mailbox = MailSink()
        gateways = Gateways(zalo, mailbox, sms)
        app = web.Application()
        app.router.add_post("/webhooks", gateways.take_webhook)
        app.router.add_post("/silent", gateways.keep_silent)
        platform = Listener(app)
        await platform.start()
        try:
            _say(
                {
                    **_settings(zalo),
                    **{name.upper(): value for name, value in sms.settings.items()},
                    "SMTP_URL": await mailbox.start(),
                    "webhook_url": f"{platform.url}/webhooks",
                }
            )
            await _answer_lines(gateways)
        finally:
            await mailbox.stop()
            await platform.stop()


def _settings(zalo: FakeZalo) -> dict[str, str]:
    """Return the settings by which the product reaches Zalo."""
    return {
        **{name.upper(): value for name, value in zalo.settings().items()},
        "EMAIL_FROM": "Chốt Đơn <don@chotdon.example>",
    }


async def _answer_lines(gateways: Gateways) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _say(await gateways.answer(line))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main())
