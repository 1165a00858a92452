"""What every channel promises to whoever sends through it (`core.channels.Channel`)."""

import asyncio
import time
from typing import Final

import pytest

from bot.registry import CHANNELS
from bot.sms.gateways import GATEWAYS as SMS_GATEWAYS
from bot.texts.plain import unaccented
from core.channels import (
    ADDRESS_KINDS,
    CHANGEABLE,
    Address,
    AddressKind,
    Badge,
    Block,
    BlockRole,
    Button,
    ButtonStyle,
    Card,
    Channel,
    ChannelName,
    Edits,
    NoSuchRecipient,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from tests.contract.gateways import GATEWAYS, KIND, Gateway

ORDER: Final = "01234567-89ab-cdef-0123-456789abcdef"
KEY: Final = "0199a000-0000-7000-8000-0000000000a1"
#: A gateway may take 5 s (interface.md), and a channel a second more to say so.
WITHIN: Final = 6.0

CARD: Final = Card(
    KIND,
    "vi",
    "Đơn mới 48273",
    "Đơn mới 48273: 20 × Cơm gà.",
    badge=Badge("pending", "Chờ xác nhận", "48273"),
    blocks=(Block(BlockRole.DISHES, ("20 × Cơm gà",)),),
    buttons=(Button("Xác nhận đơn hàng", payload="abc", url="https://chotdon.example/o/abc"),),
    template={"order_code": "48273", "summary": "20 × Cơm gà"},
    thread=ORDER,
)
SAMPLES: Final = {
    AddressKind.ZALO_USER: "4000000000000000001",
    AddressKind.PHONE: "+84909123456",
    AddressKind.TELEGRAM_CHAT: "42",
    AddressKind.EMAIL: "lan@example.com",
}


def test_every_channel_has_a_gateway_here() -> None:
    """A new channel, or a new SMS gateway, keeps these promises too."""
    assert {channel for channel, _ in GATEWAYS.values()} == set(CHANNELS)
    assert set(SMS_GATEWAYS) <= set(GATEWAYS)


async def test_an_accepted_card_is_sent_and_has_the_gateways_name(channel: Channel, gateway: Gateway) -> None:
    """The card's words reach the person, and the outcome says by which id."""
    outcome = await channel.send(gateway.lan, CARD, key=KEY)

    assert isinstance(outcome, Sent), outcome
    assert outcome.id
    assert len(gateway.taken()) == 1
    assert "Com ga" in unaccented(gateway.taken()[0])


async def test_who_can_change_a_sent_card_is_known_to_the_core(channel: Channel, gateway: Gateway) -> None:
    """Cards are kept true on exactly the channels that can change them."""
    assert isinstance(channel, Edits) is (channel.name in CHANGEABLE)


async def test_a_refused_connection_is_for_later(channel: Channel, gateway: Gateway) -> None:
    """Nothing left this machine, so the same call may be made again."""
    await gateway.refuse()

    assert isinstance(await channel.send(gateway.lan, CARD, key=KEY), TryLater)
    assert gateway.taken() == []


async def test_a_connection_lost_between_two_cards_is_for_later_or_made_anew(
    channel: Channel, gateway: Gateway
) -> None:
    """A connection kept from the card before proves nothing about the gateway now."""
    await channel.send(gateway.lan, CARD, key=KEY)
    await gateway.refuse()

    assert isinstance(await channel.send(gateway.lan, CARD, key=KEY), TryLater)
    assert len(gateway.taken()) == 1


async def test_a_failing_gateway_is_for_later(channel: Channel, gateway: Gateway) -> None:
    """It said that it did nothing."""
    gateway.fail()

    assert isinstance(await channel.send(gateway.lan, CARD, key=KEY), TryLater)
    assert gateway.taken() == []


async def test_silence_is_unclear_and_bounded(channel: Channel, gateway: Gateway) -> None:
    """It may have been delivered; nobody waits longer than a gateway's timeout and a second to be told so."""
    gateway.hang(30)

    started = time.monotonic()
    outcome = await channel.send(gateway.lan, CARD, key=KEY)

    assert isinstance(outcome, Unclear), outcome
    assert time.monotonic() - started < WITHIN


async def test_silence_for_one_holds_nobody_else_up(channel: Channel, gateway: Gateway) -> None:
    """While one call hangs, the next goes through."""
    gateway.hang(30)
    hanging = asyncio.create_task(channel.send(gateway.lan, CARD, key=KEY))
    await asyncio.sleep(0.3)

    async with asyncio.timeout(2):
        assert isinstance(await channel.send(gateway.lan, CARD, key=KEY), Sent)
    assert not hanging.done()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


async def test_an_address_that_leads_to_nobody_is_told_as_such(channel: Channel, gateway: Gateway) -> None:
    """The next channel takes over at once."""
    assert isinstance(await channel.send(gateway.nobody, CARD, key=KEY), NoSuchRecipient)
    assert gateway.taken() == []


async def test_every_attempt_has_the_same_name(channel: Channel, gateway: Gateway) -> None:
    """A gateway that can tell a repeat is given what it tells it by, and another message another one."""
    if not gateway.knows_repeats:
        pytest.skip("this gateway cannot be told which messages are the same")
    for key in (KEY, KEY, KEY.replace("a1", "a2")):
        outcome = await channel.send(gateway.named(), _untitled(), key=key)
        assert isinstance(outcome, Sent), outcome

    first, again, other = gateway.names()
    assert first == again != other
    assert first


def _untitled() -> Card:
    """Return a card that is not the first of its order's thread."""
    return Card(KIND, "vi", "Nhắc", "Nhac", template=CARD.template)


HOSTILE: Final = {
    "huge": "Cơm gà " * 4_000,
    "one huge word": "x" * 100_000,
    "control signs": "".join(map(chr, range(32))) + "Cơm\x7fgà\x85",
    "beyond the first plane": "🍗" * 3_000,
    "written both ways": "\u202eàg mơC\u202c\u2066\u2069",
    "markup": "<script>alert(1)</script><mj-raw>&nbsp;]]>{{ 7*7 }}{% raw %}",
    "header": "Cơm\r\nBcc: everybody@example.com\r\n\r\nboo",
    "end of a mail": "\r\n.\r\nRSET\r\n",
    "spaces": " \t\u00a0\u200b " * 50,
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_whatever_a_card_says_is_cut_not_refused(channel: Channel, gateway: Gateway, text: str) -> None:
    """Dishes, notes and names come from outside: the order is told all the same."""
    assert isinstance(await channel.send(gateway.lan, _card_of(text), key=KEY), Sent)
    assert len(gateway.taken()) == 1
    assert "48273" in gateway.taken()[0]


async def test_many_parts_are_cut_not_refused(channel: Channel, gateway: Gateway) -> None:
    """Five hundred dishes and forty buttons are an order too."""
    dishes = tuple(f"{number} × Cơm gà số {number}" for number in range(500))
    buttons = tuple(
        Button(f"Nút {number}", payload=f"p{number}", url="https://chotdon.example/o/a")
        for number in range(40)
    )
    card = Card(
        KIND, "vi", "Đơn mới 48273", "48273", blocks=(Block(BlockRole.DISHES, dishes),), buttons=buttons
    )

    assert isinstance(await channel.send(gateway.lan, card, key=KEY), Sent)


_FROM_OUTSIDE: Final = (BlockRole.DISHES, BlockRole.NOTE, BlockRole.WHERE)


def _card_of(text: str) -> Card:
    blocks = tuple(Block(role, (text, text), label=text[:60]) for role in _FROM_OUTSIDE)
    buttons = (
        Button(text, payload="abc", url="https://chotdon.example/o/abc", style=ButtonStyle.PRIMARY),
        Button("Gọi tổng đài", phone="19006868"),
    )
    return Card(
        KIND,
        "vi",
        f"Đơn mới 48273 {text}",
        f"Đơn mới 48273 {text}",
        badge=Badge("pending", "Chờ xác nhận", "48273"),
        blocks=blocks,
        buttons=buttons,
        template={"order_code": "48273", "summary": text},
        thread=ORDER,
    )


async def test_it_reaches_only_kinds_of_address_that_are_its_own(
    pair: tuple[ChannelName, Channel, Gateway],
) -> None:
    """The ladder asks before it writes a message: a channel never claims somebody else's address."""
    name, channel, gateway = pair
    for kind, value in SAMPLES.items():
        if kind not in ADDRESS_KINDS[name]:
            assert not channel.reaches(Address(kind, value), KIND, now=real_now()), kind
    assert channel.reaches(gateway.lan, KIND, now=real_now())
    assert channel.name is name


async def test_a_hostile_address_is_an_outcome_not_an_error(channel: Channel, gateway: Gateway) -> None:
    """Whatever stands in a row of the database, sending returns."""
    for value in ("", "\r\nRCPT TO:<x@y>", "a@b\nBcc: x", "x" * 5_000, "🍗", "+", "../..", "null"):
        outcome = await channel.send(Address(gateway.lan.kind, value, real_now()), CARD, key=KEY)
        assert not isinstance(outcome, Sent | Unclear), (value[:20], outcome)
    assert gateway.taken() == []


async def test_closing_lets_go_and_can_be_done_twice(channel: Channel, gateway: Gateway) -> None:
    """Whoever opens it twice by mistake closes it twice."""
    await channel.send(gateway.lan, CARD, key=KEY)

    await channel.close()
    await channel.close()
