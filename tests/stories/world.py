"""A whole Chốt Đơn with the people around it: phones, mailboxes, platforms, a clock moved by hand.

Everything travels as it really does: signed webhooks in, the fakes' HTTP and SMTP out. Whoever gets a
message that the story did not expect fails the story.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.app import open_app
from cli.clock import advance
from core import product_clock
from core.actors import Role, operator
from core.channels import ChannelName
from core.clock import real_now
from core.database import Database, connect
from core.ledger import Ledger
from core.orders.answers import Answer
from core.orders.commands import Command
from core.orders.order import OrderId
from core.partners import linking, partners, staff
from core.platforms import platforms
from core.settings import Settings
from jobs.queues import Jobs, open_redis
from jobs.wake import RedisWake
from jobs.worker import Service, open_service, run_until
from sandbox.mailbox import Mail, Mailbox
from sandbox.platform import FakePlatform
from sandbox.sms import Delivery as SmsDelivery
from sandbox.sms import Sms, SmsFake, SmsPhone
from sandbox.telegram import Chat, FakeTelegram, Message, Tap, TelegramGroup, TelegramPerson
from sandbox.zalo import Bubble, Delivery, FakeZalo, Person

VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
#: When every story begins: a Friday, four days before the example of product.md, and far enough from now.
START: Final = datetime(2033, 5, 20, 9, 12, tzinfo=VIETNAM)
OPERATORS: Final = "truc-ca@chotdon.example"
_QUIET_WITHIN: Final = 60.0


@dataclass(slots=True)
class Phone:
    """A phone with Zalo on it."""

    person: Person
    world: "World"

    async def taps(self, label: str, *, on: Bubble | None = None) -> Delivery:
        """Tap a button, by default the newest with this label; return once everything has settled."""
        delivery = await self.person.tap(label, on=on)
        assert delivery.status == 200, delivery
        await self.world.settles()
        return delivery

    async def says(self, text: str) -> None:
        """Write to the Official Account, and wait until everything has settled."""
        delivery = await self.person.say(text)
        assert delivery.status == 200, delivery
        await self.world.settles()

    async def sees(self, *texts: str) -> Bubble:
        """Read the oldest unread message that contains the first text; the others must stand in it too."""
        bubble = await self.person.sees(texts[0], within=0.2)
        missing = [text for text in texts if text not in bubble.text]
        assert not missing, f"{missing} not in:\n{bubble.text}"
        return bubble

    def buttons(self, bubble: Bubble) -> list[str]:
        """Return the labels under a message."""
        return [button.title for button in bubble.buttons]


@dataclass(slots=True)
class TextPhone:
    """A cheap phone: it can do SMS."""

    phone: SmsPhone
    world: "World"

    async def writes(self, text: str) -> SmsDelivery:
        """Text the number that partners text to; return once everything has settled."""
        delivery = await self.phone.writes(text)
        assert delivery.accepted, delivery
        await self.world.settles()
        return delivery

    async def sees(self, *texts: str) -> Sms:
        """Read the oldest unread SMS that contains the first text; the others must stand in it too."""
        sms = await self.phone.sees(texts[0], within=0.2)
        missing = [text for text in texts if text not in sms.text]
        assert not missing, f"{missing} not in:\n{sms.text}"
        return sms


@dataclass(slots=True)
class TelegramPhone:
    """A phone with Telegram on it."""

    person: TelegramPerson
    world: "World"

    async def taps(self, label: str, *, on: Message | None = None, where: Chat | None = None) -> Tap:
        """Press a button, by default the newest with this label; return once everything has settled.

        No button may go on spinning.
        """
        tap = await self.person.taps(label, on=on, where=where)
        assert tap.status == 200, tap
        await self.world.settles()
        await tap.stops()
        return tap

    async def says(self, text: str, *, where: Chat | None = None) -> None:
        """Write to the bot, or in a group, and wait until everything has settled."""
        delivery = await self.person.says(text, where=where)
        assert delivery, f"the bot is not shown {text!r}"
        assert delivery.status == 200, delivery
        await self.world.settles()

    async def starts(self, code: str = "") -> None:
        """Press start, by a deep link where there is a code, and wait until everything has settled."""
        delivery = await self.person.starts(code)
        assert delivery.status == 200, delivery
        await self.world.settles()

    async def sees(self, *texts: str) -> Message:
        """Read the oldest unread message that contains the first text; the others must stand in it too."""
        message = await self.person.sees(texts[0], within=0.2)
        missing = [text for text in texts if text not in message.text]
        assert not missing, f"{missing} not in:\n{message.text}"
        return message

    def now(self, message: Message) -> Message:
        """Return a message as it is now."""
        return self.person.now(message)


@dataclass(slots=True)
class Inbox:
    """Somebody's mailbox."""

    address: str
    mailbox: Mailbox
    read: set[str] = field(default_factory=set)

    @property
    def unread(self) -> list[Mail]:
        """The mails nobody has opened yet, oldest first."""
        return [mail for mail in self.mailbox.inbox(self.address) if mail.mail_id not in self.read]

    def gets(self, *texts: str) -> Mail:
        """Open the oldest unread mail whose subject or text contains all of these."""
        for mail in self.unread:
            if all(text in f"{mail.subject}\n{mail.text}" for text in texts):
                self.read.add(mail.mail_id)
                return mail
        raise AssertionError(f"no mail with {texts}; unread: {[mail.subject for mail in self.unread]}")

    def opens_all(self) -> list[Mail]:
        """Open whatever is unread."""
        mails = self.unread
        self.read |= {mail.mail_id for mail in mails}
        return mails


@dataclass(frozen=True, slots=True)
class News:
    """What somebody had not read yet: the first line of each chat message, the subject of each mail."""

    chat: tuple[str, ...] = ()
    mail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Somebody:
    """A staff member with a phone and a mailbox."""

    name: str
    staff_id: UUID
    phone: Phone
    mail: Inbox
    number: str | None = None
    chat: TelegramPhone | None = None

    @property
    def telegram(self) -> TelegramPhone:
        """The phone's Telegram, in a world that has that channel."""
        assert self.chat, f"{self.name} has no Telegram"
        return self.chat

    @property
    def texts(self) -> TextPhone:
        """The phone's SMS side, in a world that has an SMS gateway."""
        assert self.number, f"{self.name} has no phone number"
        return self.phone.world.text_phone(self.number)

    def catches_up(self) -> News:
        """Read everything, and tell in one line each what it was about."""
        chats = self.phone.person.reads_all()
        mails = self.mail.opens_all()
        return News(
            tuple(bubble.text.partition("\n")[0] for bubble in chats), tuple(mail.subject for mail in mails)
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as the platform that placed it knows it."""

    platform: FakePlatform
    id: str
    code: str
    body: Mapping[str, Any]

    @property
    def order_id(self) -> OrderId:
        """The id, as commands take it."""
        return OrderId(UUID(self.id))

    @property
    def deliver_at(self) -> datetime:
        """When it was to be delivered as it was placed."""
        return datetime.fromisoformat(self.body["deliver_at"])

    async def shown(self) -> dict[str, Any]:
        """Return the order as the API shows it now."""
        answer = await self.platform.show(self.id)
        assert answer.status == 200, answer
        return answer.body

    def heard(self, event: str, *, times: int = 1, by: FakePlatform | None = None) -> dict[str, Any]:
        """Check how often a platform (the order's own by default) was told this; return the last body."""
        attempts = (by or self.platform).heard(event, self.id)
        assert len(attempts) == times, [attempt.type for attempt in (by or self.platform).heard("", self.id)]
        return dict(json.loads(attempts[-1].body)) if attempts else {}


@dataclass(slots=True)
class World:
    """The service and everybody around it."""

    settings: Settings
    database: Database
    ledger: Ledger
    service: Service
    zalo: FakeZalo
    mailbox: Mailbox
    url: str
    sms: SmsFake | None = None
    bot: FakeTelegram | None = None
    platforms: dict[str, FakePlatform] = field(default_factory=dict)
    people: dict[str, Somebody] = field(default_factory=dict)
    inboxes: dict[str, Inbox] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    placed: int = 0

    @property
    def now(self) -> datetime:
        """Product time, in Vietnam."""
        return self.database.clock.now().astimezone(VIETNAM)

    @property
    def operators(self) -> Inbox:
        """The operators' mailbox."""
        return self.inbox(OPERATORS)

    def inbox(self, address: str) -> Inbox:
        """Return a mailbox, the same one each time."""
        return self.inboxes.setdefault(address, Inbox(address, self.mailbox))

    def text_phone(self, number: str) -> TextPhone:
        """Return the phone of this number (E.164)."""
        assert self.sms, "this world has no SMS gateway"
        return TextPhone(self.sms.phone(number), self)

    async def platform(self, name: str = "Cơm Ngon", **options: Any) -> FakePlatform:
        """Add a platform that is told of everything."""
        platform = await self.stack.enter_async_context(FakePlatform(name, clock=self.database.clock.now))
        keys = await platforms.add(
            name, now=self.now, webhook_url=platform.webhook_url, allow_private=True, **options
        )
        platform.connect(api_url=self.url, api_key=keys.api_key, webhook_secret=keys.webhook_secret)
        self.platforms[name] = platform
        return platform

    async def kitchen(
        self,
        code: str = "com-nha-lan",
        *,
        owner: str = "Lan",
        locale: str = "vi",
        timezone: str = "Asia/Ho_Chi_Minh",
        email: str | None = "lan@example.com",
        phone: str | None = None,
        zalo: bool = True,
        telegram: bool = False,
        sheet: bool = False,
    ) -> Somebody:
        """Add a kitchen whose owner has linked her Zalo, or her Telegram; return the owner. `phone` is E.164.

        Only with `sheet` it gets its morning sheet: most stories are about something else.
        """
        new = partners.NewPartner(
            code, f"Bếp {owner}", locale, timezone, owner=owner, email=email, phone=phone
        )
        _, member = await partners.add(self.database, new)
        if not sheet:
            await partners.change(self.database, code, partners.PartnerChange(sheet_at=partners.NONE))
        return await self._equip(owner, member.id, email, phone, zalo=zalo, telegram=telegram)

    async def hires(
        self,
        name: str,
        role: str,
        *,
        kitchen: str = "com-nha-lan",
        email: str | None = None,
        phone: str | None = None,
        notify: bool = False,
        zalo: bool = True,
        telegram: bool = False,
    ) -> Somebody:
        """Add a staff member, by default with a linked Zalo."""
        partner = await partners.by_code(self.database.pool, kitchen)
        new = staff.new_member(name, role=Role(role), email=email, phone=phone, notify=notify)
        member = await staff.add(self.database, partner.id, new)
        return await self._equip(name, member.id, email, phone, zalo=zalo, telegram=telegram)

    async def fires(self, name: str, *, kitchen: str = "com-nha-lan") -> None:
        """Let a staff member go."""
        partner = await partners.by_code(self.database.pool, kitchen)
        await staff.remove(self.database, partner.id, name)

    async def _equip(
        self,
        name: str,
        staff_id: UUID,
        email: str | None,
        number: str | None,
        *,
        zalo: bool = True,
        telegram: bool = False,
    ) -> Somebody:
        person = self.zalo.person(str(4_000_000_000_000_000_000 + len(self.zalo.people)), name)
        phone = Phone(person, self)
        if zalo:
            await self.link(phone, staff_id)
        inbox = self.inbox(email or f"{name}@nowhere.example")
        chat = self.telegram_phone(name, number) if self.bot else None
        if telegram and chat:
            await self.link_telegram(chat, staff_id)
        somebody = Somebody(name, staff_id, phone, inbox, number, chat)
        self.people[name] = somebody
        return somebody

    def telegram_phone(self, name: str, number: str | None = None) -> TelegramPhone:
        """Return a new phone with Telegram, which has not started the bot. `number` is E.164."""
        assert self.bot, "this world has no Telegram"
        return TelegramPhone(self.bot.person(name, phone=(number or "").removeprefix("+")), self)

    async def code_for(self, staff_id: UUID, channel: ChannelName = ChannelName.TELEGRAM) -> str:
        """Return a new link code for a staff member, digits alone."""
        key = linking.code_key(self.settings.require("secret_key"))
        return (await linking.create_code(self.database, staff_id, channel, key=key)).code

    async def link_telegram(self, phone: TelegramPhone, staff_id: UUID) -> None:
        """Link this phone's Telegram to a staff member by the deep link, as everybody does."""
        await phone.starts(await self.code_for(staff_id))
        phone.person.reads_all()

    async def group(self, title: str, by: Somebody, *others: Somebody) -> TelegramGroup:
        """Make a group of these people and link it to the kitchen, by the deep link of the first."""
        assert self.bot, "this world has no Telegram"
        people = [one.telegram.person for one in (by, *others)]
        group = self.bot.group(title, *people)
        await group.adds_bot(people[0], code=await self.code_for(by.staff_id))
        await self.settles()
        group.reads_all()
        return group

    async def link(self, phone: Phone, staff_id: UUID) -> None:
        """Link this phone's Zalo to a staff member by a code, as everybody does."""
        key = linking.code_key(self.settings.require("secret_key"))
        code = await linking.create_code(self.database, staff_id, ChannelName.ZALO, key=key)
        await phone.says(code.text)
        phone.person.reads_all()

    async def order(
        self,
        *,
        platform: FakePlatform | None = None,
        deliver_in: timedelta = timedelta(hours=6),
        **parts: Any,
    ) -> Placed:
        """Let a platform (the first by default) place an order, and wait until everybody was told."""
        platform = platform or next(iter(self.platforms.values()))
        body = self.body(deliver_in=deliver_in, **parts)
        answer = await platform.place(body)
        assert answer.status == 201, answer
        await self.settles()
        return Placed(platform, answer.body["id"], answer.body["code"], answer.body)

    def body(self, *, deliver_in: timedelta = timedelta(hours=6), **parts: Any) -> dict[str, Any]:
        """Return one more order as a platform would send it: 20 portions of chicken rice."""
        self.placed += 1
        return {
            "external_id": f"PX-{self.placed}",
            "partner": "com-nha-lan",
            "deliver_at": (self.now + deliver_in).isoformat(),
            "customer": {
                "name": "Công ty ABC",
                "phone": "0909123456",
                "email": "an@example.com",
                "locale": "vi",
            },
            "address": "12 Lê Lợi, Quận 1, TP.HCM",
            "note": "Giao cổng sau",
            "items": [{"name": "Cơm gà", "quantity": 20, "unit_price": 45_000}],
            "total": 900_000,
            "currency": "VND",
        } | parts

    async def passes(self, by: timedelta) -> None:
        """Let product time pass in one leap, and wait until everything that became due has settled."""
        await advance(self.database, self.ledger, by)
        await self.service.sweeper.sweep()
        await self.settles()

    async def passes_until(self, moment: datetime) -> None:
        """Let product time pass until just after a moment."""
        await self.passes(moment - self.now + timedelta(seconds=1))

    async def operator(self, command: Command, *, name: str = "Hà") -> Answer:
        """Let an operator give a command, and wait until everybody was told."""
        answer = await self.ledger.submit(command, actor=operator(name))
        await self.settles()
        return answer

    def everybody_catches_up(self) -> None:
        """Let everybody read what they have; the story is about what comes after."""
        for person in self.zalo.people.values():
            person.reads_all()
        for phone in self._text_phones():
            phone.reads_all()
        for chat in self._telegram_chats():
            chat.reads_all()
        for address in self.mailbox.addresses:
            self.inbox(address).opens_all()

    def _text_phones(self) -> list[SmsPhone]:
        return list(self.sms.phones.values()) if self.sms else []

    def _telegram_chats(self) -> list[Chat]:
        return self.bot.chats if self.bot else []

    async def settles(self) -> None:
        """Wait until nothing is owed that could leave now."""
        async with asyncio.timeout(_QUIET_WITHIN):
            while await self._is_busy():  # noqa: ASYNC110 - the database tells nobody when it is idle
                await asyncio.sleep(0.02)

    async def _is_busy(self) -> bool:
        # What became due since this moment was read is due too.
        soon = self.database.clock.now() + timedelta(milliseconds=500)
        return bool(await self.database.pool.fetchval(_BUSY, soon, real_now()))

    def nobody_got_more(self) -> None:
        """Fail when somebody got a message or a mail that the story did not expect."""
        chats = {
            person.name: [bubble.text for bubble in person.unread]
            for person in self.zalo.people.values()
            if person.unread
        }
        mails = {
            address: [mail.subject for mail in self.inbox(address).unread]
            for address in self.mailbox.addresses
            if self.inbox(address).unread
        }
        texts = {
            phone.number: [sms.text for sms in phone.unread] for phone in self._text_phones() if phone.unread
        }
        telegrams = {
            chat.title: [message.text for message in chat.unread]
            for chat in self._telegram_chats()
            if chat.unread
        }
        assert not texts, f"unexpected SMS: {texts}"
        assert not telegrams, f"unexpected messages on Telegram: {telegrams}"
        assert not chats, f"unexpected messages: {chats}"
        assert not mails, f"unexpected mails: {mails}"


_BUSY: Final = """
SELECT EXISTS (SELECT 1 FROM notices WHERE state = 'owed')
    OR EXISTS (SELECT 1 FROM messages WHERE state IN ('waiting', 'unclear') AND next_at <= $1)
    OR EXISTS (SELECT 1 FROM messages WHERE leased_until > $2)
    OR EXISTS (SELECT 1 FROM webhooks w JOIN platforms p ON p.id = w.platform_id
               WHERE w.state = 'waiting' AND w.next_at <= $1
                   AND p.disabled_at IS NULL AND p.webhook_url IS NOT NULL)
    OR EXISTS (SELECT 1 FROM webhooks WHERE state = 'waiting' AND leased_until > $2)
"""


@asynccontextmanager
async def open_world(
    database_url: str,
    redis_url: str,
    *,
    gateway: type[SmsFake] | None = None,
    telegram: bool = False,
    **changed: Any,
) -> AsyncIterator[World]:
    """Open the service with its fakes until the block ends.

    `gateway` carries SMS; without one that channel is off, as Telegram is unless `telegram`. `changed` are
    other settings.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(database_url))
        await product_clock.advance(database, START - real_now())
        clock = database.clock.now
        zalo = await stack.enter_async_context(FakeZalo(clock=clock))
        mailbox = await stack.enter_async_context(Mailbox(clock=clock))
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        known = {"database_url": database_url, "redis_url": redis_url, "base_url": url}
        sms = await stack.enter_async_context(gateway(clock=clock)) if gateway else None
        bot = await stack.enter_async_context(FakeTelegram(clock=clock, limited=False)) if telegram else None
        chats = (dict(sms.settings) if sms else {}) | (bot.settings() if bot else {})
        settings = Settings(**(known | _gateways(zalo, mailbox) | chats | changed))
        redis = open_redis(redis_url)
        stack.push_async_callback(redis.aclose)
        app = await stack.enter_async_context(open_app(settings, database, RedisWake(Jobs(redis))))
        await stack.enter_async_context(_serving(app, listening))
        service = await stack.enter_async_context(open_service(settings, database))
        await stack.enter_async_context(_working(settings, service))
        zalo.webhook_url = f"{url}/webhooks/zalo"
        if sms:
            sms.webhook_base = url
        if bot:
            bot.webhook_url = f"{url}/webhooks/telegram"
        world = World(settings, database, service.ledger, service, zalo, mailbox, url, sms, bot)
        await stack.enter_async_context(world.stack)
        yield world


def _gateways(zalo: FakeZalo, mailbox: Mailbox) -> dict[str, Any]:
    return {
        **zalo.settings(),
        "secret_key": "a key for stories, as long as it should be",
        "smtp_url": mailbox.smtp_url,
        "email_from": "Chốt Đơn <chotdon@chotdon.example>",
        "operator_emails": OPERATORS,
        "operator_gather": timedelta(),  # most stories are about one alarm, and when it comes
        "hotline": "1900 6868",
        "webhook_allow_private": True,
        "sweep_every": timedelta(seconds=1),
        "gateway_rest": timedelta(milliseconds=1),
    }


@asynccontextmanager
async def _serving(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _working(settings: Settings, service: Service) -> AsyncIterator[None]:
    stopped = asyncio.Event()
    running = asyncio.create_task(run_until(stopped, settings, service))
    try:
        yield
    finally:
        stopped.set()
        await running
