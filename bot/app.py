"""The web process, wired: settings, database, ledger, routes, start and stop."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Protocol

import structlog
from aiohttp import web

from bot import health, heartbeat, sms_webhook, telegram_webhook, zalo_consent, zalo_webhook
from bot.answering import ANSWERING, Answering
from bot.api.routes import add_routes as add_api
from bot.compose import Composer
from bot.conversation import Conversation
from bot.keys import DATABASE, LEDGER, SETTINGS, SIGNER, WAKING, Waking
from bot.ops.routes import add_routes as add_console
from bot.registry import open_channels, signer_of, switched_off, ways_of
from bot.sms.esms import reply_charge
from bot.sms.render import renderer
from bot.traces import open_tracer, traced_requests
from bot.watch import SILENT_AFTER, Watch, voices_of
from bot.web.middleware import middlewares
from bot.web.routes import add_routes as add_pages
from core import pool_use
from core.clock import real_now
from core.database import Database, connect
from core.keys import code_key
from core.ledger import Ledger
from core.outbox import Ways
from core.settings import Settings
from core.waking import Wake

_log: Final = structlog.get_logger()
_MOST_BODY: Final = 256 * 1024
_DRAIN: Final = 10.0


class Queues(Wake, Protocol):
    """The way to the worker: wakes it, and knows whether it can."""

    async def is_up(self) -> bool:
        """Tell whether Redis answers."""


def build(
    settings: Settings, database: Database, ledger: Ledger, queues: Queues, *, ways: Ways
) -> web.Application:
    """Return the application on these parts; nothing is opened here."""
    app = web.Application(client_max_size=_MOST_BODY, middlewares=middlewares())
    app[SETTINGS] = settings
    app[DATABASE] = database
    app[LEDGER] = ledger
    app[SIGNER] = signer_of(settings)
    app[WAKING] = Waking(queues)
    app[health.QUEUES] = health.Probe(queues.is_up)
    app[zalo_webhook.CONVERSATION] = Conversation(
        settings=settings, database=database, ledger=ledger, signer=app[SIGNER], wake=queues
    )
    app[ANSWERING] = Answering(
        database,
        ways,
        Composer(settings=settings, signer=app[SIGNER], database=database),
        say=renderer(links=settings.sms_links),
        charge=reply_charge,
    )
    health.add_routes(app)
    heartbeat.add_routes(app)
    zalo_webhook.add_routes(app)
    sms_webhook.add_routes(app)
    telegram_webhook.add_routes(app)
    add_api(app)
    add_pages(app)
    add_console(app)
    zalo_consent.add_routes(app)
    return app


@asynccontextmanager
async def open_app(settings: Settings, database: Database, queues: Queues) -> AsyncIterator[web.Application]:
    """Open the ledger, and watch the worker, until the block ends."""
    async with AsyncExitStack() as stack:
        tracer = await stack.enter_async_context(open_tracer(settings, "web"))
        ledger = await stack.enter_async_context(
            Ledger(
                database,
                policy=settings.policy,
                code_key=code_key(settings.require("secret_key")),
                wake=queues,
                tracer=tracer,
            )
        )
        channels = open_channels(settings, database)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        watch = Watch(
            database,
            voices_of(settings, channels),
            started=real_now(),
            patience=settings.sweep_every + SILENT_AFTER,
        )
        stack.push_async_callback(_end, asyncio.create_task(watch.run()))
        stack.push_async_callback(_end, asyncio.create_task(pool_use.tell(database)))
        app = build(settings, database, ledger, queues, ways=ways_of(settings, channels))
        if tracer is not None:
            app.middlewares.insert(0, traced_requests(tracer))
        yield app


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def serve(settings: Settings, queues: Queues, *, host: str, port: int, reuse_port: bool) -> None:
    """Answer requests until SIGTERM or SIGINT; then take no more, finish what runs, and close."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    for name, needs in switched_off(settings).items():
        _log.warning("channel is off", channel=name.value, needs=needs)
    async with (
        connect(settings.require("database_url")) as database,
        open_app(settings, database, queues) as app,
    ):
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, reuse_port=reuse_port).start()
            _log.info("serving", host=host, port=port)
            gc.collect()
            gc.freeze()  # what is there now stays: the collector need not look at it again and again
            await stopped.wait()
        finally:
            await runner.cleanup()
