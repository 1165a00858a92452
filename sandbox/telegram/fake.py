"""The fake itself: one HTTP server that plays the Bot API, and the people and groups behind it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from sandbox import faults
from sandbox.feed import Feed, Level
from sandbox.listener import Listener
from sandbox.moments import Clock, real_time
from sandbox.telegram import memory as memories
from sandbox.telegram.api import Api
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import NOT_MODIFIED, Refused, answer_of, too_many
from sandbox.telegram.group import TelegramGroup
from sandbox.telegram.office import Office
from sandbox.telegram.person import TelegramPerson
from sandbox.telegram.rates import Rates
from sandbox.telegram.webhooks import Delivery, Postman
from sandbox.troubled import Troubled

EDITS: Final = "/editMessage"
ANSWERS: Final = "/answerCallbackQuery"
_AGAIN_AFTER: Final = timedelta(seconds=1)
_FIRST_PERSON: Final = 700_000_001
_FIRST_GROUP: Final = -4_000_000_001

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeTelegram(Troubled):
    """Telegram as a bot of ours meets it.

    `clock` is what messages are dated by, and age by where they can be changed no more. Limits use real time;
    `limited=False` lifts them. Updates that are not taken come again after `again_after` (real time); None:
    only when a test says so. `memory` is a file in which chats survive the process; who comes again under
    the same id finds them as they were.
    """

    sends = "/sendMessage"

    def __init__(
        self,
        *,
        clock: Clock = real_time,
        feed: Feed | None = None,
        token: str = "8123456789:AAsandbox-telegram-token",
        secret: str = "sandbox-telegram-secret",
        username: str = "chotdon_sandbox_bot",
        name: str = "Chốt Đơn",
        limited: bool = True,
        again_after: timedelta | None = _AGAIN_AFTER,
        memory: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock
        self.feed = feed or Feed(clock=clock)
        self.token = token
        self.secret = secret
        self.username = username
        self.postman = Postman(secret=secret, feed=self.feed, again_after=again_after)
        self.office = Office(
            clock=clock,
            feed=self.feed,
            postman=self.postman,
            bot_id=int(token.partition(":")[0]),
            username=username,
            name=name,
        )
        self.api = Api(self.office, token=token, rates=Rates() if limited else None)
        self.postman.reply = self._obey
        self.faults = faults.Faults()
        self.people: dict[int, TelegramPerson] = {}
        self.groups: list[TelegramGroup] = []
        app = web.Application(middlewares=[self._gate])
        self.api.add_routes(app)
        self._listener = Listener(app, host=host, port=port)
        self._memory = memory
        self._known: dict[int, memories.RememberedChat] = {}
        self._recall()
        self.office.on_change = self._remember

    # Life.

    async def __aenter__(self) -> Self:
        await self._listener.start()
        await self.postman.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()
        await self.postman.close()
        self._remember()

    @property
    def webhook_url(self) -> str:
        """Where updates are posted; a bot sets it by setWebhook, a test may set it by hand."""
        return self.postman.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.postman.webhook_url = url

    def settings(self) -> dict[str, str]:
        """Return the product's settings that lead here."""
        return {
            "telegram_token": self.token,
            "telegram_secret": self.secret,
            "telegram_api_url": self.url,
        }

    @property
    def chats(self) -> list[Chat]:
        """Every chat, private ones and groups, in the order they came."""
        return list(self.office.chats.values())

    # People and groups.

    def person(
        self, name: str, *, user_id: int | None = None, phone: str = "", language: str = "vi"
    ) -> TelegramPerson:
        """Return a new person, who has not started the bot, or the known one with this id."""
        chosen = user_id or _FIRST_PERSON + len(self.people)
        known = self.people.get(chosen)
        if known is None:
            known = TelegramPerson(self.office, chosen, name, phone=phone, language=language)
            self._restore(known.chat)
            self.people[chosen] = known
        return known

    def group(self, title: str, *members: TelegramPerson) -> TelegramGroup:
        """Return a new group of these people, without the bot."""
        group = TelegramGroup(self.office, _FIRST_GROUP - len(self.groups), title, *members)
        self._restore(group.chat)
        self.groups.append(group)
        return group

    # Updates beyond what people do.

    async def redeliver(self, delivery: Delivery | None = None) -> Delivery:
        """Post an update again, the last one by default."""
        return await self.postman.redeliver(delivery or self.postman.deliveries[-1])

    # Troubles, beside those of every gateway.

    def fail_next(
        self, code: int, description: str, *, times: int | None = 1, path: str | None = None
    ) -> None:
        """Answer the next calls with this error, as Telegram writes it."""
        self._plan(faults.AnswerCode(code, description), times, path)

    # Inside.

    def _remember(self) -> None:
        if self._memory is not None:
            chats = [memories.remembered(chat) for chat in self.chats]
            memories.save(self._memory, memories.Memory(chats, self.office.last_id))

    def _recall(self) -> None:
        if self._memory is not None:
            memory = memories.load(self._memory)
            self.office.last_id = memory.last_id
            self._known = {chat.id: chat for chat in memory.chats}

    def _restore(self, chat: Chat) -> None:
        known = self._known.get(chat.id)
        if known is not None:
            memories.restore(chat, known)

    @web.middleware
    async def _gate(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        fault = self.faults.take(request.path)
        method = request.path.rpartition("/")[2]
        if fault is not None:
            self.feed.report("telegram.out", f"Telegram đang trục trặc ({method})", level=Level.ERROR)
        return await faults.meet(fault, request, partial(self._polite, handler), wire=_WIRE)

    async def _polite(self, handler: Answer, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            self._report_refusal(refused)
            return answer_of(refused)

    async def _obey(self, method: Mapping[str, Any]) -> None:
        """Call the method that a webhook answered with; its caller never learns what became of it."""
        try:
            await self.api.call(str(method.get("method")), method)
        except Refused as refused:
            self._report_refusal(refused)

    def _report_refusal(self, refused: Refused) -> None:
        if refused.description == NOT_MODIFIED:  # nothing is wrong: it says so already
            self.feed.report("telegram.out", "Telegram: tin đã đúng như vậy, không có gì để sửa")
            return
        text = f"Telegram từ chối: {refused.code} {refused.description}"
        self.feed.report("telegram.out", text, level=Level.ERROR)


def _code(fault: faults.AnswerCode) -> web.Response:
    return answer_of(Refused(int(fault.code), fault.message))


def _too_many(fault: faults.TooMany) -> web.Response:
    return answer_of(too_many(fault.retry_after))


_WIRE: Final = faults.Wire(code=_code, too_many=_too_many)
