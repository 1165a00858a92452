"""From a cheap phone to a committed order: the webhooks of the SMS gateways, on a real database."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from yarl import URL

from bot.answering import ANSWERING
from bot.app import open_app
from bot.keys import LEDGER
from bot.registry import open_channels
from core import outbox
from core.actors import Role
from core.channels import ChannelName, Sent
from core.clock import real_now
from core.database import Database, connect
from core.orders.models import OrderRow
from core.orders.order import Order
from core.orders.status import Status
from core.settings import Settings
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio, SmsFake, SmsPhone, Step
from tests.core.kitchens import SilentWake, add_partner, add_person, add_platform, count, place

BINH: Final = "+84909123456"
STRANGER: Final = "+84903000111"
VENDORS: Final = (FakeEsms, FakeSpeedSms, FakeTwilio)
NAMES: Final = ("esms", "speedsms", "twilio")


class Queues(SilentWake):
    """Nobody works here: what is owed stays so."""

    async def is_up(self) -> bool:
        """Say so all the same."""
        return True


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Cơm nhà Lan as its cook Bình reaches it: by SMS only."""

    settings: Settings
    database: Database
    app: web.Application
    fake: SmsFake
    url: str
    session: aiohttp.ClientSession

    @property
    def binh(self) -> SmsPhone:
        """Bình's phone."""
        return self.fake.phone(BINH)

    async def order(self) -> Order:
        """Place an order."""
        order_id = await place(self.database, self.app[LEDGER])
        return (await OrderRow.get(id=order_id)).to_order()

    async def status_of(self, order: Order) -> Status:
        """Return how the order is now."""
        return (await OrderRow.get(id=order.id)).to_order().status

    async def calls(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Call one address; return the status and the body."""
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **more) as answer:
            return answer.status, await answer.text()

    async def sends_what_is_owed(self) -> None:
        """Do by hand what the worker does for the SMS that are owed."""
        channel = open_channels(self.settings, self.database)[ChannelName.SMS]
        answering = self.app[ANSWERING]
        for due in await outbox.route(self.database, answering.ways):
            outgoing = await outbox.claim(self.database, due.id)
            assert outgoing is not None
            card = await answering.composer.card(outgoing)
            assert card is not None
            started = real_now()
            outcome = await channel.send(outgoing.address, card, key=str(outgoing.id))
            attempt = outbox.Attempt(started, real_now() - started, outcome)
            assert isinstance(outcome, Sent)
            await outbox.settle(self.database, answering.ways, outgoing, attempt)
        await channel.close()


@asynccontextmanager
async def opened(database_url: str, fake: SmsFake, **changed: Any) -> AsyncIterator[Kitchen]:
    """Open the web process beside a gateway."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with fake, connect(database_url) as database, aiohttp.ClientSession() as session:
            known = {"secret_key": "a key for the webhooks of SMS", "base_url": url, **fake.settings}
            settings = Settings(_env_file=None, **{**known, **changed})
            async with open_app(settings, database, Queues()) as app:
                runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
                await runner.setup()
                await web.SockSite(runner, listening).start()
                fake.webhook_base = url
                await add_partner(database)
                await add_platform(database, url=None)
                await add_person(database, "Bình", Role.OWNER, phone=BINH)
                try:
                    yield Kitchen(settings, database, app, fake, url, session)
                finally:
                    await runner.cleanup()


@pytest.fixture(params=VENDORS, ids=NAMES)
async def kitchen(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Kitchen]:
    """Yield the kitchen behind each gateway."""
    async with opened(database_url, request.param()) as kitchen:
        yield kitchen


@pytest.fixture
async def by_esms(database_url: str) -> AsyncIterator[Kitchen]:
    """Yield the kitchen behind eSMS."""
    async with opened(database_url, FakeEsms()) as kitchen:
        yield kitchen


def counted(name: str, **labels: str) -> float:
    """Return a counter as it stands."""
    return REGISTRY.get_sample_value(name, {"channel": "sms", **labels}) or 0.0


# --- What people write ----------------------------------------------------------------------------


async def test_a_cook_confirms_from_a_cheap_phone(kitchen: Kitchen) -> None:
    """Committed when the gateway hears 200; a repeat does nothing more."""
    order = await kitchen.order()

    delivery = await kitchen.binh.writes(f"xn {order.code} nhé")
    again = await kitchen.fake.redeliver()

    assert (delivery.status, again.status) == (200, 200)
    assert await kitchen.status_of(order) is Status.CONFIRMED
    assert await count(kitchen.database, "events", "type = 'order.confirmed'") == 1


async def test_the_same_webhook_five_times_at_once_is_one_effect(kitchen: Kitchen) -> None:
    """Gateways hurry too."""
    order = await kitchen.order()
    call = kitchen.fake.inbound_call(kitchen.binh, f"XN {order.code}", kitchen.fake.new_id())

    made = await asyncio.gather(*(kitchen.fake.postman.make(call) for _ in range(5)))

    assert {delivery.status for delivery in made} == {200}
    assert await count(kitchen.database, "events", "type = 'order.confirmed'") == 1


async def test_an_unknown_number_gets_nothing_and_is_counted(kitchen: Kitchen) -> None:
    """Nobody learns from us which codes there are."""
    order, before = await kitchen.order(), counted("chotdon_inbound_total", what="stranger")
    owed = await count(kitchen.database, "notices")
    stranger = kitchen.fake.phone(STRANGER)

    delivery = await stranger.writes(f"XN {order.code}")

    assert delivery.status == 200
    assert stranger.received == []
    assert await kitchen.status_of(order) is Status.PENDING
    assert await count(kitchen.database, "notices") == owed
    assert counted("chotdon_inbound_total", what="stranger") == before + 1


async def test_the_routing_prefix_is_stripped(database_url: str) -> None:
    """And may be missing."""
    async with opened(database_url, FakeEsms(), sms_reply_prefix="CD") as kitchen:
        first, second = await kitchen.order(), await kitchen.order()

        await kitchen.binh.writes(f"CD XN {first.code}")
        await kitchen.binh.writes(f"XN {second.code}")

        assert await kitchen.status_of(first) is Status.CONFIRMED
        assert await kitchen.status_of(second) is Status.CONFIRMED


# --- Answers in the HTTP reply --------------------------------------------------------------------


async def test_esms_takes_the_answer_along(by_esms: Kitchen) -> None:
    """It stands on the phone at once, comes from the short code, and is on record as sent."""
    order = await by_esms.order()

    delivery = await by_esms.binh.writes(f"XN {order.code}")

    [answer] = by_esms.binh.received
    assert order.code in answer.text
    assert (answer.other, answer.parts) == ("8041", 1)
    assert not answer.is_unicode
    root = ET.fromstring(delivery.body)  # noqa: S314  (ours, from loopback)
    assert root.tag == "ClientResponse"
    assert [child.tag for child in root] == ["Message", "Smsid", "Receiver"]
    assert root.findtext("Receiver") == BINH.removeprefix("+")
    told = "notice_id IN (SELECT id FROM notices WHERE kind = 'answer')"
    assert await count(by_esms.database, "messages", f"{told} AND state = 'sent'") == 1


async def test_esms_is_told_the_same_again(by_esms: Kitchen) -> None:
    """When its call is made a second time, because the first answer was lost."""
    order = await by_esms.order()

    first = await by_esms.binh.writes(f"XN {order.code}")
    again = await by_esms.fake.redeliver()

    assert first.body == again.body
    assert await count(by_esms.database, "messages", "state = 'sent'") == 1


async def test_an_answer_that_the_worker_is_at_is_not_told_twice(by_esms: Kitchen) -> None:
    """It took over when the hold was over, and its SMS is under way when eSMS comes again."""
    order = await by_esms.order()
    await by_esms.binh.writes(f"XN {order.code}")
    await by_esms.database.pool.execute(
        "UPDATE messages SET state = 'waiting', next_at = now(), leased_until = now() + interval '1 min'"
    )
    again = await by_esms.fake.redeliver()
    assert ET.fromstring(again.body).findtext("Message") == ""  # noqa: S314  (ours, from loopback)


async def test_an_answer_that_is_not_ready_in_time_leaves_from_the_worker(by_esms: Kitchen) -> None:
    """What was said counts, and eSMS hears so within its three seconds."""
    order = await by_esms.order()
    async with by_esms.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE messages")
        delivery = await by_esms.binh.writes(f"XN {order.code}")
    assert delivery.status == 200
    assert ET.fromstring(delivery.body).findtext("Message") == ""  # noqa: S314  (ours, from loopback)
    assert await by_esms.status_of(order) is Status.CONFIRMED
    assert await count(by_esms.database, "notices", "kind = 'answer' AND state = 'owed'") == 1


async def test_what_a_person_wrote_cannot_break_the_answer(by_esms: Kitchen) -> None:
    """Whatever comes back in it is escaped."""
    order = await by_esms.order()

    delivery = await by_esms.binh.writes(f"huy {order.code} ]]></Message><Smsid>&amp;\x01\ufffe")

    ET.fromstring(delivery.body)  # noqa: S314  (ours, from loopback)
    assert await by_esms.status_of(order) is Status.CANCELLED


async def test_nothing_is_said_where_there_is_nothing_to_say(by_esms: Kitchen) -> None:
    """An empty Message sends nothing."""
    delivery = await by_esms.fake.phone(STRANGER).writes("XN 12345")

    assert ET.fromstring(delivery.body).findtext("Message") == ""  # noqa: S314  (ours, from loopback)


async def test_twilio_hears_an_empty_response(database_url: str) -> None:
    """As XML, or it would complain to its customer; the answer leaves from the worker."""
    async with opened(database_url, FakeTwilio()) as kitchen:
        delivery = await kitchen.binh.writes("TG")

        assert ET.fromstring(delivery.body).tag == "Response"  # noqa: S314  (ours, from loopback)
        assert await count(kitchen.database, "notices", "kind = 'answer' AND state = 'owed'") == 1


# --- Receipts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "told"), [(Step.DELIVERED, "delivered"), (Step.FAILED, "failed")], ids=["d", "f"]
)
async def test_a_report_is_put_on_record(kitchen: Kitchen, step: Step, told: str) -> None:
    """Steps before the end change nothing."""
    await kitchen.order()
    await kitchen.sends_what_is_owed()
    [sms] = kitchen.binh.received

    assert (await kitchen.fake.report(sms.gateway_id, Step.SENT)).status == 200
    assert await count(kitchen.database, "messages", "receipt IS NOT NULL") == 0
    assert (await kitchen.fake.report(sms.gateway_id, step)).status == 200
    assert await count(kitchen.database, "messages", "receipt = $1", told) == 1


async def test_a_report_of_esms_finds_a_message_by_its_request(by_esms: Kitchen) -> None:
    """Also where its SMSID never reached us: the answer to the send was lost."""
    await by_esms.order()
    await by_esms.sends_what_is_owed()
    await by_esms.database.pool.execute("UPDATE messages SET gateway_id = NULL")

    await by_esms.fake.report(by_esms.binh.received[0].gateway_id, Step.DELIVERED)

    assert await count(by_esms.database, "messages", "receipt = 'delivered'") == 1


# --- Who is let in --------------------------------------------------------------------------------


ROUTES: Final = {
    "esms": [("GET", "/webhooks/sms/esms/inbound/{}"), ("GET", "/webhooks/sms/esms/status/{}")],
    "speedsms": [("POST", "/webhooks/sms/speedsms/{}")],
    "twilio": [("POST", "/webhooks/sms/twilio/inbound"), ("POST", "/webhooks/sms/twilio/status")],
}


async def test_only_the_gateway_that_is_set_has_a_door(kitchen: Kitchen) -> None:
    """The others' addresses are nowhere."""
    for name, routes in ROUTES.items():
        for method, path in routes:
            status, _ = await kitchen.calls(method, path.format(kitchen.fake.path_secret))
            assert (status == 404) is (name != kitchen.fake.name), (name, path, status)


@pytest.mark.parametrize("vendor", [FakeEsms, FakeSpeedSms], ids=["esms", "speedsms"])
@pytest.mark.parametrize(
    "secret", ["wrong", "%F0%9F%8D%97", "%00", "a%2Fb", "x" * 4000], ids=["w", "e", "n", "s", "l"]
)
async def test_a_wrong_secret_is_nowhere(
    database_url: str, vendor: Callable[[], SmsFake], secret: str
) -> None:
    """And counted."""
    async with opened(database_url, vendor()) as kitchen:
        before = counted("chotdon_webhook_rejected_total", reason="path")
        for method, path in ROUTES[kitchen.fake.name]:
            status, _ = await kitchen.calls(method, path.format(secret))
            assert status == 404

        routes = len(ROUTES[kitchen.fake.name])
        assert counted("chotdon_webhook_rejected_total", reason="path") == before + routes


async def test_without_the_private_key_nothing_comes_in_by_esms(database_url: str) -> None:
    """What cannot be verified is not taken in; reports are."""
    async with opened(database_url, FakeEsms(), esms_private_key=None) as kitchen:
        assert (await kitchen.binh.writes("XN 12345")).status == 404
        status, _ = await kitchen.calls(
            "GET", f"/webhooks/sms/esms/status/{kitchen.fake.path_secret}?SMSID=1"
        )
        assert status == 200


async def test_a_head_is_no_get(by_esms: Kitchen) -> None:
    """A scanner's HEAD must not confirm an order."""
    order = await by_esms.order()
    call = by_esms.fake.inbound_call(by_esms.binh, f"XN {order.code}", "sms-1")

    for method in ("HEAD", "POST", "PUT", "DELETE"):
        async with by_esms.session.request(method, call.url, params=call.query) as answer:
            assert answer.status == 405
    assert await by_esms.status_of(order) is Status.PENDING


async def test_a_head_is_no_report(by_esms: Kitchen) -> None:
    """Nor does one tell how far a message came."""
    path = f"/webhooks/sms/esms/status/{by_esms.fake.path_secret}"
    for method in ("HEAD", "POST"):
        status, _ = await by_esms.calls(method, f"{path}?SMSID=sms-1&SendStatus=5&SendSuccess=1")
        assert status == 405


async def test_bad_signatures_are_refused_and_ten_of_them_told(database_url: str) -> None:
    """Once; a right one afterwards is let in all the same."""
    async with opened(database_url, FakeTwilio()) as kitchen:
        before = counted("chotdon_webhook_rejected_total", reason="signature")
        form = {"MessageSid": "SM1", "From": BINH, "Body": "XN 12345"}

        for number in range(10):
            headers = {"X-Twilio-Signature": f"{number}"} if number else {}
            status, _ = await kitchen.calls(
                "POST", "/webhooks/sms/twilio/inbound", data=form, headers=headers
            )
            assert status == 401

        assert counted("chotdon_webhook_rejected_total", reason="signature") == before + 10
        assert await count(kitchen.database, "alarms", "name = 'sms: signature'") == 1
        assert (await kitchen.binh.writes("TG")).status == 200


async def test_a_forged_sms_to_the_short_code_is_refused(by_esms: Kitchen) -> None:
    """Also with the right secret in the path."""
    order = await by_esms.order()
    call = by_esms.fake.inbound_call(by_esms.binh, "TG", "sms-1")
    forged = {**call.query, "content": f"XN {order.code}"}

    async with by_esms.session.get(call.url, params=forged) as answer:
        assert answer.status == 401
    assert await by_esms.status_of(order) is Status.PENDING


# --- Trouble and hostility ------------------------------------------------------------------------


async def test_while_the_database_is_stuck_the_gateway_is_asked_to_come_again(kitchen: Kitchen) -> None:
    """Within the time that it waits; the second try then has its effect."""
    order = await kitchen.order()
    call = kitchen.fake.inbound_call(kitchen.binh, f"XN {order.code}", kitchen.fake.new_id())
    async with kitchen.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        stuck = await kitchen.fake.postman.make(call)

    again = await kitchen.fake.postman.make(call)

    assert stuck.status == 503
    assert stuck.seconds < 3.5
    assert again.status == 200
    assert await kitchen.status_of(order) is Status.CONFIRMED


#: Taking anything in takes two seconds.
SLOW: Final = """
CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
CREATE TRIGGER doze BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION doze();
"""


async def test_esms_is_kept_waiting_three_seconds_the_others_half_of_that(kitchen: Kitchen) -> None:
    """Its answer has to be ready with the reply; what was not taken in is none of ours to answer."""
    await kitchen.database.pool.execute(SLOW)

    delivery = await kitchen.binh.writes("DS")

    patient = kitchen.fake.name == "esms"
    assert delivery.status == (200 if patient else 503)
    assert len(kitchen.binh.received) == patient
    assert await count(kitchen.database, "notices", "kind = 'answer'") == patient


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b"\x00\xff",
        b'{"type": "sms"}',
        b'{"type": "sms", "phone": "84909123456", "content": "\\u0000\\u0001XN"}',
        b'{"type": "report", "tranId": "' + b"9" * 200_000 + b'", "status": 0}',
        b'{"type": "report", "tranId": 1, "status": 1e400}',
    ],
    ids=["empty", "null", "deep", "bytes", "half", "control", "huge", "infinite"],
)
async def test_whatever_speedsms_posts_is_answered(database_url: str, body: bytes) -> None:
    """It would only come again."""
    async with opened(database_url, FakeSpeedSms()) as kitchen:
        path = f"/webhooks/sms/speedsms/{kitchen.fake.path_secret}"
        status, answer = await kitchen.calls("POST", path, data=body)

    assert status == 200
    assert "Traceback" not in answer


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?SMSID=%00&SendStatus=5&SendSuccess=1",
        "?SMSID=1&SMSID=2&SendStatus=5",
        f"?RequestId={uuid4().hex}&SendStatus=5&SendSuccess=1&TotalPrice=1e9",
        "?SMSID=%ff%fe&SendStatus=%D9%A5",
        "?" + "a&" * 2000,
        "?SMSID=" + "9" * 5000 + "&SendStatus=4",
    ],
    ids=["nothing", "nul", "twice", "unknown", "bytes", "many", "huge"],
)
async def test_whatever_esms_reports_is_answered(by_esms: Kitchen, query: str) -> None:
    """And changes nothing."""
    status, _ = await by_esms.calls("GET", f"/webhooks/sms/esms/status/{by_esms.fake.path_secret}{query}")

    assert status == 200


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "🍗" * 500, "XN " * 500, "<script>", "%s%n{}", "\u202e48273 NX", "a" * 6000],
    ids=["empty", "space", "nul", "emoji", "many", "markup", "format", "reversed", "long"],
)
async def test_whatever_a_person_writes_is_taken_in(kitchen: Kitchen, text: str) -> None:
    """Nothing of it is an error of ours."""
    assert (await kitchen.binh.writes(text)).status in {200, 400}  # 400: a line that no HTTP server takes
    assert (await kitchen.binh.writes("TG")).status == 200
