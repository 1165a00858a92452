"""The fake itself: one HTTP server that plays Zalo's three hosts, and the people behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox import faults
from sandbox.feed import Feed, Level
from sandbox.listener import Listener
from sandbox.moments import Clock, real_time
from sandbox.troubled import Troubled
from sandbox.zalo import memory as memories
from sandbox.zalo.api import PER_MINUTE, Api
from sandbox.zalo.errors import MESSAGES, Refused
from sandbox.zalo.oauth_host import OAuthHost
from sandbox.zalo.office import Office
from sandbox.zalo.person import Bubble, Person
from sandbox.zalo.templates import Template
from sandbox.zalo.tokens import Pair, Tokens
from sandbox.zalo.webhooks import OA_SERVER, Delivery, Postman

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeZalo(Troubled):
    """Zalo as an app of ours meets it: `url` answers for the open API, the business API and OAuth.

    `clock` is what message windows age by; tokens age by `token_clock`, real time unless told otherwise,
    because moving the product's clock moves nothing at the vendor's. The rate limit uses real time;
    `per_minute=None` lifts it. `receipts_after` (real time) lets phones that are not offline report each
    message by themselves; None: only when a test says so. `memory` is a file in which people, chats and
    tokens survive the process.
    """

    sends = "/message/"

    def __init__(
        self,
        *,
        clock: Clock = real_time,
        token_clock: Clock = real_time,
        feed: Feed | None = None,
        app_id: str = "1234567890123456789",
        app_secret: str = "sandbox-app-secret",
        oa_id: str = "9876543210987654321",
        oa_secret: str = "sandbox-oa-secret",
        oa_name: str = "Chốt Đơn",
        redirect_uri: str = "",
        require_proof: bool = False,
        per_minute: int | None = PER_MINUTE,
        daily_quota: int = 5000,
        receipts_after: timedelta | None = None,
        memory: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock
        self.feed = feed or Feed(clock=clock)
        self.app_id = app_id
        self.app_secret = app_secret
        self.oa_id = oa_id
        self.oa_secret = oa_secret
        self.oa_name = oa_name
        self.receipts_after = receipts_after
        self.postman = Postman(app_id=app_id, oa_secret=oa_secret, clock=clock, feed=self.feed)
        self.faults = faults.Faults()
        self.office = Office(
            clock=clock,
            feed=self.feed,
            tokens=Tokens(clock=token_clock, app_id=app_id, app_secret=app_secret),
            app_secret=app_secret,
            oa_id=oa_id,
            oa_name=oa_name,
            require_proof=require_proof,
            daily_quota=daily_quota,
            on_put=self._send_receipt,
        )
        self._memory = memory
        self._receipts: set[asyncio.Task[None]] = set()
        app = self._application(per_minute=per_minute, redirect_uri=redirect_uri)
        self._listener = Listener(app, host=host, port=port)
        self._recall()

    # Life.

    async def __aenter__(self) -> Self:
        await self._listener.start()
        await self.postman.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for receipt in list(self._receipts):
            receipt.cancel()
        await asyncio.gather(*self._receipts, return_exceptions=True)
        await self._listener.stop()
        await self.postman.close()
        self._remember()

    @property
    def webhook_url(self) -> str:
        """Where events are posted; set it once the product listens."""
        return self.postman.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.postman.webhook_url = url

    @property
    def people(self) -> dict[str, Person]:
        """Everybody, by user id, in the order they came."""
        return self.office.people

    @property
    def tokens(self) -> Tokens:
        """The app's tokens: `expire_access()`, `revoke()`, `consent()`."""
        return self.office.tokens

    # People and what is prepared for them.

    def person(self, user_id: str, name: str = "", *, phone: str = "") -> Person:
        """Return the person with this id; a new one has never interacted and does not follow.

        `phone` is 84 and nine digits; a ZBS message to it reaches this person.
        """
        known = self.people.get(user_id)
        if known is not None:
            known.name, known.phone = name or known.name, phone or known.phone
            return known
        person = Person(
            user_id, name or user_id, phone=phone, oa_id=self.oa_id, postman=self.postman, feed=self.feed
        )
        person.on_change = self._remember
        self.people[user_id] = person
        return person

    def add_template(self, template: Template) -> None:
        """Approve a ZBS template."""
        self.office.templates[template.template_id] = template

    def issue_tokens(self) -> Pair:
        """Return a fresh token pair (`access_token`, `refresh_token`) without the consent page."""
        pair = self.tokens.issue()
        self._remember()
        return pair

    def settings(self) -> dict[str, str]:
        """Return the product's settings that lead here, as `SmsFake.settings`, with a fresh token pair."""
        tokens = self.issue_tokens()
        return {
            "zalo_app_id": self.app_id,
            "zalo_app_secret": self.app_secret,
            "zalo_oa_id": self.oa_id,
            "zalo_oa_secret": self.oa_secret,
            "zalo_access_token": tokens.access_token,
            "zalo_refresh_token": tokens.refresh_token,
            "zalo_openapi_url": self.url,
            "zalo_business_url": self.url,
            "zalo_oauth_url": self.url,
        }

    # Events beyond what a person does.

    async def post(self, event: dict[str, object], *, server: str = OA_SERVER) -> Delivery:
        """Sign any event and post it; the app's id and the timestamp are added where missing."""
        return await self.postman.post(event, server=server)

    async def probe(self) -> Delivery:
        """Post the unsigned empty object that the console posts when the webhook address is saved."""
        return await self.postman.post_raw(b"{}", {"Content-Type": "application/json"})

    async def redeliver(self, delivery: Delivery | None = None) -> Delivery:
        """Post a webhook again, byte for byte, under the header `num_retry`; the last one by default."""
        again = delivery or self.postman.last
        if again is None:
            raise LookupError("no webhook was posted yet")
        return await self.postman.redeliver(again)

    # Troubles, beside those of every gateway.

    def fail_next(self, code: int, *, times: int | None = 1, path: str | None = None) -> None:
        """Answer the next calls with this error code and HTTP 200."""
        fault = faults.AnswerCode(code, MESSAGES.get(code, "Unknown error"))
        self._plan(fault, times, path)

    # Inside.

    def _application(self, *, per_minute: int | None, redirect_uri: str) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        Api(self.office, per_minute=per_minute).add_routes(app)
        OAuthHost(
            self.office.tokens,
            app_id=self.app_id,
            oa_id=self.oa_id,
            redirect_uri=redirect_uri,
            feed=self.feed,
            on_grant=self._remember,
        ).add_routes(app)
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        fault = self.faults.take(request.path)
        if fault is not None:
            self.feed.report("zalo.out", f"Zalo đang trục trặc ({request.path})", level=Level.ERROR)
        return await faults.meet(fault, request, partial(self._polite, handler))

    async def _polite(self, handler: Answer, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            text = f"Zalo từ chối: {refused.code} {refused.message}"
            self.feed.report("zalo.out", text, level=Level.ERROR)
            return web.json_response({"error": refused.code, "message": refused.message})

    def _send_receipt(self, person: Person, bubble: Bubble) -> None:
        if self.receipts_after is None or person.offline or not self.webhook_url:
            return
        receipt = asyncio.create_task(self._receipt(person, bubble, self.receipts_after))
        self._receipts.add(receipt)
        receipt.add_done_callback(self._receipts.discard)

    async def _receipt(self, person: Person, bubble: Bubble, after: timedelta) -> None:
        await asyncio.sleep(after.total_seconds())
        await person.confirm_received(bubble)

    def _remember(self) -> None:
        if self._memory is None:
            return
        people = [memories.remembered(person) for person in self.people.values()]
        memory = memories.Memory(people, self.tokens.access, self.tokens.refresh)
        memories.save(self._memory, memory)

    def _recall(self) -> None:
        if self._memory is None:
            return
        memory = memories.load(self._memory)
        self.tokens.access.update(memory.access)
        self.tokens.refresh.update(memory.refresh)
        for known in memory.people:
            memories.restore(self.person(known.user_id, known.name, phone=known.phone), known)
