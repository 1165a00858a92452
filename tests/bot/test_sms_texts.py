"""What an SMS says, for every order that can exist: how long, what first, and what never stands in it."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import kitchen_news
from bot.cards.answers import answer_card
from bot.cards.bundle import bundle_card
from bot.cards.customer import customer_card
from bot.cards.lists import by_status_card, choice_card, day_card, list_card
from bot.cards.menu import help_card, languages_card, linked_card, more_card
from bot.cards.money import money_card
from bot.cards.notices import notice_card
from bot.cards.one_order import details_card, reasons_card, suggestion_card
from bot.cards.pages import sent_card, way_in_card
from bot.cards.pauses import (
    from_now_on_card,
    how_long_card,
    paused_card,
    paused_notice,
    resumed_card,
    resumed_notice,
)
from bot.cards.reviews import reviews_card
from bot.cards.sheet import sheet_card
from bot.cards.view import Desk, Frame, View
from bot.intents import Act, Pause, Unclear, Verb
from bot.meaning import read
from bot.sms.text import is_plain, parts, plain
from bot.texts import texts_in
from bot.tokens import Bearer, Purpose
from core.actors import Role, Via
from core.channels import BlockRole, Card, ChannelName
from core.notices.kinds import RULES, Audience, NoticeKind
from core.notices.outgoing import StaffFacts
from core.orders.answers import AnswerKind, about
from core.orders.events import Json
from core.orders.lookups import Heap, MonthMoney, Reviews
from core.orders.order import By, Customer, Item, Order, Reason, Review
from core.orders.snapshot import dump_by
from core.orders.status import Status
from core.schedule import Policy
from tests.bot.plates import (
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    DESK,
    LAN,
    LUNCH,
    MORNING,
    RICE,
    SAIGON,
    SIGNER,
    frame,
    labels_of,
    lines_of,
    view,
)

ONE_PART: Final = {NoticeKind.ORDER_NEW, NoticeKind.CONFIRM_NUDGE, NoticeKind.COMPLETE_REQUEST}
STAFF_KINDS: Final = [
    kind
    for kind, rule in RULES.items()
    if rule.audience in {Audience.RECIPIENTS, Audience.LADDER, Audience.TOLD}
    and kind not in kitchen_news.KINDS
]
PHONE: Final = "0909123456"
WRITTEN_PHONES: Final = [
    PHONE,
    "0909 123 456",
    "0909.123.456",
    "+84909123456",
    "(+84) 909-123-456",
    "84 90 912 3456",
]
NAME: Final = "Trịnh Quốc Vương"
CODES: Final = ["48274", "10019", "00000"]

free = st.one_of(
    st.text(max_size=400),
    st.sampled_from(WRITTEN_PHONES).map(lambda phone: f"Giao cổng sau, gọi {phone} {{[]}}"),
    st.just("Toà nhà Bitexco, tầng 68, số 2 đường Hải Triều, phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh"),
)
names = st.one_of(st.text(min_size=1, max_size=120), st.just("Quán cơm tấm sườn bì chả Bà Bảy " * 3))
items = st.builds(Item, names, st.integers(1, 9_999), st.integers(0, 99_999_999), free)
bys = st.builds(By, st.sampled_from(Via), names, st.just(LAN))
reasons = st.none() | st.builds(Reason, st.sampled_from([None, 1, 5, 6]), free)
reviews = st.none() | st.builds(Review, st.integers(1, 5), free, st.just(NAME), st.just(LUNCH))


@st.composite
def orders(draw: st.DrawFn, status: Status | None = None) -> Order:
    """Draw an order as any platform may place it; its customer's phone may stand in any of its words."""
    now_status = status or draw(st.sampled_from(Status))
    changed = draw(st.sampled_from([MORNING, MORNING - timedelta(days=3)]))
    return replace(
        RICE,
        code=draw(st.sampled_from(CODES)),
        status=now_status,
        deliver_at=LUNCH + timedelta(minutes=draw(st.integers(0, 400_000))),
        address=draw(free),
        note=draw(free),
        items=tuple(draw(st.lists(items, min_size=1, max_size=5))),
        total=draw(st.integers(100_003, 10**12)),
        customer=Customer(NAME, "+84909123456", None, "vi"),
        status_changed_at=changed,
        status_changed_by=draw(bys),
        reason=draw(reasons) if now_status is Status.CANCELLED else None,
        review=draw(reviews) if now_status is Status.COMPLETED else None,
        final_at=changed if now_status.is_final else None,
    )


desks = st.builds(
    Desk,
    st.just("https://chotdon.vn"),
    st.just(SIGNER),
    st.just(Policy()),
    hotline=st.sampled_from([None, "19001234"]),
    reply_number=st.sampled_from([None, "8041", "+84287654321"]),
    reply_prefix=st.sampled_from([None, "CHOT", "CHOTDONVIETNAM"]),
    sms_links=st.booleans(),
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Draw a reader."""
    locale = draw(st.sampled_from(["vi", "en"]))
    staff = StaffFacts(LAN, draw(names), draw(st.sampled_from(Role)), locale)
    return Frame(draw(desks), texts_in(locale), SAIGON, MORNING, draw(names), staff)


def seen_by(reader: Frame, order: Order) -> View:
    """Return the order before that reader."""
    return View(reader, order, "Phở X", Bearer.STAFF_CHAT)


def data_of(order: Order, by: By) -> dict[str, Json]:
    """Return what a notice of a change tells."""
    return {
        "by": dump_by(by),
        "to": order.status.value,
        "from": "confirmed",
        "reason": {"code": None, "text": f"Khách {PHONE} đổi ý"},
        "changes": {
            "deliver_at": {"before": LUNCH.isoformat(), "after": order.deliver_at.isoformat()},
            "items": {
                "before": [{"name": "Cơm gà", "quantity": 20, "unit_price": 60_000, "note": ""}],
                "after": [
                    {"name": item.name, "quantity": item.quantity, "unit_price": 1, "note": item.note}
                    for item in order.items
                ],
            },
            "total": {"before": 1_275_000, "after": order.total},
            "address": {"before": "1 Lê Lai", "after": order.address},
            "note": {"before": "", "after": order.note},
        },
    }


def check(card: Card, reader: Frame, *, most: int) -> str:
    """Assert what holds of every SMS to a kitchen; return it as it leaves."""
    said = plain(card.short)
    desk = reader.desk
    assert said
    assert is_plain(said)
    assert parts(said) <= most, said
    assert PHONE[1:] not in re.sub(r"\D", "", said.replace("+84287654321", ""))
    assert plain(NAME) not in said
    assert desk.sms_links or "http" not in said
    assert "this message" not in said
    assert "tin nay" not in said
    assert_nobody_acts_by_sending_it_back(said, desk)
    return said


def assert_nobody_acts_by_sending_it_back(said: str, desk: Desk) -> None:
    """Assert that our own text, forwarded or quoted to us, does nothing."""
    meant = read(said, prefix=desk.reply_prefix or "")
    acts = isinstance(meant, Act) and meant.verb is not Verb.DETAILS
    assert not isinstance(meant, Pause) or meant == Pause(), said
    assert not acts or (isinstance(meant, Act) and meant.verb is Verb.CANCEL and not meant.reason), said


def check_order(card: Card, seen: View, *, most: int = 2) -> str:
    """Assert what holds of every SMS about an order."""
    said = check(card, seen.frame, most=most)
    assert seen.order.code in said[:20], said
    amount = plain(seen.texts.money(seen.order.total))
    assert seen.frame.sees_money or not re.search(rf"(?<![\d.]){re.escape(amount)}", said)
    return said


@pytest.mark.parametrize("kind", STAFF_KINDS, ids=[kind.value for kind in STAFF_KINDS])
@settings(max_examples=40)
@given(drawn=st.data())
def test_every_notice(kind: NoticeKind, drawn: st.DataObject) -> None:
    """What asks for something is one segment with its code first; the others are two at most."""
    order = drawn.draw(orders(drawn.draw(st.sampled_from(sorted(RULES[kind].while_status)))))
    seen = seen_by(drawn.draw(frames()), order)
    card = notice_card(seen, kind, data_of(order, drawn.draw(bys)))

    said = check_order(card, seen, most=1 if kind in ONE_PART else 2)

    if kind in {NoticeKind.ORDER_NEW, NoticeKind.CONFIRM_NUDGE}:
        assert f"{order.deliver_at.astimezone(SAIGON):%H:%M %d/%m}" in said
        assert seen.may_confirm == (f"XN {order.code}" in said)


@settings(max_examples=40)
@given(reader=frames(), order=orders(), kind=st.sampled_from(AnswerKind), asked=st.sampled_from(list(Verb)))
def test_every_answer_to_a_command(reader: Frame, order: Order, kind: AnswerKind, asked: Verb) -> None:
    """Two segments at most, code first."""
    seen = seen_by(reader, order)
    answer = about(order, kind, asked.value, why="role", not_before=LUNCH)

    check_order(answer_card(seen, answer), seen)


@settings(max_examples=40)
@given(reader=frames(), order=orders())
def test_every_answer_about_one_order(reader: Frame, order: Order) -> None:
    """Details, the question for a reason, a suggestion: code first, never the customer."""
    seen = seen_by(reader, order)

    check_order(details_card(seen, []), seen)
    check_order(suggestion_card(seen, "", first=seen.titled("Đơn {code}: bạn muốn làm gì?")), seen)
    said = check_order(reasons_card(seen), seen)
    assert f"HUY {order.code} 1" in said


@settings(max_examples=40)
@given(reader=frames(), several=st.lists(orders(Status.PENDING), min_size=1, max_size=12), more=st.booleans())
def test_every_answer_about_several_orders(reader: Frame, several: list[Order], more: bool) -> None:
    """Lists are cut between their entries; a bundle is one segment."""
    views = [seen_by(reader, order) for order in several]
    day = LUNCH.date()

    for status in (None, Status.PENDING):
        check(list_card(reader, several, status=status, has_more=more), reader, most=2)
    check(day_card(reader, day, several), reader, most=2)
    check(
        choice_card(reader, reader.texts.t("Bạn nói đơn nào?"), views, "XN", Purpose.CONFIRM),
        reader,
        most=2,
    )
    check(bundle_card(views[0], several), reader, most=1)


@settings(max_examples=40)
@given(
    reader=frames(),
    rated=st.lists(orders(Status.COMPLETED), max_size=5),
    heap=st.builds(Heap, st.integers(0, 10**6), st.integers(0, 10**13)),
)
def test_every_other_answer(reader: Frame, rated: list[Order], heap: Heap) -> None:
    """Money, reviews, help, linking."""
    check(money_card(reader, LUNCH.date(), MonthMoney(heap, heap, heap, heap)), reader, most=2)
    check(reviews_card(reader, Reviews(tuple(rated), 3, 4.3)), reader, most=2)
    check(help_card(reader), reader, most=2)
    check(help_card(reader, first=reader.texts.t("Mình chưa hiểu")), reader, most=2)
    check(linked_card(reader), reader, most=2)
    check(more_card(reader), reader, most=2)
    check(by_status_card(reader), reader, most=2)
    check(languages_card(reader), reader, most=2)


@settings(max_examples=40)
@given(
    reader=frames(),
    name=names,
    until=st.integers(1, 60 * 24 * 400).map(lambda minutes: LUNCH + timedelta(minutes=minutes)),
    still_open=st.integers(0, 10_000),
)
def test_everything_about_a_pause(reader: Frame, name: str, until: datetime, still_open: int) -> None:
    """Two segments at most, however far away it ends."""
    check(how_long_card(reader, until), reader, most=2)
    check(how_long_card(reader, None), reader, most=2)
    check(from_now_on_card(reader, until.date()), reader, most=2)
    check(paused_card(reader, until, still_open=still_open), reader, most=2)
    check(paused_notice(reader, name, until, still_open=still_open), reader, most=2)
    check(resumed_card(reader), reader, most=2)
    check(resumed_notice(reader, name), reader, most=2)
    check(resumed_notice(reader, None), reader, most=2)


@settings(max_examples=40)
@given(reader=frames())
def test_the_way_into_the_pages(reader: Frame) -> None:
    """No link in an SMS; where it went is said in one or two."""
    for where in (None, *(name for name in ChannelName if name is not ChannelName.SMS)):
        check(sent_card(reader, where), reader, most=2)
    said = check(way_in_card(reader, LAN, reader.now + timedelta(minutes=15)), reader, most=2)
    assert reader.desk.sms_links == ("/login/" in said)
    assert "/login/" not in check(way_in_card(reader, LAN, reader.now), reader, most=2)


@settings(max_examples=40)
@given(reader=frames(), several=st.lists(orders(Status.PENDING), min_size=1, max_size=12))
def test_the_morning_sheet(reader: Frame, several: list[Order]) -> None:
    """Two segments at most; no money, to nobody."""
    card = sheet_card(reader, LUNCH.date(), [seen_by(reader, order) for order in several])
    check(card, reader, most=2)
    assert not [block for block in card.blocks if block.role is BlockRole.MONEY]


@settings(max_examples=40)
@given(order=orders(Status.CANCELLED), partner=names, locale=st.sampled_from(["vi", "en"]))
def test_a_customer_gets_one_segment_with_the_platforms_name(order: Order, partner: str, locale: str) -> None:
    """In their language, without a link, whatever the kitchen is called."""
    card = customer_card(
        texts_in(locale), order, partner_name=partner, platform_name="Phở X", zone=SAIGON, now=MORNING
    )
    said = plain(card.short)

    assert is_plain(said)
    assert parts(said) == 1
    assert said.startswith("Pho X: ")
    assert "://chotdon" not in said


# --- word by word ---------------------------------------------------------------------------------

AFTER: Final = LUNCH + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("kind", "seen", "said"),
    [
        (
            NoticeKind.ORDER_NEW,
            view(),
            (
                "Don moi 48274 giao 11:30 24/11, 40 suat, 1.900.000 d, 12 Le Loi, Quan 1, TP.HCM. "
                "Soan XN 48274 gui 8041 de nhan, HUY 48274 de huy, CT 48274 de xem"
            ),
        ),
        (
            NoticeKind.CONFIRM_NUDGE,
            view(role=Role.KITCHEN),
            (
                "Don 48274 giao 11:30 24/11 chua ai xac nhan, con 3 gio 20 phut, 40 suat, 30 Com ga, "
                "10 Tra da. Soan XN 48274 gui 8041 de nhan, HUY 48274 de huy, CT 48274 de xem"
            ),
        ),
        (
            NoticeKind.COMPLETE_REQUEST,
            view(CONFIRMED, now=AFTER),
            (
                "Don 48274 (11:30 24/11) giao xong chua? Bao xong moi duoc tinh 1.900.000 d, 40 suat. "
                "Soan HT 48274 gui 8041 de bao hoan thanh, CT 48274 de xem"
            ),
        ),
        (
            NoticeKind.ORDER_CANCELLED,
            view(CANCELLED, Role.KITCHEN),
            (
                "Don 48274 da duoc Lan huy luc 08:10 qua Zalo. Het mon, giao 11:30 24/11. "
                "KHONG lam don nay nua, 40 suat, 30 Com ga, 10 Tra da. Soan CT 48274 gui 8041 de xem"
            ),
        ),
        (
            NoticeKind.ORDER_NEW,
            view(locale="en"),
            (
                "New order 48274 for 11:30 24/11, 40 portions, 1.900.000 d, 30 Com ga, 10 Tra da. "
                "Text XN 48274 to 8041 to confirm, HUY 48274 to cancel, CT 48274 for details"
            ),
        ),
    ],
    ids=["new", "nudge", "complete", "cancelled", "new in English"],
)
def test_how_a_notice_reads(kind: NoticeKind, seen: View, said: str) -> None:
    """Read aloud without accents, it says what it should and nothing else."""
    assert plain(notice_card(seen, kind, {}).short) == said


def test_a_routing_keyword_stands_before_every_word() -> None:
    """Without it a rented short code would not reach us."""
    seen = view()
    routed = replace(seen, frame=replace(seen.frame, desk=replace(DESK, reply_prefix="CHOT")))
    said = plain(notice_card(routed, NoticeKind.ORDER_NEW, {}).short)

    assert said.endswith("Soan CHOT XN 48274 gui 8041 de nhan, CHOT HUY 48274 de huy, CHOT CT 48274 de xem")


def test_a_link_stands_in_an_sms_only_where_it_may_and_fits() -> None:
    """It is the order's, and comes last: a sign behind it would be taken for a part of it."""
    seen = view(replace(COMPLETED, review=None))
    open_to_links = replace(seen, frame=replace(seen.frame, desk=replace(DESK, sms_links=True)))

    assert details_card(open_to_links, []).short.endswith(f" {open_to_links.link}")
    assert "http" not in details_card(seen, []).short


def test_nobodys_phone_stands_in_an_sms() -> None:
    """Platforms write phones into addresses, notes and dishes; prices and times are no phones."""
    order = replace(
        CONFIRMED, address="12 Lê Lợi, gọi 0909 123 456", note="sđt 0909.123.456", total=12_345_678
    )
    said = plain(details_card(view(order), []).short)

    assert "12 Le Loi, goi ***" in said
    assert "sdt ***" in said
    assert "12.345.678 d" in said


def test_the_question_for_a_reason_can_be_copied() -> None:
    """It echoes the code, and its example is what cancels."""
    said = plain(reasons_card(view()).short)

    assert said == (
        "Don 48274 chua huy. Vi sao huy? "
        "Soan HUY 48274 1 gui 8041 (1 het mon, 2 qua tai, 3 dong cua, 4 ngoai vung, 5 sai gia, 6 khac)"
    )


def test_a_bundle_names_every_order_and_acts_on_none() -> None:
    """Each line and each button is one order; the last button shows them all."""
    codes = ["48274", "10019", "48287", "10025", "10034", "48290"]
    waiting = [
        replace(RICE, code=code, deliver_at=LUNCH + timedelta(minutes=30 * at))
        for at, code in enumerate(codes)
    ]
    card = bundle_card(view(), waiting)
    purposes = [SIGNER.read_button(str(button.payload)).purpose for button in card.buttons]

    assert card.title == "6 đơn đang chờ bạn xác nhận"
    assert lines_of(card, BlockRole.LIST)[0] == (
        "48274 · 11:30 thứ Ba 24/11 · còn 3 giờ 20 phút · 40 suất · 30 Cơm gà, 10 Trà đá"
    )
    assert len(lines_of(card, BlockRole.LIST)) == 6
    assert labels_of(card) == ["Xem 48274", "Xem 10019", "Xem 48287", "Xem 10025", "Xem tất cả"]
    assert purposes == [Purpose.DETAILS] * 4 + [Purpose.LIST]
    assert plain(card.short) == (
        "6 don chua ai xac nhan: 48274 11:30 24/11, 10019 12:00 24/11, 48287 12:30 24/11, "
        "con 3 don nua: soan DS CHO. Soan XN 48274 gui 8041 de nhan don 48274"
    )


def test_a_bundle_of_a_hundred_is_cut() -> None:
    """Twenty lines, and how many more there are; who may not act is told no word that acts."""
    card = bundle_card(view(role=Role.CASHIER), [RICE] * 100)

    assert lines_of(card, BlockRole.LIST)[-1] == "và 80 đơn nữa"
    assert "XN" not in card.short
    assert parts(plain(card.short)) == 1


def test_a_list_says_how_to_go_on() -> None:
    """By words that work."""
    listed = plain(list_card(frame(), [RICE] * 10, status=Status.PENDING, has_more=True).short)

    assert listed.endswith("con nua. Soan HN gui 8041 giao hom nay, MAI giao ngay mai.")


@pytest.mark.parametrize(("locale", "other"), [("vi", "EN"), ("en", "VI")])
def test_help_names_every_word(locale: str, other: str) -> None:
    """In two segments; its code is none, so that a copy of it does nothing."""
    helped = plain(help_card(frame(locale=locale), first="Minh chua hieu").short)

    for word in (
        "XN 12345",
        "HUY 12345 1",
        "HT 12345",
        "CT 12345",
        "DS CHO",
        "HN",
        "MAI",
        "TIEN",
        "DG",
        other,
    ):
        assert re.search(rf"\b{word}\b", helped), helped
    assert isinstance(read("XN 12345"), Unclear)


def test_details_hold_what_there_is_room_for() -> None:
    """A long address whole, and the dishes that fit."""
    order = replace(
        RICE,
        address="Toà nhà Bitexco, tầng 68, số 2 đường Hải Triều, phường Bến Nghé, Quận 1",
        items=tuple(Item(f"Cơm tấm sườn bì chả số {number}", 12, 50_000) for number in range(9)),
    )
    said = plain(details_card(view(order), []).short)

    assert "Toa nha Bitexco, tang 68, so 2 duong Hai Trieu, phuong Ben Nghe, Quan 1, 12 Com tam" in said
    assert "so 2... Soan XN" in said
