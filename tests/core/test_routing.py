"""From a notice to messages: which people, which address of each, which channel next."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final
from uuid import UUID

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.notices.kinds import RULES, Audience, NoticeKind, Way, is_obsolete
from core.notices.routing import Kitchen, Leg, Person, Reaches, legs_for_staff, next_chat, next_leg
from core.orders.events import Json
from core.orders.status import Status
from core.schedule import Reach

ZALO, TELEGRAM, SMS, EMAIL = ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS, ChannelName.EMAIL
ORDER: Final = (ZALO, TELEGRAM, SMS)
_numbers = count(1)


def person(name: str, role: Role = Role.OWNER, *, notify: bool = False, **reached: str) -> Person:
    """Return somebody reached at zalo, telegram, phone and email as given, in that order."""
    kinds = {
        "zalo": AddressKind.ZALO_USER,
        "telegram": AddressKind.TELEGRAM_CHAT,
        "phone": AddressKind.PHONE,
        "email": AddressKind.EMAIL,
    }
    addresses = tuple(Address(kinds[kind], value) for kind, value in reached.items())
    return Person(UUID(int=next(_numbers)), name, role, notify, addresses)


def on(*channels: ChannelName) -> Reaches:
    """Return who is reached when only these channels are on; a phone is no Zalo user."""

    def reaches(channel: ChannelName, address: Address, kind: str) -> bool:
        return channel in channels and not (channel is ZALO and address.kind is AddressKind.PHONE)

    return reaches


EVERYTHING: Final = on(*ChannelName)


def everywhere(channel: ChannelName, address: Address, kind: str) -> bool:
    """Reach whatever is written in a kind of address the channel has."""
    return True


def told(
    kind: NoticeKind,
    *people: Person,
    data: Mapping[str, Json] | None = None,
    before: Mapping[UUID, Sequence[ChannelName]] | None = None,
    reaches: Reaches = EVERYTHING,
    chat_order: Sequence[ChannelName] = ORDER,
) -> list[tuple[str, ChannelName, str]]:
    """Return who is sent what: name, channel, address."""
    legs = legs_for_staff(
        kind, data or {}, Kitchen(people, before or {}), chat_order=chat_order, reaches=reaches
    )
    names = {each.id: each.name for each in people}
    return [(names[UUID(str(leg.staff_id))], leg.channel, leg.address.value) for leg in legs]


LAN: Final = person("Lan", zalo="z-lan", telegram="t-lan", phone="+84901", email="lan@example.com")
HUNG: Final = person("Hùng", Role.MANAGER, telegram="t-hung", phone="+84902")
MAI: Final = person("Mai", Role.KITCHEN, zalo="z-mai", phone="+84903", email="mai@example.com")
BINH: Final = person("Bình", Role.KITCHEN, phone="+84904")
TAM: Final = person("Tâm", Role.CASHIER, zalo="z-tam", email="tam@example.com")


def test_the_owner_and_every_manager_are_told() -> None:
    """Mail to each who has one, and one chat to each, by that person's own addresses."""
    assert told(NoticeKind.ORDER_NEW, LAN, HUNG, MAI, TAM) == [
        ("Lan", EMAIL, "lan@example.com"),
        ("Lan", ZALO, "z-lan"),
        ("Hùng", TELEGRAM, "t-hung"),
    ]


def test_and_whoever_was_added_with_notify() -> None:
    """A cook or a cashier who wants to know."""
    cook = person("Mai", Role.KITCHEN, notify=True, zalo="z-mai")
    cashier = person("Tâm", Role.CASHIER, notify=True, email="tam@example.com")
    assert told(NoticeKind.ORDER_NEW, cook, cashier) == [
        ("Tâm", EMAIL, "tam@example.com"),
        ("Mai", ZALO, "z-mai"),
    ]


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        (NoticeKind.ORDER_NEW, {EMAIL, ZALO}),
        (NoticeKind.ORDER_EXPIRED, {EMAIL, ZALO}),
        (NoticeKind.ORDER_CHANGED, {EMAIL, ZALO}),
        (NoticeKind.ORDER_CANCELLED, {EMAIL, ZALO}),
        (NoticeKind.ORDER_CONFIRMED, {EMAIL, ZALO}),
        (NoticeKind.DELIVERY_TOMORROW, {EMAIL, ZALO}),
        (NoticeKind.COMPLETE_REQUEST, {EMAIL, ZALO}),
        (NoticeKind.COMPLETE_REMINDER, {EMAIL, ZALO}),
        (NoticeKind.ORDER_COMPLETED, {EMAIL}),
        (NoticeKind.REVIEW_RECEIVED, {EMAIL, ZALO}),
    ],
)
def test_the_ways_of_the_table(kind: NoticeKind, channels: set[ChannelName]) -> None:
    """N8 goes by mail alone; the others by both ways."""
    assert {channel for _, channel, _ in told(kind, LAN)} == channels


def test_one_address_gets_one_copy() -> None:
    """A mailbox or a phone that two people share."""
    hung = person("Hùng", Role.MANAGER, phone="+84901", email="lan@example.com")
    lan = person("Lan", phone="+84901", email="lan@example.com")
    assert told(NoticeKind.ORDER_NEW, lan, hung) == [
        ("Lan", EMAIL, "lan@example.com"),
        ("Lan", SMS, "+84901"),
    ]


@pytest.mark.parametrize(
    ("reaches", "chat_order", "channel"),
    [
        (EVERYTHING, ORDER, ZALO),
        (EVERYTHING, (SMS, TELEGRAM, ZALO), SMS),
        (on(TELEGRAM, SMS), ORDER, TELEGRAM),
        (on(SMS), ORDER, SMS),
        (EVERYTHING, (TELEGRAM,), TELEGRAM),
    ],
)
def test_the_first_chat_that_works(
    reaches: Reaches, chat_order: Sequence[ChannelName], channel: ChannelName
) -> None:
    """In the order of the setting; a channel that is off is skipped."""
    chats = [name for _, name, _ in told(NoticeKind.ORDER_NEW, LAN, reaches=reaches, chat_order=chat_order)]
    assert [name for name in chats if name is not EMAIL] == [channel]


def test_a_phone_and_a_user_id_are_two_addresses_of_zalo() -> None:
    """The user id is tried first; the phone takes over on the same channel, then SMS to it."""
    both = person("Lan", phone="+84901", zalo="z-lan")
    tried: list[tuple[ChannelName, str]] = []
    while leg := next_leg(NoticeKind.ORDER_NEW, both, tried, chat_order=ORDER, reaches=everywhere):
        tried.append((leg.channel, leg.address.value))
    assert tried == [(ZALO, "z-lan"), (ZALO, "+84901"), (SMS, "+84901")]


def test_a_silent_channel_is_followed_by_another_one() -> None:
    """Zalo may have delivered it: the phone on Zalo comes only after every other channel."""
    both = person("Lan", phone="+84901", zalo="z-lan")
    tried: list[tuple[ChannelName, str]] = [(ZALO, "z-lan")]
    while leg := next_leg(
        NoticeKind.ORDER_NEW, both, tried, chat_order=ORDER, reaches=everywhere, silent=ZALO
    ):
        tried.append((leg.channel, leg.address.value))
    assert tried == [(ZALO, "z-lan"), (SMS, "+84901"), (ZALO, "+84901")]


def test_nobody_has_any_way() -> None:
    """No messages: the outbox tells the operators."""
    assert told(NoticeKind.ORDER_NEW, person("Lan"), HUNG, reaches=on(ZALO)) == []


# --- the confirmation ladder ----------------------------------------------------------------------

NUDGE: Final = NoticeKind.CONFIRM_NUDGE


def reach(which: Reach) -> dict[str, Json]:
    """Return the data of a rung's notice."""
    return {"reach": which.value}


def test_the_first_rung_goes_to_each_recipients_next_channel() -> None:
    """Lan was told by Zalo, so by Telegram now; Hùng by Telegram, so by SMS."""
    before = {LAN.id: [EMAIL, ZALO], HUNG.id: [TELEGRAM]}
    assert told(NUDGE, LAN, HUNG, MAI, data=reach(Reach.NEXT_CHANNEL), before=before) == [
        ("Lan", TELEGRAM, "t-lan"),
        ("Hùng", SMS, "+84902"),
    ]


def test_the_second_rung_goes_to_the_next_who_may_confirm() -> None:
    """In the order they were added; the cashier may not, and Mai was told before."""
    before = {LAN.id: [ZALO], HUNG.id: [TELEGRAM]}
    second = reach(Reach.NEXT_STAFF)
    people = (LAN, TAM, HUNG, MAI, BINH)
    assert told(NUDGE, *people, data=second, before=before) == [("Mai", ZALO, "z-mai")]
    assert told(NUDGE, *people, data=second, before={**before, MAI.id: [ZALO]}) == [("Bình", SMS, "+84904")]
    everybody = {**before, MAI.id: [ZALO], BINH.id: [SMS]}
    assert told(NUDGE, *people, data=second, before=everybody) == []


def test_the_second_rung_passes_over_whom_it_cannot_reach() -> None:
    """Mai has no way that works, so Bình is the next."""
    nobody = person("Mai", Role.KITCHEN)
    assert told(NUDGE, LAN, nobody, BINH, data=reach(Reach.NEXT_STAFF)) == [("Bình", SMS, "+84904")]


def test_the_later_rungs_go_to_all_who_may_confirm() -> None:
    """Each on the next channel that works for them."""
    before = {LAN.id: [ZALO, TELEGRAM], MAI.id: [ZALO]}
    assert told(NUDGE, LAN, HUNG, MAI, BINH, TAM, data=reach(Reach.ALL_WHO_ACT), before=before) == [
        ("Lan", SMS, "+84901"),
        ("Hùng", TELEGRAM, "t-hung"),
        ("Mai", SMS, "+84903"),
        ("Bình", SMS, "+84904"),
    ]


def test_who_has_no_chat_at_all_is_nudged_by_mail() -> None:
    """The way that is left."""
    only_mail = person("Lan", email="lan@example.com")
    assert told(NUDGE, only_mail, data=reach(Reach.NEXT_CHANNEL), before={only_mail.id: [EMAIL]}) == [
        ("Lan", EMAIL, "lan@example.com")
    ]


@pytest.mark.parametrize(
    ("used", "following"),
    [
        ([], ZALO),
        ([EMAIL], ZALO),
        ([ZALO], TELEGRAM),
        ([ZALO, EMAIL, TELEGRAM], SMS),
        ([ZALO, TELEGRAM, SMS], ZALO),
        ([TELEGRAM], SMS),
    ],
)
def test_channels_go_round(used: list[ChannelName], following: ChannelName) -> None:
    """After the last one comes the first again."""
    chats = [(channel, LAN.addresses[0]) for channel in ORDER]
    assert next_chat(chats, used)[0] is following


def test_a_channel_that_is_gone_starts_the_round_anew() -> None:
    """Told by Zalo before, which is off now."""
    chats = [(TELEGRAM, LAN.addresses[1]), (SMS, LAN.addresses[2])]
    assert next_chat(chats, [ZALO])[0] is TELEGRAM


# --- colleagues -------------------------------------------------------------------------------------


def by(actor: Person) -> dict[str, Json]:
    """Return the data of a colleague's notice."""
    return {"by": {"name": actor.name, "via": "zalo", "id": str(actor.id)}}


def test_colleagues_hear_where_they_were_told() -> None:
    """Lan made it so and is not told; Bình was never told of the order, so he hears nothing."""
    before = {LAN.id: [ZALO], HUNG.id: [TELEGRAM, SMS], MAI.id: [EMAIL, ZALO]}
    assert told(NoticeKind.COLLEAGUE_ACTED, LAN, HUNG, MAI, BINH, data=by(LAN), before=before) == [
        ("Hùng", SMS, "+84902"),
        ("Mai", ZALO, "z-mai"),
    ]


def test_colleagues_told_by_mail_only_are_left_alone() -> None:
    """It is a short message on the chat that told them, and none did."""
    assert told(NoticeKind.COLLEAGUE_ACTED, LAN, HUNG, data=by(LAN), before={HUNG.id: [EMAIL]}) == []


# --- the next channel -------------------------------------------------------------------------------


def after(*tried: tuple[ChannelName, str], reaches: Reaches = EVERYTHING) -> Leg | None:
    """Return what takes over for Lan."""
    return next_leg(NoticeKind.ORDER_NEW, LAN, tried, chat_order=ORDER, reaches=reaches)


def test_the_next_channel_is_the_first_one_not_tried() -> None:
    """Until every one of the person's was tried."""
    zalo, telegram, sms = (ZALO, "z-lan"), (TELEGRAM, "t-lan"), (SMS, "+84901")
    takes_over = after(zalo)
    assert takes_over == Leg(Way.CHAT, f"staff:{LAN.id}", LAN.id, TELEGRAM, LAN.addresses[1])
    off = after(zalo, reaches=on(SMS))
    assert off is not None
    assert off.channel is SMS
    assert after(zalo, telegram, sms) is None


# --- the table itself -------------------------------------------------------------------------------

PLEASE: Final = (NoticeKind.ORDER_NEW, NoticeKind.CONFIRM_NUDGE, NoticeKind.ORDER_AT_RISK)


@pytest.mark.parametrize("kind", PLEASE)
def test_please_confirm_is_obsolete_once_the_order_moved_on(kind: NoticeKind) -> None:
    """In every status but pending."""
    for status in Status:
        assert is_obsolete(kind, status, revision=1, revision_now=1) == (status is not Status.PENDING)


@pytest.mark.parametrize("kind", [NoticeKind.ORDER_NEW, NoticeKind.CONFIRM_NUDGE, NoticeKind.ORDER_CHANGED])
def test_a_card_of_old_content_is_obsolete(kind: NoticeKind) -> None:
    """The change has brought its own."""
    assert is_obsolete(kind, Status.PENDING, revision=1, revision_now=2)


@pytest.mark.parametrize(
    ("kind", "lives"),
    [
        (NoticeKind.COMPLETE_REQUEST, {Status.CONFIRMED}),
        (NoticeKind.COMPLETE_REMINDER, {Status.CONFIRMED}),
        (NoticeKind.DELIVERY_TOMORROW, {Status.CONFIRMED}),
        (NoticeKind.ORDER_EXPIRED, {Status.EXPIRED}),
        (NoticeKind.CUSTOMER_CANCELLED, {Status.CANCELLED, Status.EXPIRED}),
        (NoticeKind.ANSWER, set(Status)),
    ],
)
def test_what_lives_in_which_status(kind: NoticeKind, lives: set[Status]) -> None:
    """A notice is dropped, not sent late."""
    alive = {status for status in Status if not is_obsolete(kind, status, revision=1, revision_now=1)}
    assert alive == lives


def test_every_notice_has_a_rule() -> None:
    """And every rule a way."""
    assert set(RULES) == set(NoticeKind)
    assert all(rule.ways for rule in RULES.values())
    assert {rule.audience for rule in RULES.values()} == set(Audience)
