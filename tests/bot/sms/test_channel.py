"""From a card to an SMS."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sms.channel import ListeningSmsChannel, SmsChannel, open_sms
from bot.sms.gateways import GATEWAYS
from bot.sms.render import with_links, without_links
from bot.sms.text import is_plain, parts
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    Inbound,
    Listens,
    NoSuchRecipient,
    Outcome,
    Rate,
    ReceiptKind,
    Refused,
    Said,
    Sent,
)
from core.clock import real_now
from core.settings import SMS_NEEDS, Settings

BINH: Final = Address(AddressKind.PHONE, "+84909123456")


def card(short: str) -> Card:
    """Return a card that says this in an SMS."""
    return Card("order_new", "vi", "Đơn mới", short)


class Keeper:
    """A gateway that keeps what it is given."""

    name: Final = "keeper"
    rate: Rate | None = None

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []
        self.closed = False

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Keep it."""
        self.kept.append((phone, text, key))
        return Sent("1")

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """Know the first only."""
        return ReceiptKind.DELIVERED if gateway_id == "1" else None

    async def close(self) -> None:
        """Remember that."""
        self.closed = True


class Ear(Keeper):
    """A gateway that hears people itself."""

    async def listen(self, hear: Callable[[Inbound], Awaitable[object]]) -> None:
        """Hear one thing."""
        await hear(Inbound(ChannelName.SMS, "sms:ear:1", BINH, Said("XN 48273")))


@pytest.mark.parametrize(
    ("short", "text"),
    [
        (
            "Đơn 48273 mới, giao 11:30. Soạn XN 48273 gửi 8041",
            "Don 48273 moi, giao 11:30. Soan XN 48273 gui 8041",
        ),
        ("Xem https://chotdon.vn/o/abc.def?x=1#y, nhé", "Xem , nhe"),
        ("Xem www.chotdon.vn. Đơn 48273", "Xem . Don 48273"),
        ("(HTTPS://A.VN/B) 900.000 ₫", "() 900.000 d"),
        ("Bếp Lan.Cơm gà 11.30", "Bep Lan.Com ga 11.30"),
    ],
    ids=["order", "link", "www", "brackets", "dots"],
)
def test_a_card_is_plain_and_has_no_link(short: str, text: str) -> None:
    """Filters of the networks hold a text with a link for fraud."""
    assert without_links(card(short)) == text


def test_links_stay_where_they_are_allowed() -> None:
    """By the setting SMS_LINKS."""
    assert with_links(card("Đăng nhập: https://chotdon.vn/l/a")) == "Dang nhap: https://chotdon.vn/l/a"


@given(st.text(max_size=2000), st.sampled_from([with_links, without_links]))
def test_whatever_a_card_says_it_is_two_parts_at_most(short: str, say: Callable[[Card], str]) -> None:
    """And costs what GSM costs."""
    text = say(card(short))

    assert is_plain(text)
    assert parts(text) <= 2


def test_a_long_card_fills_two_parts() -> None:
    """And is cut there."""
    assert with_links(card("Cơm gà " * 300)) == ("Com ga " * 44)[:306].rstrip()
    assert len(with_links(card("x" * 1000))) == 306


async def test_a_card_goes_to_the_gateway_as_text() -> None:
    """With the key that is the same for every attempt."""
    keeper = Keeper()
    channel = SmsChannel(keeper, without_links)

    assert await channel.send(BINH, card("Đơn 48273"), key="k") == Sent("1")
    assert keeper.kept == [(BINH.value, "Don 48273", "k")]
    assert (channel.name, channel.gateway, channel.rate) == (ChannelName.SMS, "keeper", None)
    assert await channel.ask(BINH, "1") is ReceiptKind.DELIVERED
    assert await channel.ask(BINH, "2") is None
    await channel.close()
    assert keeper.closed


@pytest.mark.parametrize(
    "value", ["", "0909123456", "84909123456", "+", "+0", "+84909123456x", "+٨٤٩٠٩١٢٣٤٥٦"], ids=ascii
)
async def test_only_a_number_of_the_world_is_called(value: str) -> None:
    """Nothing else reaches a gateway."""
    keeper = Keeper()

    outcome = await SmsChannel(keeper, without_links).send(
        Address(AddressKind.PHONE, value), card("Đơn"), key="k"
    )
    assert isinstance(outcome, NoSuchRecipient)
    assert keeper.kept == []


async def test_a_card_of_nothing_that_can_be_said_is_refused() -> None:
    """An empty SMS costs as much as another."""
    keeper = Keeper()

    assert isinstance(await SmsChannel(keeper, without_links).send(BINH, card("🍗"), key="k"), Refused)
    assert keeper.kept == []


def test_only_phones_are_reached() -> None:
    """Whatever the notice."""
    channel = SmsChannel(Keeper(), without_links)

    assert channel.reaches(BINH, "order_new", now=real_now())
    assert not channel.reaches(Address(AddressKind.ZALO_USER, "1"), "order_new", now=real_now())


async def test_a_gateway_that_hears_people_is_listened_to() -> None:
    """Through the channel; one that does not is no listener."""
    ear, heard = Ear(), list[Inbound]()
    channel = ListeningSmsChannel(ear, ear, without_links)

    async def hear(inbound: Inbound) -> None:
        heard.append(inbound)

    assert isinstance(channel, Listens)
    await channel.listen(hear)
    assert [inbound.key for inbound in heard] == ["sms:ear:1"]
    assert not isinstance(SmsChannel(Keeper(), without_links), Listens)


SETTINGS: Final[Mapping[str, dict[str, Any]]] = {
    "esms": {"esms_api_key": "a", "esms_secret_key": "b", "esms_brandname": "c"},
    "speedsms": {"speedsms_token": "a"},
    "twilio": {"twilio_account_sid": "a", "twilio_auth_token": "b", "twilio_from": "c"},
    "smpp": {"smpp_url": "smpp://a:b@127.0.0.1:2775"},
}


@pytest.mark.parametrize("name", list(SMS_NEEDS))
async def test_every_gateway_that_can_be_set_can_be_opened(name: str) -> None:
    """With what the settings say that it needs; only SMPP hears people by itself."""
    settings = Settings(_env_file=None, **{"sms_gateway": name, **SETTINGS[name]})
    channel = open_sms(settings)
    try:
        assert settings.sms_is_on
        assert channel.gateway == name
        assert isinstance(channel, Listens) is (name == "smpp")
    finally:
        await channel.close()


def test_the_table_has_every_gateway_that_can_be_set() -> None:
    """And no other."""
    assert set(GATEWAYS) == set(SMS_NEEDS)
