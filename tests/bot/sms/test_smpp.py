"""SMPP against a real SMSC (`smpp34`)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import smpp34

from bot.sms.gateway import SmsGateway
from bot.sms.smpp import SmppGateway
from bot.sms.smpp_session import Pace
from core.channels import (
    AddressKind,
    ChannelName,
    Charge,
    Listens,
    NoSuchRecipient,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Said,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from tests.bot.sms.smsc import (
    AGAIN,
    INVALID_DESTINATION,
    INVALID_LENGTH,
    INVALID_SOURCE,
    LAN,
    OK,
    QUEUE_FULL,
    QUICK,
    SHORT,
    SYSTEM_ERROR,
    THROTTLED,
    UNKNOWN_ERROR,
    Ear,
    RealSmsc,
    free_port,
    gateway_at,
    listening,
    sending,
    soon,
)

LONG = "Don 48273 giao 11:30 23/11: " + "20 com ga, " * 35 + "het."  # three parts


@pytest.fixture
async def smsc() -> AsyncIterator[RealSmsc]:
    """An SMSC on this machine."""
    async with RealSmsc() as smsc:
        yield smsc


@pytest.fixture
async def gateway(smsc: RealSmsc) -> AsyncIterator[SmppGateway]:
    """A gateway that would bind there."""
    gateway = gateway_at(smsc.port)
    yield gateway
    await gateway.close()


async def receipt_of(esme: smpp34.Esme, said: bytes) -> int:
    """Send a delivery receipt; return how it was answered."""
    answer = await soon(
        esme.deliver_sm("8041", said, source_addr="84901234567", source_addr_ton=1, esm_class=0x04)
    )
    return answer.command_status


async def text_from_lan(esme: smpp34.Esme, said: bytes, *, coding: int = 0, esm_class: int = 0) -> int:
    """Send what Lan wrote; return how it was answered."""
    answer = await soon(
        esme.deliver_sm(
            "8041",
            said,
            source_addr="84901234567",
            source_addr_ton=1,
            data_coding=coding,
            esm_class=esm_class,
        )
    )
    return answer.command_status


async def test_it_is_a_gateway_that_listens(gateway: SmppGateway) -> None:
    """The channel and the worker take it by its ports."""
    seam: SmsGateway = gateway

    assert seam.name == "smpp"
    assert isinstance(gateway, Listens)
    assert await gateway.ask("4711") is None


async def test_it_binds_when_the_first_message_leaves(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """A web process opens every channel and never sends: it must not take the bind."""
    await asyncio.sleep(0.05)
    assert smsc.bound.empty()

    sent = sending(gateway)

    assert (await smsc.session()).system_id == "kitchen"
    (await smsc.message()).accept("4711")
    assert await soon(sent) == Sent("4711", charge=Charge("smpp", 1))


async def test_one_part_leaves_as_the_smsc_wants_it(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """From our short code to E.164 without its plus, one septet an octet, with a receipt asked for."""
    sent = sending(gateway, "Gia 5$ @quan")

    message = await smsc.message()
    assert (message.source_addr, message.source_addr_ton, message.source_addr_npi) == ("8041", 3, 0)
    assert (message.destination_addr, message.dest_addr_ton, message.dest_addr_npi) == ("84901234567", 1, 1)
    assert (message.esm_class, message.data_coding, message.registered_delivery) == (0, 0, 1)
    assert message.short_message == b"Gia 5\x02 \x00quan"
    message.accept("4711")
    assert isinstance(await soon(sent), Sent)


async def test_a_long_text_leaves_in_parts_that_the_phone_joins(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """Each part says to which message it belongs and which it is; two messages differ in that."""
    headers, said = [], b""
    for name in ("first", "second"):
        sent = sending(gateway, LONG)
        for number in (1, 2, 3):
            message = await smsc.message()
            assert message.esm_class == 0x40
            assert message.tlvs == []
            assert message.short_message[:3] == b"\x05\x00\x03"
            assert message.short_message[4:6] == bytes((3, number))
            assert len(message.short_message) <= 6 + 153
            headers.append(message.short_message[3])
            said += message.short_message[6:]
            message.accept(f"{name}-{number}")
        assert await soon(sent) == Sent(f"{name}-3", charge=Charge("smpp", 3))

    assert said.decode() == 2 * LONG
    assert headers[:3] == 3 * [headers[0]]
    assert headers[3:] == 3 * [(headers[0] + 1) % 256]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        pytest.param(THROTTLED, TryLater("ESME_RTHROTTLED"), id="throttled"),
        pytest.param(QUEUE_FULL, TryLater("ESME_RMSGQFUL"), id="queue-full"),
        pytest.param(SYSTEM_ERROR, TryLater("ESME_RSYSERR"), id="system-error"),
        pytest.param(INVALID_DESTINATION, NoSuchRecipient("ESME_RINVDSTADR"), id="no-such-number"),
        pytest.param(INVALID_LENGTH, Refused("ESME_RINVMSGLEN"), id="too-long"),
        pytest.param(UNKNOWN_ERROR, Refused("ESME_RUNKNOWNERR"), id="unknown"),
    ],
)
async def test_each_status_has_its_meaning(
    smsc: RealSmsc, gateway: SmppGateway, status: int, outcome: Outcome
) -> None:
    """One table says what a refusal means for the message."""
    sent = sending(gateway, LONG)

    (await smsc.message()).reject(status)

    assert await soon(sent) == outcome
    assert smsc.submitted.empty()  # the other parts stay here


async def test_a_refused_sender_is_everybodys_trouble(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The next message would be refused as well: the operators hear of it once."""
    sent = sending(gateway)

    (await smsc.message()).reject(INVALID_SOURCE)

    outcome = await soon(sent)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.alarm) == (Scope.EVERYBODY, "smpp source")


async def test_half_a_message_is_not_sent_again(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The phone may have the first part: nobody knows what its owner reads."""
    sent = sending(gateway, LONG)

    (await smsc.message()).accept("4711")
    (await smsc.message()).reject(THROTTLED)

    outcome = await soon(sent)
    assert isinstance(outcome, Unclear)
    assert outcome.charge == Charge("smpp", 1)


async def test_silence_after_a_message_is_unclear(smsc: RealSmsc) -> None:
    """It may be on its way; only a receipt can tell."""
    gateway = gateway_at(smsc.port, pace=Pace(answer=0.5, rest=0.02))
    sent = sending(gateway)

    message = await smsc.message()

    assert await soon(sent) == Unclear("no answer in time", Charge("smpp", 1))
    message.accept("4711")
    await gateway.close()


async def test_many_messages_at_once_get_their_own_answers(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """Answers come in any order, and no more than ten are waited for at a time."""
    sent = [sending(gateway, f"Don {number}") for number in range(20)]
    messages = [await smsc.message() for _ in range(10)]
    await asyncio.sleep(0.05)
    assert smsc.submitted.empty()

    for message in reversed(messages):
        message.accept("id-" + message.short_message.decode().removeprefix("Don "))
    for _ in range(10):
        message = await smsc.message()
        message.accept("id-" + message.short_message.decode().removeprefix("Don "))

    outcomes = [await soon(one) for one in sent]
    assert outcomes == [Sent(f"id-{number}", charge=Charge("smpp", 1)) for number in range(20)]
    assert smsc.bound.qsize() == 1


async def test_a_message_that_never_left_is_tried_later(smsc: RealSmsc) -> None:
    """Behind ten others that the SMSC leaves unanswered it waits in vain, but nobody has it."""
    gateway = gateway_at(smsc.port, pace=Pace(answer=0.5, rest=0.02))
    sent = [sending(gateway, f"Don {number}") for number in range(11)]
    held = [await smsc.message() for _ in range(10)]

    outcomes = [type(await soon(one)) for one in sent]

    assert outcomes == [*10 * [Unclear], TryLater]
    assert len(held) == 10
    await gateway.close()


async def test_nobody_there_is_tried_later() -> None:
    """A connection that is refused surely delivered nothing."""
    gateway = gateway_at(free_port())

    assert isinstance(await gateway.send(LAN, SHORT, key="2f1c"), TryLater)
    await gateway.close()


async def test_a_letter_outside_the_alphabet_leaves_no_trace(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """It would make the message another one, at more than twice the price."""
    assert isinstance(await gateway.send(LAN, "Đơn", key="2f1c"), Refused)
    assert smsc.bound.empty()


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        pytest.param(b"DELIVRD", ReceiptKind.DELIVERED, id="delivered"),
        pytest.param(b"UNDELIV", ReceiptKind.FAILED, id="failed"),
    ],
)
async def test_a_receipt_tells_of_a_message(
    smsc: RealSmsc, gateway: SmppGateway, state: bytes, kind: ReceiptKind
) -> None:
    """It names the message as the answer to it did."""
    ear = Ear()
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        sent = sending(gateway)
        (await smsc.message()).accept("id-4711")
        assert await soon(sent) == Sent("id-4711", charge=Charge("smpp", 1))

        said = (
            b"id:id-4711 sub:001 dlvrd:001 submit date:2611230912 done date:2611230913 stat:%b err:000 text:"
        )
        assert await receipt_of(esme, said % state) == OK

        assert (await ear.next()).body == Receipt(kind, ids=("id-4711",))


async def test_a_receipt_may_be_faster_than_the_answer(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """It is handed on at once; the outbox looks twice for its message."""
    ear = Ear()
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        sent = sending(gateway)
        message = await smsc.message()

        assert await receipt_of(esme, b"id:id-4711 stat:DELIVRD") == OK
        assert (await ear.next()).body == Receipt(ReceiptKind.DELIVERED, ids=("id-4711",))

        message.accept("id-4711")
        assert await soon(sent) == Sent("id-4711", charge=Charge("smpp", 1))


async def test_a_part_that_failed_fails_the_message(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """Only the last part's id is on record: it stands for all, and is delivered when it is itself."""
    ear = Ear()
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        sent = sending(gateway, LONG)
        for number in (1, 2, 3):
            (await smsc.message()).accept(f"id-{number}")
        await soon(sent)

        await receipt_of(esme, b"id:id-1 stat:DELIVRD")
        await receipt_of(esme, b"id:id-2 stat:UNDELIV")

        assert (await ear.next()).body == Receipt(ReceiptKind.FAILED, ids=("id-3",))


@pytest.mark.parametrize(
    ("said", "coding", "text"),
    [
        pytest.param(b"xn 48273", 0, "xn 48273", id="default-alphabet"),
        pytest.param(b"a\x00b \x1b\x65\x7f", 0, "a@b €à", id="gsm-signs"),
        pytest.param(b"h\xe0 48273", 0, "hà 48273", id="latin-1-called-default"),
        pytest.param(b"h\xe0 48273", 3, "hà 48273", id="latin-1"),
        pytest.param(b"XN 48273", 1, "XN 48273", id="ascii"),
        pytest.param("Xác nhận 48273 👍".encode("utf-16-be"), 8, "Xác nhận 48273 👍", id="ucs-2"),
    ],
)
async def test_what_a_kitchen_writes_is_heard(
    smsc: RealSmsc, gateway: SmppGateway, said: bytes, coding: int, text: str
) -> None:
    """Whatever alphabet its phone chose."""
    ear = Ear()
    async with listening(gateway, ear.hear):
        assert await text_from_lan(await smsc.session(), said, coding=coding) == OK

        inbound = await ear.next()
        assert inbound.channel is ChannelName.SMS
        assert (inbound.sender.kind, inbound.sender.value) == (AddressKind.PHONE, LAN)
        assert inbound.body == Said(text)


async def test_a_long_answer_is_joined(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """Its parts come in any order, and a letter may be cut in two."""
    said = "Huỷ 48273 vì hết cơm gà 👍".encode("utf-16-be")
    ear = Ear()
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        for number, piece in ((2, said[-3:]), (1, said[:-3])):
            header = b"\x06\x08\x04\x12\x34\x02" + bytes((number,))
            assert await text_from_lan(esme, header + piece, coding=8, esm_class=0x40) == OK

        assert (await ear.next()).body == Said("Huỷ 48273 vì hết cơm gà 👍")


async def test_what_could_not_be_taken_in_is_sent_again(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The SMSC keeps it while the database is away; its second try is known as such."""
    ear = Ear(deaf=1)
    async with listening(gateway, ear.hear):
        esme = await smsc.session()

        assert await text_from_lan(esme, b"XN 48273") == AGAIN
        assert await text_from_lan(esme, b"XN 48273") == OK

        first = await ear.next()
        assert [refused.key for refused in ear.refused] == [first.key]


async def test_the_last_part_alone_comes_again(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The others were answered already: they are kept until the message is taken in."""
    ear = Ear(deaf=1)
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        await text_from_lan(esme, b"\x05\x00\x03\x07\x02\x01XN 48", esm_class=0x40)

        assert await text_from_lan(esme, b"\x05\x00\x03\x07\x02\x02273", esm_class=0x40) == AGAIN
        assert await text_from_lan(esme, b"\x05\x00\x03\x07\x02\x02273", esm_class=0x40) == OK

        first = await ear.next()
        assert first.body == Said("XN 48273")
        assert [refused.key for refused in ear.refused] == [first.key]


async def test_who_says_the_same_twice_says_two_things(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The first one was answered: the second is no repeat of the SMSC's."""
    ear = Ear()
    async with listening(gateway, ear.hear):
        esme = await smsc.session()
        await text_from_lan(esme, b"DS")
        await text_from_lan(esme, b"DS")

        keys = {(await ear.next()).key, (await ear.next()).key}
        assert len(keys) == 2
        assert all(key.startswith("sms:smpp:") for key in keys)


async def test_where_nobody_listens_nothing_is_swallowed(smsc: RealSmsc, gateway: SmppGateway) -> None:
    """A process that only sends leaves what comes in to the worker."""
    sent = sending(gateway)
    (await smsc.message()).accept("4711")
    await soon(sent)

    assert await text_from_lan(await smsc.session(), b"XN 48273") == AGAIN


async def test_it_binds_again_by_itself() -> None:
    """An SMSC that was restarted is found again, without anybody doing anything."""
    port = free_port()
    gateway = gateway_at(port, pace=Pace(answer=1.0, silence=0.05, rest=0.02, longest_rest=0.05))
    ear = Ear()
    async with listening(gateway, ear.hear):
        for said in (b"XN 48273", b"HT 48273"):
            async with RealSmsc(port) as smsc:
                assert await text_from_lan(await smsc.session(), said) == OK
                assert (await ear.next()).body == Said(said.decode())
    await gateway.close()


async def test_two_kitchens_worth_of_workers_bind_beside_each_other(smsc: RealSmsc) -> None:
    """Each process has its own bind, and each hears the answers that come over its own."""
    gateways = [gateway_at(smsc.port, pace=QUICK) for _ in range(2)]
    ears = [Ear(), Ear()]
    async with listening(gateways[0], ears[0].hear):
        first = await smsc.session()
        async with listening(gateways[1], ears[1].hear):
            second = await smsc.session()
            assert first.session_id != second.session_id
            await text_from_lan(second, b"XN 48273")
            await text_from_lan(first, b"HT 48273")

            assert (await ears[0].next()).body == Said("HT 48273")
            assert (await ears[1].next()).body == Said("XN 48273")
    for gateway in gateways:
        await gateway.close()
