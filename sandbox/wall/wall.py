"""The wall's web server: the page, its parts, its buttons and its stream."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.feed import Feed, Level
from sandbox.listener import Listener
from sandbox.mailbox import Mailbox
from sandbox.platform import FakePlatform
from sandbox.sms import SmsFake
from sandbox.telegram import FakeTelegram
from sandbox.wall import words
from sandbox.wall.guard import Handler, guarded, set_headers
from sandbox.wall.hop_list import HopList
from sandbox.wall.mail_phone import MailPhone
from sandbox.wall.panel import Panel, failed, read_body, said
from sandbox.wall.platform_panel import PlatformPanel
from sandbox.wall.sms_phone import SmsPanel
from sandbox.wall.stream import stream
from sandbox.wall.telegram_phone import TelegramPanel
from sandbox.wall.zalo_phone import ZaloPhone
from sandbox.zalo import FakeZalo

_HERE: Final = Path(__file__).parent

# One press may not move the clock further than a year: beyond that a newcomer has mistyped.
_FURTHEST: Final = timedelta(days=366)

DELIVERIES: Final = (
    (180, "giao sau 3 giờ"),
    (45, "giao sau 45 phút"),
    (1440, "giao trưa mai"),
    (4 * 1440, "giao sau 4 ngày"),
)

PlaceOrder = Callable[[timedelta], Awaitable[object]]
ConsoleLink = Callable[[], Awaitable[str]]


class ClockControl(Protocol):
    """The product's clock, as `chotdon clock` moves it."""

    def now(self) -> datetime:
        """Return the product's time."""

    async def advance(self, by: timedelta) -> None:
        """Move the product's time on."""

    async def reset(self) -> None:
        """Go back to real time."""


class Wall:
    """The page at `url`. `place_order` places a sample order that is due after the given time.

    `console_link` makes a link that signs in at the operators' console, where the product has one.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        zalo: FakeZalo,
        telegram: FakeTelegram,
        sms: SmsFake,
        mailbox: Mailbox,
        platform: FakePlatform,
        clock: ClockControl,
        place_order: PlaceOrder,
        console_link: ConsoleLink | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._place_order = place_order
        self._console_link = console_link
        self._panels: Sequence[Panel] = (
            ZaloPhone(zalo),
            TelegramPanel(telegram),
            SmsPanel(sms),
            MailPhone(mailbox),
            HopList(feed),
            PlatformPanel(platform, chance=random.Random()),  # noqa: S311 - a review's words are no secret
        )
        self._templates = _templates()
        self._listener = Listener(self._application(), host=host, port=port)

    async def __aenter__(self) -> Self:
        await self._listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.close()
        await self._listener.stop()

    @property
    def url(self) -> str:
        """The address to open."""
        return self._listener.url

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[guarded, self._apologetic])
        app.on_response_prepare.append(set_headers)
        app.router.add_get("/", self._page)
        app.router.add_get("/parts/{key}", self._part)
        app.router.add_get("/stream", self._stream)
        app.router.add_post("/clock/advance", self._advance)
        app.router.add_post("/clock/reset", self._reset)
        app.router.add_post("/orders", self._order)
        app.router.add_get("/console", self._console)
        app.router.add_static("/static", _HERE / "static")
        for panel in self._panels:
            app.router.add_routes(panel.routes())
        return app

    async def _page(self, request: web.Request) -> web.Response:
        parts = {panel.key: self._rendered(panel, request.query) for panel in self._panels}
        page = self._templates.get_template("wall.html").render(
            phones=self._panels[:4],
            sheets=self._panels[4:],
            panels=self._panels,
            parts=parts,
            now=self._clock.now(),
            deliveries=DELIVERIES,
            has_console=self._console_link is not None,
        )
        return web.Response(text=page, content_type="text/html")

    async def _part(self, request: web.Request) -> web.Response:
        for panel in self._panels:
            if panel.key == request.match_info["key"]:
                return web.Response(text=self._rendered(panel, request.query), content_type="text/html")
        raise web.HTTPNotFound

    def _rendered(self, panel: Panel, query: Mapping[str, str]) -> str:
        return self._templates.get_template(f"{panel.key}.html").render(panel.view(query))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        return await stream(request, self._feed, self._clock.now)

    async def _advance(self, request: web.Request) -> web.Response:
        minutes = (await read_body(request)).get("minutes")
        if type(minutes) is not int or not 0 < minutes <= _FURTHEST.total_seconds() / 60:
            raise web.HTTPBadRequest(text="minutes")
        await self._clock.advance(timedelta(minutes=minutes))
        return self._moved("Đồng hồ chạy tới")

    async def _reset(self, request: web.Request) -> web.Response:
        await read_body(request)
        await self._clock.reset()
        return self._moved("Đồng hồ về giờ thật:")

    def _moved(self, how: str) -> web.Response:
        now = self._clock.now()
        text = f"{how} {words.hour(now)} {words.day(now)}"
        self._feed.report("clock.moved", text)
        return web.json_response({"say": text, "now": round(now.timestamp() * 1000)})

    async def _order(self, request: web.Request) -> web.Response:
        minutes = (await read_body(request)).get("minutes")
        if minutes not in [choice for choice, _ in DELIVERIES]:
            raise web.HTTPBadRequest(text="minutes")
        await self._place_order(timedelta(minutes=minutes))
        return said()

    async def _console(self, request: web.Request) -> web.Response:
        """Lead to the console with a new link, so that a newcomer is inside with one more press."""
        if self._console_link is None:
            raise web.HTTPNotFound
        raise web.HTTPSeeOther(await self._console_link())

    @web.middleware
    async def _apologetic(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Say so on the page when the product does not answer; a newcomer should never see a bare 500."""
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError, TimeoutError):
            text = "Chốt Đơn không trả lời. Kiểm tra xem nó có đang chạy không."
            self._feed.report("wall.trouble", text, level=Level.ERROR)
            return failed(text)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    return environment
