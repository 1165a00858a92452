"""SMPP against an SMSC that does what a real one should not, and on the wire itself."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bot.sms.smpp import SmppGateway
from bot.sms.smpp_pdu import Party
from bot.sms.smpp_session import Account, Pace
from core.channels import (
    Inbound,
    Receipt,
    ReceiptKind,
    Refused,
    Said,
    Scope,
    TryLater,
    Unclear,
    Unreadable,
)
from tests.bot.sms.smsc import (
    AGAIN,
    BIND,
    DELIVER,
    ENQUIRE,
    NACK,
    NEVER,
    OK,
    QUICK,
    RESPONSE,
    SUBMIT,
    UNBIND,
    Ear,
    ScriptedSmsc,
    Seen,
    Wire,
    gateway_at,
    listening,
    mo,
    pdu,
    sending,
    soon,
    tag,
)

IMPATIENT = Pace(answer=0.3, silence=0.1, rest=0.02, longest_rest=0.05)


@pytest.fixture
async def smsc() -> AsyncIterator[ScriptedSmsc]:
    """An SMSC that does nothing by itself."""
    async with ScriptedSmsc() as smsc:
        yield smsc


@asynccontextmanager
async def gateway_to(smsc: ScriptedSmsc, pace: Pace = QUICK) -> AsyncIterator[SmppGateway]:
    """A gateway that would bind there."""
    gateway = gateway_at(smsc.port, pace=pace)
    try:
        yield gateway
    finally:
        await soon(gateway.close())


async def bound(smsc: ScriptedSmsc) -> Wire:
    """Return the next connection, bound."""
    wire = await smsc.wire()
    await wire.bind()
    return wire


async def test_the_bind_says_who_we_are(smsc: ScriptedSmsc) -> None:
    """As a transceiver of SMPP 3.4, with the name and the password of the setting."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await smsc.wire()
        asked = await wire.bind()
        assert (asked.command, asked.status) == (BIND, 0)
        assert asked.body == b"kitchen\0s@cret\0\0\x34\0\0\0"

        message = await wire.next()
        wire.say(SUBMIT | RESPONSE, sequence=message.sequence, body=b"4711\0")
        assert not isinstance(await soon(sent), TryLater)


@pytest.mark.parametrize("status", [0x0D, 0x0E, 0x0F, 0x53, 0x401], ids=hex)
async def test_a_refused_bind_is_told_to_the_operators(smsc: ScriptedSmsc, status: int) -> None:
    """A wrong password concerns every message; nobody but us can mend it."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        await (await smsc.wire()).bind(status)

        outcome = await soon(sent)
        assert isinstance(outcome, Refused)
        assert (outcome.scope, outcome.alarm) == (Scope.EVERYBODY, "smpp bind")
        assert "CHOTDON_SMPP_URL" in outcome.why
        assert "s@cret" not in outcome.why


@pytest.mark.parametrize("status", [0x05, 0x08, 0x14, 0x58], ids=hex)
async def test_a_bind_that_may_work_later_is_no_alarm(smsc: ScriptedSmsc, status: int) -> None:
    """Our old bind may not have been noticed to be gone."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        await (await smsc.wire()).bind(status)

        assert isinstance(await soon(sent), TryLater)


async def test_a_refused_bind_is_not_asked_for_by_every_message(smsc: ScriptedSmsc) -> None:
    """An account that tries a wrong password a hundred times a second is locked."""
    async with gateway_to(smsc, Pace(answer=20.0, silence=60.0, rest=60.0)) as gateway:
        first = sending(gateway)
        await (await smsc.wire()).bind(0x0E)
        outcome = await soon(first)

        assert [await soon(sending(gateway)) for _ in range(5)] == 5 * [outcome]
        assert smsc.wires.empty()


async def test_an_smsc_that_does_not_answer_a_bind_is_tried_later(smsc: ScriptedSmsc) -> None:
    """Nothing was submitted yet."""
    async with gateway_to(smsc, IMPATIENT) as gateway:
        assert isinstance(await soon(sending(gateway)), TryLater)


async def test_a_host_that_cannot_be_looked_up_is_tried_later() -> None:
    """The name is wrong for good, but nobody is told of it by a stack trace."""
    gateway = SmppGateway(Account("a..b", 2775, "kitchen", "secret"), source=Party("8041"), pace=QUICK)

    assert isinstance(await soon(sending(gateway)), TryLater)
    await gateway.close()


async def test_an_ear_that_takes_too_long_is_told_again(smsc: ScriptedSmsc) -> None:
    """The SMSC would not wait for ever, nor do the texts behind."""

    async def never(_: Inbound) -> None:
        await asyncio.Event().wait()

    async with gateway_to(smsc, Pace(answer=0.3, silence=60.0)) as gateway, listening(gateway, never):
        wire = await bound(smsc)
        wire.say(DELIVER, body=mo(b"XN 48273"))

        assert (await wire.next()).status == AGAIN
        wire.writer.close()


async def test_an_smsc_that_hangs_up_on_a_bind_is_tried_later(smsc: ScriptedSmsc) -> None:
    """So do some when too many are bound."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        (await smsc.wire()).writer.close()

        assert isinstance(await soon(sent), TryLater)


async def test_a_bind_lost_after_a_message_is_unclear(smsc: ScriptedSmsc) -> None:
    """The SMSC may have it; the next message binds anew."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        assert (await wire.next()).command == SUBMIT
        wire.writer.close()
        assert isinstance(await soon(sent), Unclear)

        again = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(SUBMIT | RESPONSE, sequence=message.sequence, body=b"4711\0")
        assert not isinstance(await soon(again), Unclear | TryLater)


async def test_a_status_of_the_vendors_own_is_a_refusal(smsc: ScriptedSmsc) -> None:
    """It is told as a number, and the bind stays."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(SUBMIT | RESPONSE, status=0x411, sequence=message.sequence)
        assert await soon(sent) == Refused("0x00000411")

        again = sending(gateway)
        assert (await wire.next()).command == SUBMIT
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        wire.writer.close()


async def test_an_smsc_that_knows_no_bind_of_ours_gets_another(smsc: ScriptedSmsc) -> None:
    """ESME_RINVBNDSTS: this session is worth nothing any more."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(SUBMIT | RESPONSE, status=0x04, sequence=message.sequence)
        assert await soon(sent) == TryLater("ESME_RINVBNDSTS")

        await wire.ends()


async def test_a_generic_nack_is_an_answer(smsc: ScriptedSmsc) -> None:
    """It refuses the request whose number it has; one for nobody does nothing."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(NACK, status=0x03, sequence=987)
        wire.say(NACK, status=0x03, sequence=message.sequence)

        assert await soon(sent) == Refused("ESME_RINVCMDID")


async def test_an_answer_to_something_else_is_none(smsc: ScriptedSmsc) -> None:
    """Neither the wrong kind with the right number nor a nack without a status is a yes."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(ENQUIRE | RESPONSE, sequence=message.sequence)
        wire.say(NACK, sequence=message.sequence)

        assert isinstance(await soon(sent), Refused)


async def test_closing_unbinds(smsc: ScriptedSmsc) -> None:
    """The SMSC then lets the next process in at once."""
    async with gateway_to(smsc) as gateway:
        sent = sending(gateway)
        wire = await bound(smsc)
        message = await wire.next()
        wire.say(SUBMIT | RESPONSE, sequence=message.sequence, body=b"4711\0")
        await soon(sent)

        closing = asyncio.create_task(gateway.close())
        parting = await wire.next()
        assert parting.command == UNBIND
        wire.say(UNBIND | RESPONSE, sequence=parting.sequence)
        await soon(closing)
        await wire.ends()


async def test_an_smsc_that_unbinds_is_bound_to_again(smsc: ScriptedSmsc) -> None:
    """It is restarted, say; the answer to it leaves before we hang up."""
    async with gateway_to(smsc) as gateway, listening(gateway, Ear().hear):
        wire = await bound(smsc)
        wire.say(UNBIND, sequence=5)
        assert await wire.next() == Seen(UNBIND | RESPONSE, 0, 5, b"")
        await wire.ends()

        (await bound(smsc)).writer.close()


async def test_enquiries_are_answered(smsc: ScriptedSmsc) -> None:
    """Otherwise the SMSC takes us for dead."""
    async with gateway_to(smsc) as gateway, listening(gateway, Ear().hear):
        wire = await bound(smsc)
        wire.say(ENQUIRE, sequence=9)

        assert await wire.next() == Seen(ENQUIRE | RESPONSE, 0, 9, b"")
        wire.writer.close()


async def test_a_silent_smsc_is_asked_and_then_left(smsc: ScriptedSmsc) -> None:
    """A connection can die without anybody being told."""
    async with gateway_to(smsc, IMPATIENT) as gateway, listening(gateway, Ear().hear):
        wire = await bound(smsc)
        enquiry = await wire.next()
        assert enquiry.command == ENQUIRE
        wire.say(ENQUIRE | RESPONSE, sequence=enquiry.sequence)

        assert (await wire.next()).command == ENQUIRE
        await wire.ends()
        (await bound(smsc)).writer.close()


async def test_texts_are_heard_in_their_order(smsc: ScriptedSmsc) -> None:
    """Confirm, then complete: the other way round would be nonsense."""
    heard: list[Inbound] = []

    async def slowly_at_first(inbound: Inbound) -> None:
        await asyncio.sleep(0.05 if inbound.body == Said("XN 48273") else 0)
        heard.append(inbound)

    async with gateway_to(smsc) as gateway, listening(gateway, slowly_at_first):
        wire = await bound(smsc)
        wire.say(DELIVER, sequence=1, body=mo(b"XN 48273"))
        wire.say(DELIVER, sequence=2, body=mo(b"HT 48273"))
        assert [(await wire.next()).sequence for _ in range(2)] == [1, 2]
        wire.writer.close()

    assert [inbound.body for inbound in heard] == [Said("XN 48273"), Said("HT 48273")]


async def test_a_text_in_the_payload_is_heard(smsc: ScriptedSmsc) -> None:
    """Where the SMSC puts it is its own affair."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, body=mo(b"", tags=tag(0x0424, b"XN 48273")))

        assert (await ear.next()).body == Said("XN 48273")
        wire.writer.close()


async def test_a_reference_is_used_again(smsc: ScriptedSmsc) -> None:
    """A message that was taken in leaves nothing to the next one of the same number."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        for said in (b"\x01XN 48", b"\x02273", b"\x01HT 48", b"\x02273"):
            wire.say(DELIVER, body=mo(b"\x05\x00\x03\x07\x02" + said, esm_class=0x40))
            assert (await wire.next()).status == OK
        wire.writer.close()

    assert [(await ear.next()).body for _ in range(2)] == [Said("XN 48273"), Said("HT 48273")]
    assert ear.heard.empty()


async def test_a_text_that_is_sent_again_too_early_is_the_same_one(smsc: ScriptedSmsc) -> None:
    """The SMSC did not wait for our answer."""
    may_go_on = asyncio.Event()
    heard: list[Inbound] = []

    async def slow(inbound: Inbound) -> None:
        await may_go_on.wait()
        heard.append(inbound)

    async with gateway_to(smsc) as gateway, listening(gateway, slow):
        wire = await bound(smsc)
        wire.say(DELIVER, sequence=1, body=mo(b"XN 48273"))
        wire.say(DELIVER, sequence=2, body=mo(b"XN 48273"))
        wire.say(ENQUIRE, sequence=3)
        assert (await wire.next()).sequence == 3  # both are there
        may_go_on.set()
        assert [(await wire.next()).status for _ in range(2)] == [0, 0]
        wire.writer.close()

    assert heard[0].key == heard[1].key


async def test_an_answer_lost_with_the_bind_is_no_second_message(smsc: ScriptedSmsc) -> None:
    """The SMSC sends over the next bind what it was not told of."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, body=mo(b"XN 48273"))
        first = await ear.next()
        wire.writer.close()
        wire = await bound(smsc)
        wire.say(DELIVER, body=mo(b"XN 48273"))

        assert (await ear.next()).key == first.key
        wire.writer.close()


async def test_a_receipt_by_tags_alone_is_one(smsc: ScriptedSmsc) -> None:
    """Some SMSCs write nothing that a person could read; ids come in both number systems."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        tags = tag(0x001E, b"169552957\0") + tag(0x0427, b"\x02")
        wire.say(DELIVER, body=mo(b"", tags=tags))

        body = (await ear.next()).body
        assert isinstance(body, Receipt)
        assert body.kind is ReceiptKind.DELIVERED
        assert {"169552957", "0a1b2c3d", "0A1B2C3D", "a1b2c3d"} <= set(body.ids)
        wire.writer.close()


async def test_nobody_writes_a_receipt_from_a_phone(smsc: ScriptedSmsc) -> None:
    """The words alone are a text like any other: they must not stop the next channel from taking over."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, body=mo(b"id:4711 stat:DELIVRD"))

        assert (await ear.next()).body == Said("id:4711 stat:DELIVRD")
        wire.writer.close()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(mo(b"\0\1\2", coding=4), id="binary"),
        pytest.param(mo(b"XN 48273", coding=0xC0), id="unknown-coding"),
        pytest.param(mo(b"", coding=0), id="empty"),
        pytest.param(mo(b"   "), id="blank"),
        pytest.param(mo(b"\0\0\0\0", coding=8), id="zeros"),
        pytest.param(mo(b"", tags=tag(0x0424, 60_000 * b"x")), id="huge"),
    ],
)
async def test_what_is_no_text_is_said_to_be_unreadable(smsc: ScriptedSmsc, body: bytes) -> None:
    """Its sender is told so, as for a picture."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, body=body)

        assert (await ear.next()).body == Unreadable("sms")
        assert (await wire.next()).status == 0
        wire.writer.close()


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param(b"", NEVER, "smpp_endless_string", id="empty"),
        pytest.param(b"\0\1\1" + 300 * b"9", NEVER, "smpp_endless_string", id="endless"),
        pytest.param(mo(b"XN 48273")[:-3], NEVER, "smpp_too_short", id="cut-short"),
        pytest.param(mo(b"XN", tags=b"\x04\x24\xff\xffXN"), NEVER, "smpp_too_short", id="tag-too-long"),
        pytest.param(mo(b"XN 48273", source=b"VIETTEL", ton=5), OK, "smpp_no_phone", id="name"),
        pytest.param(mo(b"XN 48273", source=b"9029", ton=3), OK, "smpp_no_phone", id="short-code"),
        pytest.param(mo(b"XN 48273", source=b""), OK, "smpp_no_phone", id="nobody"),
        pytest.param(mo(b"XN 48273", source=b"\xff\xfe<script>"), OK, "smpp_no_phone", id="junk-sender"),
        pytest.param(
            mo(b"\x05\x00\x03\x01\xff\x01XN", esm_class=0x40), OK, "smpp_too_many_parts", id="255-parts"
        ),
    ],
)
async def test_what_cannot_be_ours_is_counted_and_answered(
    smsc: ScriptedSmsc, body: bytes, status: int, reason: str
) -> None:
    """It is heard of by nobody, and the bind goes on."""
    ear = Ear()
    labels = {"channel": "sms", "reason": reason}
    before = REGISTRY.get_sample_value("chotdon_webhook_rejected_total", labels) or 0.0
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, sequence=1, body=body)
        answer = await wire.next()
        assert (answer.command, answer.status, answer.sequence) == (DELIVER | RESPONSE, status, 1)

        wire.say(DELIVER, sequence=2, body=mo(b"XN 48273"))
        assert (await ear.next()).body == Said("XN 48273")
        wire.writer.close()

    assert ear.heard.empty()
    assert REGISTRY.get_sample_value("chotdon_webhook_rejected_total", labels) == before + 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(mo(b"\x05", esm_class=0x40), id="header-of-nothing"),
        pytest.param(mo(b"\x05\x00\x03", esm_class=0x40), id="half-a-header"),
        pytest.param(mo(b"\xff\x00\x03\x01", esm_class=0x40), id="header-beyond-the-end"),
        pytest.param(mo(b"\x05\x00\x03\x01\x00\x00XN", esm_class=0x40), id="part-0-of-0"),
        pytest.param(mo(b"\x05\x00\x03\x01\x02\x09XN", esm_class=0x40), id="part-9-of-2"),
        pytest.param(mo(b"XN", tags=tag(0x020C, b"") + tag(0x020E, b"") + tag(0x020F, b"")), id="empty-sar"),
        pytest.param(mo(b"id:", esm_class=0x04), id="receipt-of-nothing"),
        pytest.param(mo(b"id:\xff stat:\xff sub:xyz", esm_class=0x04), id="receipt-of-junk"),
        pytest.param(mo(b"id:4711 stat:ENROUTE", esm_class=0x04), id="receipt-of-a-way-station"),
        pytest.param(mo(b"\xd8\x3d", coding=8), id="half-a-letter"),
        pytest.param(mo(b"\x1b", coding=0), id="half-an-escape"),
        pytest.param(mo(b"XN\0") + b"\0\0\0", id="padding"),
    ],
)
async def test_what_is_odd_harms_nobody(smsc: ScriptedSmsc, body: bytes) -> None:
    """It is taken in, whatever it is, and the bind goes on."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        wire.say(DELIVER, sequence=1, body=body)
        assert (await wire.next()).status == 0

        wire.say(DELIVER, sequence=2, body=mo(b"XN 48273"))
        assert (await wire.next()).status == 0
        wire.writer.close()


async def test_a_command_that_is_not_known_is_refused(smsc: ScriptedSmsc) -> None:
    """And one that wants no answer gets none."""
    async with gateway_to(smsc) as gateway, listening(gateway, Ear().hear):
        wire = await bound(smsc)
        wire.say(0x00000102, sequence=6, body=b"junk")  # alert_notification
        wire.say(0x00000777, sequence=7, body=b"junk")

        assert await wire.next() == Seen(NACK, 0x03, 7, b"")
        wire.writer.close()


@pytest.mark.parametrize("length", [0, 15, 0x7FFFFFFF, 0xFFFFFFFF], ids=hex)
async def test_a_length_that_no_pdu_has_ends_the_bind(smsc: ScriptedSmsc, length: int) -> None:
    """Nothing after it can be read; the next bind begins anew."""
    async with gateway_to(smsc) as gateway, listening(gateway, Ear().hear):
        wire = await bound(smsc)
        wire.writer.write(struct.pack("!IIII", length, DELIVER, 0, 1))
        await wire.ends()

        (await bound(smsc)).writer.close()


async def test_a_pdu_in_single_octets_is_read(smsc: ScriptedSmsc) -> None:
    """A network cuts where it likes."""
    ear = Ear()
    async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
        wire = await bound(smsc)
        for octet in pdu(DELIVER, body=mo(b"XN 48273")):
            wire.writer.write(bytes((octet,)))
            await wire.writer.drain()

        assert (await ear.next()).body == Said("XN 48273")
        wire.writer.close()


async def test_more_at_once_than_can_be_heard_comes_again(smsc: ScriptedSmsc) -> None:
    """What nobody has read is left with the SMSC."""
    may_go_on = asyncio.Event()

    async def slow(_: Inbound) -> None:
        await may_go_on.wait()

    async with gateway_to(smsc) as gateway, listening(gateway, slow):
        wire = await bound(smsc)
        for number in range(101):
            wire.say(DELIVER, sequence=number + 1, body=mo(b"DS %d" % number))
        assert await wire.next() == Seen(DELIVER | RESPONSE, AGAIN, 101, b"\0")

        may_go_on.set()
        assert {(await wire.next()).status for _ in range(100)} == {0}
        wire.writer.close()


async def test_nobodys_number_is_in_a_log(
    smsc: ScriptedSmsc, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither ours, the library's nor asyncio's; and no stack trace."""
    caplog.set_level(logging.DEBUG)
    ear = Ear(deaf=1)
    with capture_logs() as logs:
        async with gateway_to(smsc) as gateway, listening(gateway, ear.hear):
            wire = await bound(smsc)
            for number, body in enumerate((mo(b"XN 48273"), mo(b"XN 48273")[:-2], mo(b"HT 48273"))):
                wire.say(DELIVER, sequence=number + 1, body=body)
                await wire.next()
            sent = sending(gateway)
            message = await wire.next()
            wire.say(SUBMIT | RESPONSE, status=0x0B, sequence=message.sequence)
            await soon(sent)
            wire.writer.close()
            (await bound(smsc)).writer.close()
    printed = capfd.readouterr()

    told = str(logs) + caplog.text + printed.out + printed.err
    assert "sms not taken in" in told
    for private in ("901234567", "48273", "s@cret", "Traceback"):
        assert private not in told
