"""`chotdon demo`: everything on this machine, with a phone wall to try it on."""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import aiohttp
import click

from bot.registry import signer_of
from cli.clock import advance, reset
from cli.office import Office
from cli.runtime import ENV_FILE_VARIABLE, VAR, runtime
from core.actors import Role
from core.channels import ChannelName
from core.database import Database, connect
from core.errors import Conflict, Misconfigured
from core.ledger import Ledger
from core.operators import links
from core.partners import linking, partners, staff
from core.platforms import platforms
from core.settings import PREFIX, Settings
from sandbox.feed import Feed
from sandbox.mailbox import Mailbox
from sandbox.menu import CUSTOMERS, sample_order
from sandbox.platform import FakePlatform
from sandbox.sms import DELIVERED, FakeEsms
from sandbox.telegram import FakeTelegram
from sandbox.wall import Wall
from sandbox.zalo import FakeZalo

_HOST: Final = "127.0.0.1"
_PORT: Final = 8080
_KITCHEN: Final = partners.NewPartner(
    code="com-nha-lan",
    name="Cơm nhà Lan",
    owner="Lan",
    email="lan@com-nha-lan.example",
    locale="vi",
    timezone="Asia/Ho_Chi_Minh",
)
#: Somebody who has nothing but a cheap phone: the ladder reaches him half an hour after an order came.
_COOK: Final = "Bình"
_COOKS_PHONE: Final = "+84912000111"
#: In đồng, as a kitchen in Vietnam might pay.
_PRICES: Final = {
    "zalo_cs_late": 55,
    "zalo_zbs_uid": 165,
    "zalo_zbs_phone": 200,
    "esms": 820,
    "esms_reply": 300,
}
_OWNER_ON_ZALO: Final = "2468458835291979222"
#: A manager who has Telegram and nothing else, and the kitchen's group there, which a neighbour reads along.
_MANAGER: Final = "Minh"
_GROUP: Final = "Bếp nhà Lan"
_NEIGHBOUR: Final = "Chú Tư"
_PLATFORM: Final = "Cơm Ngon"
_OPERATORS: Final = "truc-ca@chotdon.example"
_READY_WITHIN: Final = 60.0
_STOP_WITHIN: Final = 20.0


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_000), default=_PORT, show_default=True, help="Or the next free one."
)
def demo(port: int) -> None:
    """Start everything on this machine: servers, web process, worker, sandbox gateways and the phone wall.

    Settings of gateways in the environment or in `.env` are ignored: a demo never reaches a real phone.
    Data stays in `var/`. Ctrl-C stops all of it.

    Example: chotdon demo
    """
    _forget_settings()
    with runtime() as settings, suppress(KeyboardInterrupt):
        asyncio.run(_run(settings, port))


def _forget_settings() -> None:
    """Nothing of the environment reaches a demo: not a gateway's key, not somebody's database."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ[ENV_FILE_VARIABLE] = ""


async def _run(settings: Settings, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    (VAR / "sandbox").mkdir(parents=True, exist_ok=True)
    web_port = _free_port(port)
    wall_port = _free_port(web_port + 1)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(settings.require("database_url"), connections=4))
        feed = Feed(clock=database.clock.now)
        zalo = await stack.enter_async_context(
            FakeZalo(clock=database.clock.now, feed=feed, memory=VAR / "sandbox" / "zalo.json")
        )
        telegram = await stack.enter_async_context(
            FakeTelegram(
                clock=database.clock.now,
                feed=feed,
                limited=False,  # a newcomer moves the clock faster than Telegram would take it
                memory=VAR / "sandbox" / "telegram.json",
            )
        )
        sms = await stack.enter_async_context(
            FakeEsms(
                clock=database.clock.now,
                feed=feed,
                receipts=DELIVERED,
                names={f"+84{customer.phone.removeprefix('0')}": customer.name for customer in CUSTOMERS},
                memory=VAR / "sandbox" / "sms.json",
            )
        )
        mailbox = await stack.enter_async_context(
            Mailbox(clock=database.clock.now, feed=feed, memory=VAR / "sandbox" / "mails")
        )
        platform = await stack.enter_async_context(
            FakePlatform(_PLATFORM, clock=database.clock.now, feed=feed)
        )
        keys = await _platform_keys(database, platform)
        url = f"http://{_HOST}:{web_port}"
        platform.connect(api_url=url, api_key=keys["api_key"], webhook_secret=keys["webhook_secret"])
        zalo.webhook_url = f"{url}/webhooks/zalo"
        telegram.webhook_url = f"{url}/webhooks/telegram"
        sms.webhook_base = url
        await _renew_tokens(database)
        environment = _environment(
            settings, mailbox, url, {**zalo.settings(), **telegram.settings(), **sms.settings}
        )
        await stack.enter_async_context(_processes(environment, web_port))
        await _until_ready(url, stopped)
        ledger = await stack.enter_async_context(Office(settings, database).ledger())
        wall = Wall(
            feed=feed,
            zalo=zalo,
            telegram=telegram,
            sms=sms,
            mailbox=mailbox,
            platform=platform,
            clock=_Clock(database, ledger),
            place_order=_Orders(database, platform).place,
            console_link=_Desk(settings, database, url).link,
            port=wall_port,
        )
        await stack.enter_async_context(wall)
        owner = await _meet_the_kitchen(settings, database, zalo, sms)
        await _meet_on_telegram(settings, database, telegram, owner)
        if not await database.pool.fetchval("SELECT 1 FROM orders LIMIT 1"):
            await _Orders(database, platform).place(timedelta(hours=3))
        _tell(wall.url, url)
        await stopped.wait()
        click.echo("\nĐang dừng… / Stopping…")


def _tell(wall: str, url: str) -> None:
    click.echo(
        f"""
  Chốt Đơn is running. Open the phone wall, and tap:

    Phone wall        {wall}/
    Operators         {url}/ops   (as {_OPERATORS}; the mail, and a shortcut, are on the wall)
    API, to read      {url}/api/docs
    Health, metrics   {url}/readyz   {url}/metrics

  In another terminal:  .venv/bin/chotdon order list
  Ctrl-C stops everything; the data stays in {VAR}/.
"""
    )


# --- the kitchen, the platform, the account ---------------------------------------------------


async def _platform_keys(database: Database, platform: FakePlatform) -> dict[str, str]:
    """Return the platform's keys, kept from the first start; its webhook listens elsewhere each time."""
    kept = VAR / "sandbox" / "platform.json"
    if not kept.exists():
        try:
            added = await platforms.add(
                platform.name,
                now=database.clock.now(),
                webhook_url=platform.webhook_url,
                allow_private=True,
                ask_review=True,
            )
        except Conflict:
            fault = f"The demo's platform is known, but {kept} is gone: remove {VAR}/ to begin anew."
            raise Misconfigured(fault) from None
        _write_private(kept, {"api_key": added.api_key, "webhook_secret": added.webhook_secret})
    await database.pool.execute(
        "UPDATE platforms SET webhook_url = $2 WHERE name = $1", platform.name, platform.webhook_url
    )
    keys: dict[str, str] = json.loads(kept.read_text("utf-8"))
    return keys


def _write_private(path: Path, content: Mapping[str, str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)


async def _renew_tokens(database: Database) -> None:
    """The account's pair comes with the settings at each start, as if an admin had just consented."""
    await database.pool.execute("DELETE FROM secrets WHERE name LIKE 'zalo tokens %'")


async def _meet_the_kitchen(
    settings: Settings, database: Database, zalo: FakeZalo, sms: FakeEsms
) -> staff.Member:
    """The owner links her Zalo by a code, as everybody does; at a later start she asks what waits."""
    lan = zalo.person(_OWNER_ON_ZALO, _KITCHEN.owner or "Lan", phone="84909123456")
    try:
        _, owner = await partners.add(database, _KITCHEN)
    except Conflict:
        partner = await partners.by_code(database.pool, _KITCHEN.code)
        owner = await staff.first_of(database.pool, partner.id)
    await _hire_the_cook(database, owner.partner_id, sms)
    linked = await database.pool.fetchval(
        "SELECT 1 FROM addresses WHERE kind = 'zalo_user' AND value = $1 AND ended_at IS NULL", _OWNER_ON_ZALO
    )
    if linked:
        await lan.say("DS")
        return owner
    key = linking.code_key(settings.require("secret_key"))
    code = await linking.create_code(database, owner.id, ChannelName.ZALO, key=key)
    await lan.say(code.text)
    await lan.follow()
    return owner


async def _meet_on_telegram(
    settings: Settings, database: Database, telegram: FakeTelegram, owner: staff.Member
) -> None:
    """The manager links his Telegram, and the owner hers and the kitchen's group, by deep links."""
    minh, lan = telegram.person(_MANAGER), telegram.person(owner.name)
    group = telegram.group(_GROUP, lan, minh, telegram.person(_NEIGHBOUR))
    manager = staff.new_member(_MANAGER, Role.MANAGER)
    with suppress(Conflict):  # he has been here since the first start
        await staff.add(database, owner.partner_id, manager)
    member = await staff.by_name(database.pool, owner.partner_id, _MANAGER)
    if not await _is_linked(database, minh.user_id):
        await minh.starts(await _telegram_code(settings, database, member.id))
    if not await _is_linked(database, lan.user_id):
        await lan.starts(await _telegram_code(settings, database, owner.id))
    if not await _is_linked(database, group.chat.id):
        await group.adds_bot(lan, code=await _telegram_code(settings, database, owner.id))


async def _is_linked(database: Database, chat: int) -> bool:
    linked = "SELECT 1 FROM addresses WHERE kind = 'telegram_chat' AND value = $1 AND ended_at IS NULL"
    return bool(await database.pool.fetchval(linked, str(chat)))


async def _telegram_code(settings: Settings, database: Database, staff_id: UUID) -> str:
    key = linking.code_key(settings.require("secret_key"))
    return (await linking.create_code(database, staff_id, ChannelName.TELEGRAM, key=key)).code


async def _hire_the_cook(database: Database, partner_id: UUID, sms: FakeEsms) -> None:
    sms.phone(_COOKS_PHONE, _COOK)
    cook = staff.new_member(_COOK, Role.KITCHEN, phone=_COOKS_PHONE)
    with suppress(Conflict):  # he has been here since the first start
        await staff.add(database, partner_id, cook)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Signs newcomers in at the operators' console."""

    settings: Settings
    database: Database
    url: str

    async def link(self) -> str:
        """Return a link that works once, as the mail of the sign-in page has it."""
        link_id = await links.issue(self.database.pool, _OPERATORS, now=self.database.clock.now())
        return f"{self.url}/ops/login/{signer_of(self.settings).one_time(link_id)}"


class _Orders:
    """Places sample orders through the API, as a platform does."""

    def __init__(self, database: Database, platform: FakePlatform) -> None:
        self._database = database
        self._platform = platform
        self._chance = random.Random()  # noqa: S311 - which dishes a customer wants is no secret

    async def place(self, deliver_in: timedelta) -> object:
        """Place one that is due after this time."""
        order = sample_order(
            partner=_KITCHEN.code,
            now=self._database.clock.now(),
            chance=self._chance,
            deliver_in=deliver_in,
        )
        return await self._platform.place(order)


class _Clock:
    """The product's clock, moved as `chotdon clock` moves it."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def now(self) -> datetime:
        """Return product time."""
        return self._database.clock.now()

    async def advance(self, by: timedelta) -> None:
        """Move product time on, and fire what became due."""
        await advance(self._database, self._ledger, by)

    async def reset(self) -> None:
        """Go back to real time."""
        await reset(self._database)


# --- the processes ----------------------------------------------------------------------------


def _environment(
    settings: Settings, mailbox: Mailbox, url: str, gateways: Mapping[str, str]
) -> dict[str, str]:
    chosen = {
        "DATABASE_URL": settings.require("database_url"),
        "REDIS_URL": settings.require("redis_url"),
        "SECRET_KEY": settings.require("secret_key"),
        "BASE_URL": url,
        "HOTLINE": "1900 6868",
        "SWEEP_EVERY": "2",
        "LOG_LEVEL": "warning",
        **{name.upper(): value for name, value in gateways.items()},
        "PRICES": json.dumps(_PRICES),
        "SMTP_URL": mailbox.smtp_url,
        "EMAIL_FROM": "Chốt Đơn <chotdon@chotdon.example>",
        "OPERATOR_EMAILS": _OPERATORS,
        "WEBHOOK_ALLOW_PRIVATE": "true",
    }
    return {**os.environ, **{f"{PREFIX}{name}": value for name, value in chosen.items()}}


@asynccontextmanager
async def _processes(environment: Mapping[str, str], port: int) -> AsyncIterator[None]:
    """Run the web process and the worker until the block ends."""
    started: list[asyncio.subprocess.Process] = []
    try:
        for words in (["serve", "--host", _HOST, "--port", str(port)], ["worker"]):
            started.append(await _start(words, environment))  # noqa: PERF401 - what has started must be known
        yield
    finally:
        await _stop(started)


async def _start(words: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "cli.main",
        *words,
        "--member",
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,  # they end when it is closed, however we end
        start_new_session=True,
    )


async def _stop(started: Sequence[asyncio.subprocess.Process]) -> None:
    for process in started:
        with suppress(ProcessLookupError):
            process.terminate()
    for process in started:
        try:
            await asyncio.wait_for(process.wait(), _STOP_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until_ready(url: str, stopped: asyncio.Event) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not (stopped.is_set() or await _is_ready(session, url)):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Misconfigured("The web process did not get ready; its lines above say why.") from None


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _free_port(first: int) -> int:
    """Return this port, or the next one that nobody listens on."""
    for port in range(first, first + 200):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((_HOST, port))
                return port
    raise Misconfigured(f"No free port from {first} on.")
