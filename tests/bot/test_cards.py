"""What is on a card: what is wanted first, nothing its reader may not see, buttons only where they work."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from bot import kitchen_news
from bot.cards import masking
from bot.cards.alarms import ALARMS, Alarm, alarm_card, alarms_card, is_well
from bot.cards.answers import answer_card, refusal_card
from bot.cards.customer import ask_review_card, customer_card
from bot.cards.lists import FILTERS, choice_card, day_card, list_card
from bot.cards.money import money_card
from bot.cards.notices import notice_card
from bot.cards.one_order import details_card, other_reasons_card, reasons_card
from bot.cards.order_card import order_card
from bot.cards.reviews import reviews_card
from bot.cards.short import ONE, TWO, sms_length
from bot.cards.view import View
from bot.sms.text import plain
from bot.texts import texts_in
from bot.tokens import MAX_PAYLOAD, Bearer, Purpose
from core.actors import Role, Via
from core.channels import BlockRole, ButtonStyle, Card
from core.notices.kinds import RULES, Audience, NoticeKind
from core.orders.answers import AnswerKind, about
from core.orders.events import Event, EventType, Json
from core.orders.lookups import Heap, MonthMoney, Reviews
from core.orders.order import By, Item, Order, Reason, Review, ReviewAnswer
from core.orders.snapshot import dump_by
from core.orders.status import Status
from tests.bot.plates import (
    BY_LAN,
    BY_PLATFORM,
    BY_STATUS,
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    DESK,
    EXPIRED,
    LAN,
    LUNCH,
    MORNING,
    RICE,
    SAIGON,
    SIGNER,
    frame,
    labels_of,
    lines_of,
    text_of,
    view,
)

THANKING = {"Cảm ơn khách", "Thank the customer"}
PRICE = re.compile(r"[0-9] [đd]\b")
STAFF_KINDS = [
    kind
    for kind, rule in RULES.items()
    if rule.audience in {Audience.RECIPIENTS, Audience.LADDER, Audience.TOLD}
    and kind not in kitchen_news.KINDS
]
ANSWERED = replace(
    COMPLETED,
    review=Review(4, "Ngon", "An", LUNCH, ReviewAnswer("Cảm ơn chị", LUNCH + timedelta(hours=1), BY_LAN)),
)
CHANGES: dict[str, Json] = {
    "deliver_at": {"before": LUNCH.isoformat(), "after": (LUNCH + timedelta(hours=1)).isoformat()},
    "items": {
        "before": [
            {"name": "Cơm gà", "quantity": 20, "unit_price": 60_000, "note": ""},
            {"name": "Chè", "quantity": 5, "unit_price": 15_000, "note": ""},
        ],
        "after": [
            {"name": "Cơm gà", "quantity": 30, "unit_price": 60_000, "note": "ít cay"},
            {"name": "Trà đá", "quantity": 10, "unit_price": 5_000, "note": ""},
        ],
    },
    "total": {"before": 1_275_000, "after": 1_850_000},
    "fees": {"before": 0, "after": 50_000},
    "address": {"before": "1 Lê Lai", "after": "12 Lê Lợi"},
    "note": {"before": "", "after": "Giao cổng sau"},
}
DATA: dict[str, Json] = {"by": dump_by(BY_PLATFORM), "from": "confirmed", "changes": CHANGES}


def every_card() -> Iterator[tuple[View, Card]]:
    """Yield each staff notice in each status it can be sent in, for each role and language."""
    for kind, role, locale in product(STAFF_KINDS, Role, ("vi", "en")):
        for status in RULES[kind].while_status:
            seen = view(BY_STATUS[status], role, locale=locale)
            yield seen, notice_card(seen, kind, {**DATA, "to": status.value})


def test_every_card_fits_every_channel() -> None:
    """One SMS, five buttons, payloads of 64 bytes, and always the way to the details."""
    for seen, card in every_card():
        assert sms_length(card.short) <= TWO
        assert seen.order.code in card.short
        assert len(card.buttons) <= 5
        assert all(len(button.payload) <= MAX_PAYLOAD for button in card.buttons if button.payload)
        assert any(button.url and not button.payload for button in card.buttons)
        assert card.thread == str(seen.order.id)


def test_who_may_not_see_money_sees_none() -> None:
    """Not in blocks, changes, SMS, template or calendar."""
    for seen, card in every_card():
        shown = text_of(card) + str(dict(card.template)) + str(card.calendar)
        if seen.frame.staff and not seen.frame.staff.role.sees_money:
            assert not PRICE.search(shown)
            assert ".000" not in shown
        elif card.kind != NoticeKind.COLLEAGUE_ACTED:
            assert "1.900.000 đ" in shown


def test_who_may_not_act_gets_no_button_but_the_link() -> None:
    """A cashier looks; nobody acts on what is settled, but for thanking a customer who said how it was."""
    for seen, card in every_card():
        acting = [button for button in card.buttons if button.payload and button.label not in THANKING]
        may_act = seen.frame.staff and seen.frame.staff.role.may_act
        if not may_act or seen.order.status.is_final:
            assert acting == []


def test_every_button_is_bound_to_its_reader_order_and_revision() -> None:
    """And asks for what its label says."""
    card = notice_card(view(replace(RICE, revision=7)), NoticeKind.ORDER_NEW, {})
    tokens = [SIGNER.read_button(button.payload) for button in card.buttons if button.payload]

    assert [token.purpose for token in tokens] == [Purpose.CONFIRM, Purpose.CANCEL]
    assert {(token.order_id, token.revision, token.staff_id) for token in tokens} == {(RICE.id, 7, LAN)}


def test_the_details_link_is_the_readers_own() -> None:
    """It acts in the name of whom it was sent to."""
    card = notice_card(view(), NoticeKind.ORDER_NEW, {})
    link = SIGNER.read_link(str(card.buttons[-1].url).removeprefix("https://chotdon.vn/o/"))

    assert (link.order_id, link.staff_id, link.bearer) == (RICE.id, LAN, Bearer.STAFF_CHAT)
    assert card.template["link"] == str(card.buttons[-1].url).rpartition("/")[2]


def test_a_new_order_says_what_is_wanted_then_when_then_how_much() -> None:
    """The order of importance, with absolute and relative time, code and status together."""
    card = notice_card(view(), NoticeKind.ORDER_NEW, {})

    assert card.title == "Đơn 48274 mới, chờ bạn xác nhận"
    assert card.badge
    assert (card.badge.code, card.badge.word) == ("48274", "Chờ xác nhận")
    assert [block.role for block in card.blocks] == [
        BlockRole.WHEN,
        BlockRole.AMOUNT,
        BlockRole.DISHES,
        BlockRole.WHERE,
        BlockRole.NOTE,
        BlockRole.WHO,
        BlockRole.WHO,
    ]
    assert card.blocks[0].lines == ("Giao 11:30 thứ Ba 24/11", "còn 3 giờ 20 phút")
    assert card.blocks[1].lines == ("40 suất · 1.900.000 đ",)
    assert card.blocks[2].lines == ("30 × Cơm gà (10 phần không da)", "10 × Trà đá")
    assert labels_of(card) == ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]
    assert [button.style for button in card.buttons[:2]] == [ButtonStyle.PRIMARY, ButtonStyle.DANGER]


def test_an_order_without_a_note_has_no_empty_line_for_it() -> None:
    """Nothing stands where nothing is."""
    assert lines_of(notice_card(view(replace(RICE, note="")), NoticeKind.ORDER_NEW, {}), BlockRole.NOTE) == ()


def test_english_speaks_english() -> None:
    """Labels as the contract says."""
    card = notice_card(view(locale="en"), NoticeKind.ORDER_NEW, {})
    late = notice_card(view(CONFIRMED, locale="en", now=LUNCH), NoticeKind.COMPLETE_REQUEST, {})

    assert card.locale == "en"
    assert labels_of(card) == ["Confirm order", "Cancel order", "View order details"]
    assert labels_of(late)[0] == "Complete"


def test_the_sms_says_code_and_time_first_and_what_to_write_where() -> None:
    """Words stand for buttons."""
    card = notice_card(view(), NoticeKind.ORDER_NEW, {})

    assert plain(card.short) == (
        "Don moi 48274 giao 11:30 24/11, 40 suat, 1.900.000 d, 12 Le Loi, Quan 1, TP.HCM. "
        "Soan XN 48274 gui 8041 de nhan, HUY 48274 de huy, CT 48274 de xem"
    )


def test_without_a_number_to_write_to_the_sms_names_none() -> None:
    """It never says "reply to this message"."""
    seen = view()
    bare = replace(seen, frame=replace(seen.frame, desk=replace(DESK, reply_number=None)))

    assert notice_card(bare, NoticeKind.ORDER_NEW, {}).short.endswith(
        "Soạn XN 48274 để nhận, HUY 48274 để huỷ, CT 48274 để xem"
    )


@pytest.mark.parametrize(
    ("order", "now", "buttons"),
    [
        (RICE, LUNCH, ["Xác nhận đơn hàng", "Huỷ đơn hàng"]),
        (RICE, LUNCH + timedelta(seconds=1), []),
        (CONFIRMED, LUNCH - timedelta(minutes=61), ["Gọi tổng đài"]),
        (CONFIRMED, LUNCH - timedelta(minutes=60), ["Hoàn thành", "Gọi tổng đài"]),
        (CONFIRMED, LUNCH + timedelta(days=3), ["Hoàn thành", "Gọi tổng đài"]),
        (CANCELLED, MORNING, []),
        (EXPIRED, LUNCH, []),
        (COMPLETED, LUNCH, ["Cảm ơn khách"]),
        (ANSWERED, LUNCH, []),
    ],
)
def test_buttons_are_those_that_work_now(order: Order, now: datetime, buttons: list[str]) -> None:
    """Confirm and cancel until delivery, Complete from an hour before; then the phone cancels."""
    card = order_card(view(order, now=now), "answer", "Đơn", short="")

    assert labels_of(card) == [*buttons, "Xem chi tiết đơn hàng"]


def test_without_a_hotline_nobody_is_called() -> None:
    """A button that calls nobody would be worse than none."""
    seen = view(CONFIRMED)
    quiet = replace(seen, frame=replace(seen.frame, desk=replace(DESK, hotline=None)))

    assert labels_of(order_card(quiet, "answer", "Đơn", short="")) == ["Xem chi tiết đơn hàng"]


# --- masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "now", "who", "where"),
    [
        (RICE, MORNING, "N••• V•• A• · 09•••456", "12 Lê Lợi, Quận 1, TP.HCM"),
        (CANCELLED, MORNING, "N••• V•• A• · 09•••456", "12 Lê Lợi, Quận 1, TP.HCM"),
        (CONFIRMED, MORNING, "Nguyễn Văn An · 0909123456", "12 Lê Lợi, Quận 1, TP.HCM"),
        (COMPLETED, LUNCH + timedelta(days=29), "Nguyễn Văn An · 0909123456", "12 Lê Lợi, Quận 1, TP.HCM"),
        (COMPLETED, LUNCH + timedelta(days=30), "N••• V•• A• · 09•••456", "•••, TP.HCM"),
    ],
)
def test_the_customer_is_masked_before_confirmation_and_a_month_after_delivery(
    order: Order, now: datetime, who: str, where: str
) -> None:
    """The address shows before: a kitchen must know where to. After a month all three are gone."""
    card = order_card(view(order, now=now), "answer", "Đơn", short="")

    assert lines_of(card, BlockRole.WHO) == (who, "Đặt qua PhoX")
    assert lines_of(card, BlockRole.WHERE) == (where,)


def test_no_card_before_confirmation_lets_the_customer_slip() -> None:
    """Neither in a template nor in an SMS nor in a history."""
    placed = Event(EventType.PLACED, 1, MORNING, BY_PLATFORM, {})
    cards = [card for seen, card in every_card() if seen.order.status is Status.PENDING]
    cards += [details_card(view(), [placed]), reasons_card(view())]

    for card in cards:
        shown = text_of(card) + str(dict(card.template))
        assert "Nguyễn" not in shown
        assert "0909123456" not in shown
        assert "909123456" not in shown


@pytest.mark.parametrize(
    ("whole", "masked"),
    [
        ("Nguyễn Văn An", "N••• V•• A•"),
        ("Công ty ABC", "C••• t• A••"),
        ("A", "•"),
        ("", ""),
        ("Bé  Na", "B• N•"),
    ],
)
def test_masked_names(whole: str, masked: str) -> None:
    """The shape of a name, not the name."""
    assert masking.masked_name(whole) == masked


@pytest.mark.parametrize(
    ("whole", "masked"), [("+84909123456", "09•••456"), ("+14155550123", "+1•••123"), ("1234", "•••")]
)
def test_masked_phones(whole: str, masked: str) -> None:
    """Its owner knows it again, nobody else can call it."""
    assert masking.masked_phone(whole) == masked


def test_masked_addresses_keep_the_town() -> None:
    """Enough to remember by."""
    assert masking.masked_address("12 Lê Lợi, Quận 1, TP.HCM") == "•••, TP.HCM"
    assert masking.masked_address("Cổng sau") == "•••"


# --- notices one by one ---------------------------------------------------------------------------


def test_a_change_is_told_as_before_and_after() -> None:
    """Time, dishes, notes, money and place, each on a line."""
    card = notice_card(view(), NoticeKind.ORDER_CHANGED, DATA)

    assert card.title == "Đơn 48274 đã thay đổi, cần xác nhận lại"
    assert lines_of(card, BlockRole.CHANGES) == (
        "Giờ giao: 11:30 thứ Ba 24/11 → 12:30 thứ Ba 24/11",
        "Cơm gà: 20 → 30",
        "Bỏ 5 × Chè",
        "Thêm 10 × Trà đá",
        "Cơm gà: – → ít cay",
        "Tổng tiền: 1.275.000 đ → 1.850.000 đ",
        "Phí: 0 đ → 50.000 đ",
        "Địa chỉ: 1 Lê Lai → 12 Lê Lợi",
        "Ghi chú: – → Giao cổng sau",
    )


def test_a_change_that_leaves_it_confirmed_asks_for_nothing() -> None:
    """Another note is no reason to confirm again."""
    data: dict[str, Json] = {
        "from": "confirmed",
        "changes": {"note": {"before": "", "after": "Giao cổng sau"}},
    }
    card = notice_card(view(CONFIRMED), NoticeKind.ORDER_CHANGED, data)

    assert card.title == "Đơn 48274 đã thay đổi"
    assert card.calendar
    assert not card.calendar.cancelled


def test_an_order_that_still_waited_is_waited_for_as_changed() -> None:
    """It was never confirmed, so nothing is confirmed again, and calendars have it as unsettled."""
    card = notice_card(view(), NoticeKind.ORDER_CHANGED, {**DATA, "from": "pending"})

    assert card.title == "Đơn 48274 đã thay đổi, chờ bạn xác nhận"
    assert card.calendar
    assert card.calendar.tentative


def test_a_cancellation_says_by_whom_why_and_to_stop_cooking() -> None:
    """And takes the delivery out of the calendar."""
    order = replace(CANCELLED, status_changed_by=BY_PLATFORM, reason=Reason(None, "Khách đổi ý"), version=5)
    card = notice_card(view(order), NoticeKind.ORDER_CANCELLED, {**DATA, "to": "cancelled"})

    assert card.title == "Đơn 48274 đã được PhoX huỷ lúc 08:10"
    assert lines_of(card, BlockRole.TEXT) == ("Đừng làm hoặc dừng làm đơn này.", "Khách đổi ý")
    assert card.calendar
    assert (card.calendar.cancelled, card.calendar.sequence) == (True, 5)


def test_a_confirmation_by_our_people_says_so() -> None:
    """Operators are "tổng đài"."""
    order = replace(CONFIRMED, status_changed_by=By(Via.OPERATOR, "An"))
    data: dict[str, Json] = {"to": "confirmed", "by": dump_by(order.status_changed_by)}
    card = notice_card(view(order), NoticeKind.ORDER_CONFIRMED, data)

    assert card.title == "Đơn 48274 đã được tổng đài (An) xác nhận lúc 08:10"
    assert card.calendar
    assert card.calendar.starts_at == LUNCH
    assert card.calendar.uid == f"order-{RICE.id}@chotdon.vn"


def test_tomorrow_is_said_the_day_before() -> None:
    """And the day by its name when it comes late."""
    early = notice_card(view(CONFIRMED, now=MORNING - timedelta(days=1)), NoticeKind.DELIVERY_TOMORROW, {})
    late = notice_card(view(CONFIRMED), NoticeKind.DELIVERY_TOMORROW, {})

    assert early.title == "Đơn 48274 giao ngày mai"
    assert late.title == "Đơn 48274 giao thứ Ba 24/11"


@pytest.mark.parametrize("kind", [NoticeKind.COMPLETE_REQUEST, NoticeKind.COMPLETE_REMINDER])
def test_the_money_that_waits_for_the_tap_is_told_to_who_may_know(kind: NoticeKind) -> None:
    """A cook gets the button without the amount."""
    after = LUNCH + timedelta(minutes=10)
    owner, cook = (
        notice_card(view(CONFIRMED, role, now=after), kind, {}) for role in (Role.OWNER, Role.KITCHEN)
    )

    assert lines_of(owner, BlockRole.MONEY) == ("1.900.000 đ chờ bạn bấm Hoàn thành mới được đối soát",)
    assert lines_of(cook, BlockRole.MONEY) == ()
    assert labels_of(owner)[0] == labels_of(cook)[0] == "Hoàn thành"


def test_a_review_is_stars_words_and_a_name() -> None:
    """The stars also as a number."""
    card = notice_card(view(COMPLETED, now=LUNCH), NoticeKind.REVIEW_RECEIVED, {})

    assert lines_of(card, BlockRole.REVIEW) == ("★★★★☆ 4/5", "Cơm ngon, giao hơi trễ", "Nguyễn Văn An")
    assert card.short.startswith("Đơn 48274 được khách chấm 4/5. Cơm ngon")


def test_colleagues_hear_who_settled_it() -> None:
    """Short, for who was asked before."""
    data: dict[str, Json] = {"by": dump_by(BY_LAN), "to": "confirmed"}
    card = notice_card(view(CONFIRMED), NoticeKind.COLLEAGUE_ACTED, data)

    assert card.title == "Đơn 48274 đã được Lan xác nhận lúc 08:10 qua Zalo"
    assert labels_of(card) == ["Xem chi tiết đơn hàng"]


def test_a_late_word_about_a_colleague_tells_what_they_did_not_what_came_after() -> None:
    """Lan confirmed; that Hoa completed it later is told by itself."""
    data: dict[str, Json] = {"by": dump_by(BY_LAN), "to": "confirmed"}
    card = notice_card(view(replace(COMPLETED, review=None), now=LUNCH), NoticeKind.COLLEAGUE_ACTED, data)

    assert card.title == "Đơn 48274 đã được Lan xác nhận qua Zalo"


def test_a_colleagues_reason_is_told_too() -> None:
    """Whoever cooks must know that a dish is out."""
    data: dict[str, Json] = {
        "by": dump_by(BY_LAN),
        "to": "cancelled",
        "reason": {"code": 1, "text": "Hết món"},
    }
    card = notice_card(view(CANCELLED), NoticeKind.COLLEAGUE_ACTED, data)

    assert lines_of(card, BlockRole.TEXT) == ("Hết món",)


@pytest.mark.parametrize("kind", [NoticeKind.ORDER_AT_RISK, NoticeKind.NOT_COMPLETED])
def test_operators_hear_which_kitchen_and_only_look(kind: NoticeKind) -> None:
    """They act by their own console."""
    order = RICE if kind is NoticeKind.ORDER_AT_RISK else CONFIRMED
    card = notice_card(view(order, None), kind, {})

    assert "của Cơm nhà Lan" in card.title
    assert labels_of(card) == ["Xem chi tiết đơn hàng", "Mở trang tổng đài"]
    assert SIGNER.read_link(str(card.buttons[0].url).rpartition("/")[2]).bearer is Bearer.OPERATOR
    assert str(card.buttons[1].url).endswith(f"/ops/orders/{order.id}")


def told(data: dict[str, Json], kind: NoticeKind = NoticeKind.TROUBLE, order: Order | None = None) -> Card:
    """Return what an operator is told."""
    about = view(order or RICE, None)
    return alarm_card(about.frame, kind, data, about if order else None)


def test_alarms_say_what_is_the_matter_since_when_and_what_to_do() -> None:
    """With all that is known, the order where there is one, and the way to the console."""
    since = LUNCH.isoformat()
    card = told({"name": "esms: gateway", "detail": "5 lần gọi liền nhau không thành", "since": since})
    about_order = told({"notice": "order_new"}, NoticeKind.UNDELIVERABLE, RICE)

    assert card.title == "Có trục trặc: cổng eSMS không trả lời"
    assert lines_of(card, BlockRole.TEXT) == (
        "5 lần gọi liền nhau không thành",
        f"Từ {LUNCH.astimezone(SAIGON):%H:%M}",
        "Tin đang đi bằng kênh khác. Nếu quá 15 phút chưa hết, hãy gọi cho bên cung cấp.",
    )
    assert str(card.buttons[0].url).endswith("/ops/alarms")
    assert about_order.title == "Đơn 48274 của Cơm nhà Lan: Có tin không đến được ai"
    assert lines_of(about_order, BlockRole.TEXT) == ("Quán chưa biết có đơn mới",)


def test_an_all_clear_says_what_is_over() -> None:
    """Of a trouble its name, of an order what became of it; nothing is left to do."""
    over = told({"name": "webhook: Cơm Ngon", "detail": "HTTP 500", "over": True})
    order = told({"over": True, "notice_over": "order_at_risk"}, order=CONFIRMED)
    lost = told({"over": True, "notice_over": "order_at_risk"}, order=EXPIRED)

    assert over.title == "Trục trặc đã hết: Cơm Ngon không nhận webhook"
    assert lines_of(over, BlockRole.TEXT) == ("HTTP 500",)
    assert order.title == f"Đơn {CONFIRMED.code} của Cơm nhà Lan: đã ổn (đã xác nhận)"
    assert lost.title == f"Đơn {EXPIRED.code} của Cơm nhà Lan: quá hạn xác nhận, đã tự huỷ"
    assert [is_well({"over": True}, each) for each in (None, CONFIRMED, EXPIRED)] == [True, True, False]


def test_several_alarms_are_one_list() -> None:
    """One line each, all-clears marked, the rest counted; short enough for a phone too."""
    raised, over = (
        told({"name": "zalo: token", "detail": "x" * 900}),
        told({"name": "a: gateway", "over": True}),
    )
    card = alarms_card(view(RICE, None).frame, [Alarm(raised, False), Alarm(over, True)], left=998)
    lines = lines_of(card, BlockRole.LIST)

    assert card.title == "1.000 việc cần xem"
    assert [line[:30] for line in lines[1:]] == ["✓ Trục trặc đã hết: cổng a khô", "và 998 việc nữa"]
    assert len(lines[0]) <= 380
    assert labels_of(card) == ["Mở trang tổng đài"]
    assert alarms_card(view(RICE, None).frame, [Alarm(over, True)] * 2, left=0).title == "2 việc đã ổn"


def test_every_kind_of_notice_has_a_card() -> None:
    """A notice without words would never leave."""
    for kind, rule in RULES.items():
        if rule.audience in {Audience.PERSON, Audience.CUSTOMER} or kind in ALARMS | kitchen_news.KINDS:
            continue
        order = BY_STATUS[next(iter(sorted(rule.while_status)))]
        assert notice_card(view(order), kind, {**DATA, "to": order.status.value}).title


# --- customers ------------------------------------------------------------------------------------


def customer(order: Order = CANCELLED, locale: str = "vi", partner: str = "Cơm nhà Lan") -> Card:
    """Return what the customer of this order is told."""
    return customer_card(
        texts_in(locale),
        order,
        partner_name=partner,
        platform_name="PhoX",
        zone=SAIGON,
        now=MORNING,
    )


def test_a_customer_hears_that_the_order_will_not_come() -> None:
    """When it was for, why, and whom to turn to; no button, no price, no name."""
    card = customer()

    assert card.title == "PhoX: đơn hàng của bạn tại Cơm nhà Lan đã bị huỷ"
    assert card.blocks[0].lines == ("Giao 11:30 thứ Ba 24/11",)
    assert "Quán đã hết món" in lines_of(card, BlockRole.TEXT)
    assert card.buttons == ()
    assert sms_length(card.short) <= ONE
    assert "PhoX" in card.short
    assert not PRICE.search(text_of(card))


def test_a_customers_language_is_theirs() -> None:
    """Whatever the kitchen speaks."""
    assert customer(locale="en").title == "PhoX: your order at Cơm nhà Lan was cancelled"


def test_a_customer_never_reads_words_that_were_not_meant_for_them() -> None:
    """A kitchen's free words stay in the kitchen; an overdue order says that nobody took it."""
    rude = replace(CANCELLED, reason=Reason(6, "khách này hay bom hàng"))

    assert "bom hàng" not in text_of(customer(rude))
    assert "Quán chưa kịp nhận đơn" in text_of(customer(EXPIRED))


def test_a_kitchen_with_a_very_long_name_still_fits_one_sms() -> None:
    """Cut, not lost."""
    assert sms_length(customer(partner="Quán cơm " * 40).short) <= ONE


# --- answers --------------------------------------------------------------------------------------


def test_a_confirmation_is_answered_with_the_customer_and_what_comes_next() -> None:
    """From now on the kitchen may know who ordered."""
    card = answer_card(view(CONFIRMED), about(CONFIRMED, AnswerKind.DONE, "confirm"))

    assert card.title == "Đã xác nhận đơn 48274"
    assert lines_of(card, BlockRole.TEXT) == ("Giao xong, bấm Hoàn thành (từ 10:30 thứ Ba 24/11).",)
    assert "0909123456" in text_of(card)


def test_what_was_settled_before_says_by_whom_when_and_how() -> None:
    """The sentence of the product."""
    settled = replace(CONFIRMED, status_changed_at=MORNING + timedelta(hours=1, minutes=2))
    card = answer_card(view(settled, now=LUNCH), about(settled, AnswerKind.STATE, "confirm"))

    assert card.title == "Đơn 48274 đã được Lan xác nhận lúc 09:12 qua Zalo"


def test_a_repeated_answer_says_the_same_though_the_order_has_moved_on() -> None:
    """And then how it stands now."""
    stored = about(CONFIRMED, AnswerKind.STATE, "confirm")
    card = answer_card(view(COMPLETED, now=LUNCH), stored)

    assert card.title == "Đơn 48274 đã được Lan xác nhận lúc 08:10 qua Zalo"
    assert lines_of(card, BlockRole.TEXT) == ("Đơn 48274 đã được Lan báo hoàn thành lúc 11:30 qua Zalo",)


def test_a_cancellation_is_answered_with_its_reason() -> None:
    """And who will hear of it."""
    card = answer_card(view(CANCELLED), about(CANCELLED, AnswerKind.DONE, "cancel"))

    assert card.title == "Đã huỷ đơn 48274"
    assert lines_of(card, BlockRole.TEXT) == ("Lý do: Hết món", "PhoX sẽ được báo ngay. Đừng làm đơn này.")


def test_a_completion_is_thanked_for() -> None:
    """With the amount for who may know it."""
    done = about(COMPLETED, AnswerKind.DONE, "complete")

    assert lines_of(answer_card(view(COMPLETED), done), BlockRole.TEXT) == ("1.900.000 đ đã vào kỳ đối soát",)
    assert lines_of(answer_card(view(COMPLETED, Role.KITCHEN), done), BlockRole.TEXT) == ()


def test_too_early_says_from_when() -> None:
    """Nothing was done, and when it can be."""
    early = about(CONFIRMED, AnswerKind.TOO_EARLY, "complete", not_before=LUNCH - timedelta(hours=1))
    card = answer_card(view(CONFIRMED), early)

    assert card.title == "Chưa báo hoàn thành đơn 48274 được"
    assert lines_of(card, BlockRole.TEXT) == ("Bấm Hoàn thành được từ 10:30 thứ Ba 24/11.",)


def test_a_confirmed_order_is_cancelled_by_the_hotline() -> None:
    """With a button that calls it; without a hotline the platform is named."""
    asked = about(CONFIRMED, AnswerKind.ASK_OPERATOR, "cancel")
    seen = view(CONFIRMED)
    quiet = replace(seen, frame=replace(seen.frame, desk=replace(DESK, hotline=None)))

    card = answer_card(seen, asked)
    assert lines_of(card, BlockRole.TEXT) == ("Cần huỷ, hãy gọi tổng đài 19001234.",)
    assert [button.phone for button in card.buttons if button.phone] == ["19001234"]
    assert lines_of(answer_card(quiet, asked), BlockRole.TEXT) == ("Cần huỷ, hãy liên hệ PhoX.",)


def test_an_old_card_is_answered_with_the_new_content_and_fresh_buttons() -> None:
    """What is pressed next is bound to what is seen now."""
    changed = replace(RICE, revision=2, items=(Item("Bún chả", 40, 50_000),))
    card = answer_card(view(changed), about(changed, AnswerKind.OUTDATED, "confirm"))

    assert "40 × Bún chả" in text_of(card)
    assert SIGNER.read_button(str(card.buttons[0].payload)).revision == 2


def test_who_may_not_is_told_whom_to_ask() -> None:
    """A cashier's tap does nothing."""
    refused = about(RICE, AnswerKind.FORBIDDEN, "confirm", why="role")
    card = answer_card(view(RICE, Role.CASHIER), refused)

    assert card.title == "Bạn không bấm cho đơn 48274 được"
    assert not any(button.payload for button in card.buttons)


def test_an_order_of_another_kitchen_does_not_exist() -> None:
    """Its code, status and platform stay unknown."""
    card = refusal_card(frame(), about(RICE, AnswerKind.FORBIDDEN, "confirm", why="not_yours"))

    assert "48274" not in text_of(card)


def test_every_answer_fits_every_channel() -> None:
    """Each kind, each status, each role, both languages."""
    for kind, order, role, locale, asked in product(
        AnswerKind, BY_STATUS.values(), Role, ("vi", "en"), ("confirm", "cancel", "complete")
    ):
        card = answer_card(view(order, role, locale=locale), about(order, kind, asked))
        assert card.title
        assert sms_length(card.short) <= TWO
        assert role.sees_money or "1.900.000" not in text_of(card)


# --- replies --------------------------------------------------------------------------------------


def test_cancelling_asks_for_a_reason_first() -> None:
    """Four reasons and the way to the others; nothing is cancelled yet."""
    card = reasons_card(view())
    purposes = [SIGNER.read_button(str(button.payload)).purpose for button in card.buttons]

    assert labels_of(card)[:5] == ["Hết món", "Quá tải", "Đóng cửa", "Ngoài vùng giao", "Lý do khác…"]
    assert [purpose.reason for purpose in purposes[:4]] == [1, 2, 3, 4]
    assert purposes[4] is Purpose.CANCEL_OTHER
    assert "Đơn chưa bị huỷ. Chọn một lý do để huỷ." in text_of(card)
    assert sms_length(card.short) <= ONE


def test_the_other_reasons_are_asked_for_then() -> None:
    """And how to give one's own words."""
    card = other_reasons_card(view())

    assert labels_of(card)[:2] == ["Sai giá hoặc thực đơn", "Khác"]
    assert "Hoặc nhắn: HUY 48274 và lý do của bạn." in text_of(card)


@pytest.mark.parametrize("asking", [reasons_card, other_reasons_card], ids=["first", "others"])
def test_who_slipped_finds_the_way_back(asking: Callable[[View], Card]) -> None:
    """The question may stand in the card's place: the last button shows the order again."""
    back = asking(view()).buttons[-1]

    assert back.label == "Không huỷ nữa"
    assert SIGNER.read_button(str(back.payload)).purpose is Purpose.DETAILS


def test_the_details_tell_the_whole_story() -> None:
    """Content, review, and who did what when by which way."""
    history = [
        Event(EventType.PLACED, 1, MORNING - timedelta(days=1), BY_PLATFORM, {}),
        Event(EventType.CHANGED, 2, MORNING - timedelta(hours=5), BY_PLATFORM, {}),
        Event(EventType.CONFIRMED, 3, MORNING, BY_LAN, {}),
        Event(EventType.COMPLETED, 4, LUNCH, BY_LAN, {}),
        Event(EventType.REVIEWED, 5, LUNCH + timedelta(hours=2), BY_PLATFORM, {}),
    ]
    card = details_card(view(COMPLETED, now=LUNCH + timedelta(hours=3)), history)

    assert lines_of(card, BlockRole.HISTORY) == (
        "08:10 ngày 23/11: Đơn 48274 được đặt",
        "03:10: Đơn 48274 được thay đổi",
        "08:10: Đơn 48274 đã được Lan xác nhận qua Zalo",
        "11:30: Đơn 48274 đã được Lan báo hoàn thành qua Zalo",
        "13:30: Đơn 48274 được khách đánh giá",
    )
    assert lines_of(card, BlockRole.REVIEW)[0] == "★★★★☆ 4/5"


def test_a_list_is_paged_by_a_button() -> None:
    """It carries the filter and the last order shown."""
    card = list_card(frame(), [RICE, CONFIRMED], status=Status.PENDING, has_more=True)
    token = SIGNER.read_button(str(card.buttons[0].payload))

    assert card.title == "Đơn chờ xác nhận"
    assert lines_of(card, BlockRole.LIST)[0] == (
        "48274 · Chờ xác nhận · 11:30 thứ Ba 24/11 · 40 suất · 1.900.000 đ"
    )
    assert (token.purpose, FILTERS[token.revision]) == (Purpose.LIST, Status.PENDING)
    assert token.order_id == CONFIRMED.id


def test_an_empty_list_says_so() -> None:
    """Rather than nothing."""
    card = list_card(frame(), [], status=None, has_more=False)

    assert "Chưa có đơn nào ở đây." in text_of(card)


def test_a_day_is_in_time_order_with_totals_per_dish() -> None:
    """What to cook in all."""
    card = day_card(frame(), LUNCH.date(), [CONFIRMED, RICE])

    assert card.title == "Giao thứ Ba 24/11"
    assert lines_of(card, BlockRole.LIST)[0] == "11:30 · 48274 · 40 suất · Đã xác nhận"
    assert lines_of(card, BlockRole.DISHES) == ("60 × Cơm gà", "20 × Trà đá")


def test_money_is_for_who_may_see_it() -> None:
    """A cook is sent to the owner."""
    month = MonthMoney(Heap(12, 24_000_000), Heap(1, 1_900_000), Heap(2, 3_000_000), Heap(0, 0))
    owner = money_card(frame(), LUNCH.date(), month)
    cook = money_card(frame(Role.KITCHEN), LUNCH.date(), month)

    assert lines_of(owner, BlockRole.MONEY)[:2] == (
        "Hoàn thành: 12 đơn, 24.000.000 đ",
        "Đã giao, chờ bấm Hoàn thành: 1 đơn, 1.900.000 đ",
    )
    assert "000" not in text_of(cook)


def test_reviews_have_an_average() -> None:
    """And say so where there are none."""
    some = reviews_card(frame(), Reviews((COMPLETED,), 3, 4.333))
    none = reviews_card(frame(), Reviews((), 0, None))

    assert some.title == "Khách chấm 4,3/5 (3 lượt)"
    assert none.title == "Chưa có đánh giá nào của khách."


def test_a_choice_has_a_button_for_each_order() -> None:
    """One tap says which was meant."""
    card = choice_card(frame(), "Bạn nói đơn nào?", [view(), view(CONFIRMED)], "XN", Purpose.CONFIRM)

    assert labels_of(card) == ["XN 48274", "XN 48274"]
    assert card.short.endswith("Soạn XN 48274 gửi 8041 hoặc mã 48274")


def test_a_review_of_an_old_order_masks_its_author() -> None:
    """The author is the customer."""
    old = view(
        replace(COMPLETED, review=Review(5, "", "Nguyễn Văn An", LUNCH)), now=LUNCH + timedelta(days=40)
    )

    assert "N••• V•• A•" in text_of(details_card(old, []))
    assert "Nguyễn" not in text_of(details_card(old, []))


# --- thanking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_only_who_runs_the_kitchen_is_offered_to_thank(role: Role) -> None:
    """The button carries the review's mark, so that it never thanks for another one."""
    card = notice_card(view(COMPLETED, role), NoticeKind.REVIEW_RECEIVED, {})
    tokens = [SIGNER.read_button(button.payload) for button in card.buttons if button.payload]

    assert COMPLETED.review
    expected = [(Purpose.THANK, COMPLETED.review.mark)] if role.runs_kitchen else []
    assert [(token.purpose, token.revision) for token in tokens] == expected


def test_a_review_shows_what_the_kitchen_said_to_it() -> None:
    """Under the customer's own words, with who said it."""
    card = notice_card(view(ANSWERED), NoticeKind.REVIEW_RECEIVED, {})

    assert lines_of(card, BlockRole.REVIEW) == ("★★★★☆ 4/5", "Ngon", "An", "Lan trả lời: Cảm ơn chị")


def test_operators_are_led_to_the_order_that_did_not_please() -> None:
    """With stars and words; on the console."""
    bad = replace(COMPLETED, review=Review(1, "Nguội", "An", LUNCH))
    card = notice_card(view(bad, None), NoticeKind.LOW_REVIEW, {})

    assert card.title == "Đơn 48274 của Cơm nhà Lan bị khách chấm 1/5"
    assert "Nguội" in lines_of(card, BlockRole.REVIEW)
    assert [str(button.url).endswith(f"/ops/orders/{bad.id}") for button in card.buttons] == [True]


def test_the_link_stays_whole_however_long_the_names() -> None:
    """In one SMS: who asks is cut, or left out."""
    link = f"https://chotdon.vn/r/{SIGNER.review(COMPLETED.id)}"
    for partner, platform in (("Cơm nhà Lan", "PhoX"), ("Quán cơm " * 9, "Đặt món " * 9)):
        card = ask_review_card(
            texts_in("vi"), COMPLETED, partner_name=partner, platform_name=platform, link=link, zone=SAIGON
        )
        assert card.short.endswith(f" {link}")
        assert sms_length(card.short) <= ONE
