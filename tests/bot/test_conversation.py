"""From what somebody says or presses to what happens and what they get to read, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from bot.tokens import ButtonToken, Purpose
from core.actors import Role
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    Followed,
    Inbound,
    Left,
    Pressed,
    Said,
    SharedPhone,
    Unreadable,
)
from core.notices.kinds import NoticeKind
from core.orders.commands import CompleteOrder, ReviewOrder
from core.orders.order import Order, OrderId
from core.orders.status import Status
from core.partners import addresses, linking, one_time_links
from core.partners.one_time_links import LinkPurpose
from tests.bot.chatting import SECRET, SIGNER, Chats, open_chats
from tests.bot.plates import labels_of, text_of
from tests.core.kitchens import HOA_KITCHEN, platform, soon


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Yield Lan's kitchen and its neighbour."""
    async with open_chats(database_url) as chats:
        yield chats


def button(order: Order, purpose: Purpose, chats: Chats) -> str:
    """Return the payload of a button that Lan was sent."""
    return SIGNER.button(ButtonToken(order.id, order.revision, purpose, chats.lan.id))


def only(cards: list[Card]) -> Card:
    """Return the one card there is."""
    assert len(cards) == 1, [card.title for card in cards]
    return cards[0]


# --- buttons --------------------------------------------------------------------------------------


async def test_a_press_confirms(chats: Chats) -> None:
    """And is answered with the customer's name, which a kitchen may now know."""
    order = await chats.places()

    card = only(await chats.presses("lan", button(order, Purpose.CONFIRM, chats)))

    assert card.title == f"Đã xác nhận đơn {order.code}"
    assert "Công ty ABC" in text_of(card)
    assert (await chats.order(order.id)).status is Status.CONFIRMED


async def test_a_second_press_hears_who_did_it(chats: Chats) -> None:
    """It changes nothing."""
    order = await chats.places()
    await chats.presses("lan", button(order, Purpose.CONFIRM, chats))

    card = only(await chats.presses("lan", button(order, Purpose.CONFIRM, chats)))

    assert card.title.startswith(f"Đơn {order.code} đã được Lan xác nhận lúc ")
    assert card.title.endswith(" qua Zalo")
    assert (await chats.order(order.id)).version == 2


async def test_the_same_event_twice_is_one_press_and_one_answer(chats: Chats) -> None:
    """Gateways repeat themselves."""
    order = await chats.places()
    press = button(order, Purpose.CONFIRM, chats)

    assert len(await chats.presses("lan", press, key="zalo:m1")) == 1
    assert await chats.presses("lan", press, key="zalo:m1") == []


async def test_a_payload_that_comes_back_as_words_is_a_press(chats: Chats) -> None:
    """Some chats send it so."""
    order = await chats.places()

    await chats.says("lan", f" {button(order, Purpose.CONFIRM, chats)} ")

    assert (await chats.order(order.id)).status is Status.CONFIRMED


async def test_cancelling_asks_why_and_then_cancels(chats: Chats) -> None:
    """Two presses, the second with a reason."""
    order = await chats.places()

    asked = only(await chats.presses("lan", button(order, Purpose.CANCEL, chats)))
    assert asked.title == f"Huỷ đơn {order.code} vì lý do gì?"
    assert (await chats.order(order.id)).status is Status.PENDING

    done = only(await chats.presses("lan", asked.buttons[1]))
    assert "Lý do: Quá tải" in text_of(done)
    assert (await chats.order(order.id)).status is Status.CANCELLED


async def test_other_reasons_are_one_press_further(chats: Chats) -> None:
    """Zalo has room for five buttons."""
    order = await chats.places()
    asked = only(await chats.presses("lan", button(order, Purpose.CANCEL, chats)))

    others = only(await chats.presses("lan", asked.buttons[4]))
    await chats.presses("lan", others.buttons[0])

    reason = (await chats.order(order.id)).reason
    assert reason
    assert (reason.code, reason.text) == (5, "Sai giá hoặc thực đơn")


async def test_a_confirmed_order_is_not_cancelled_by_the_kitchen_alone(chats: Chats) -> None:
    """Neither by a press that asks nor by one that gives a reason."""
    order = await chats.confirmed()

    for purpose in (Purpose.CANCEL, Purpose.CANCEL_1):
        card = only(await chats.presses("lan", button(order, purpose, chats)))
        assert "Cần huỷ, hãy gọi tổng đài 19001234." in text_of(card)
        assert "Gọi tổng đài" in labels_of(card)
    assert (await chats.order(order.id)).status is Status.CONFIRMED


async def test_completing_too_early_says_from_when(chats: Chats) -> None:
    """And then works."""
    order = await chats.confirmed(deliver_at=soon(chats.database, timedelta(hours=3)))

    early = only(await chats.presses("lan", button(order, Purpose.COMPLETE, chats)))
    await chats.moves(timedelta(hours=2, minutes=1))
    done = only(await chats.presses("lan", button(order, Purpose.COMPLETE, chats)))

    assert early.title == f"Chưa báo hoàn thành đơn {order.code} được"
    assert done.title == f"Đã hoàn thành đơn {order.code}. Cảm ơn bạn!"


async def test_a_forwarded_card_shows_a_colleague_but_never_acts(chats: Chats) -> None:
    """The button was made for Lan; Minh gets the order with buttons of his own."""
    order = await chats.places()
    minh = await chats.hires("Minh", Role.MANAGER, "minh")

    card = only(await chats.presses("minh", button(order, Purpose.CONFIRM, chats)))

    assert card.title == f"Đơn {order.code}: Chờ xác nhận"
    assert SIGNER.read_button(str(card.buttons[0].payload)).staff_id == minh.id
    assert (await chats.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.CANCEL, Purpose.CANCEL_1, Purpose.HELP])
async def test_a_card_forwarded_to_strangers_is_dead(chats: Chats, purpose: Purpose) -> None:
    """Not a word to the neighbour's kitchen nor to nobody's phone."""
    order = await chats.places()
    await chats.hires("Hoa", Role.OWNER, "hoa", elsewhere=True)

    assert await chats.presses("hoa", button(order, purpose, chats)) == []
    assert await chats.presses("nobody", button(order, purpose, chats)) == []
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_a_removed_members_buttons_and_words_are_dead(chats: Chats) -> None:
    """From the moment they leave."""
    order = await chats.places()
    await chats.database.pool.execute("UPDATE staff SET removed_at = now() WHERE id = $1", chats.lan.id)

    assert await chats.presses("lan", button(order, Purpose.CONFIRM, chats)) == []
    assert await chats.says("lan", f"XN {order.code}") == []
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_a_cashier_may_look_but_not_press(chats: Chats) -> None:
    """And is told whom to ask."""
    order = await chats.places()
    hoa = await chats.hires("Hoa", Role.CASHIER, "hoa")
    press = SIGNER.button(ButtonToken(order.id, order.revision, Purpose.CONFIRM, hoa.id))
    ask = SIGNER.button(ButtonToken(order.id, order.revision, Purpose.CANCEL, hoa.id))

    for payload in (press, ask):
        assert only(await chats.presses("hoa", payload)).title == f"Bạn không bấm cho đơn {order.code} được"
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_an_old_card_shows_the_new_content(chats: Chats) -> None:
    """What was pressed was another order, in a way."""
    order = await chats.places()
    old = SIGNER.button(ButtonToken(order.id, order.revision + 1, Purpose.CONFIRM, chats.lan.id))

    card = only(await chats.presses("lan", old))

    assert card.title == f"Đơn {order.code} đã thay đổi sau thẻ bạn bấm, chưa có gì được làm"
    await chats.presses("lan", card.buttons[0])
    assert (await chats.order(order.id)).status is Status.CONFIRMED


@pytest.mark.parametrize("payload", ["", "rubbish", "A" * 60, "#cd:" + "A" * 60, "é" * 60, "A" * 5000])
async def test_a_forged_button_does_nothing(chats: Chats, payload: str) -> None:
    """Staff are helped, strangers are not."""
    order = await chats.places()

    assert only(await chats.presses("lan", payload)).title == "Mình chưa hiểu. Bạn có thể nhắn"
    assert await chats.presses("nobody", payload) == []
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_a_button_about_no_order_finds_none(chats: Chats) -> None:
    """Ours, but the order is not there."""
    gone = SIGNER.button(ButtonToken(OrderId(uuid4()), 1, Purpose.CONFIRM, chats.lan.id))

    assert only(await chats.presses("lan", gone)).title == "Không tìm thấy đơn này trong quán của bạn."


async def test_two_presses_at_the_same_moment_are_one_deed(chats: Chats) -> None:
    """One did it; the other hears who."""
    order = await chats.places()
    press = button(order, Purpose.CONFIRM, chats)

    await asyncio.gather(*(chats.presses("lan", press) for _ in range(8)))
    await chats.delivered("lan")

    titles = [card.title for card in chats.of_kind(NoticeKind.ANSWER) if card]
    assert len(titles) == 8
    assert titles.count(f"Đã xác nhận đơn {order.code}") == 1


# --- words ----------------------------------------------------------------------------------------


async def test_words_do_what_buttons_do(chats: Chats) -> None:
    """Confirm, complete; with the code."""
    order = await chats.places(deliver_at=soon(chats.database, timedelta(minutes=30)))

    assert only(await chats.says("lan", f"dạ xn {order.code} nhé")).title == f"Đã xác nhận đơn {order.code}"
    assert only(await chats.says("lan", f"xong {order.code} rồi ạ")).title.startswith("Đã hoàn thành")
    assert (await chats.order(order.id)).status is Status.COMPLETED


async def test_cancelling_in_words_needs_a_reason(chats: Chats) -> None:
    """Without one it asks; one's own words are kept."""
    order = await chats.places()

    assert only(await chats.says("lan", f"huỷ {order.code}")).title == f"Huỷ đơn {order.code} vì lý do gì?"
    done = only(await chats.says("lan", f"huỷ {order.code} vì hết gas rồi"))

    assert "Lý do: hết gas" in text_of(done)
    assert (await chats.order(order.id)).status is Status.CANCELLED


async def test_a_bare_verb_means_the_only_order_that_fits(chats: Chats) -> None:
    """And asks when there are two; one press then says which."""
    first = await chats.places()
    assert only(await chats.says("lan", "ok")).title == f"Đã xác nhận đơn {first.code}"

    second, third = await chats.places(), await chats.places()
    asked = only(await chats.says("lan", "ok"))
    assert asked.title == "Bạn nói đơn nào?"
    assert {(await chats.order(each.id)).status for each in (second, third)} == {Status.PENDING}

    await chats.presses("lan", next(each for each in asked.buttons if third.code in each.label))
    assert (await chats.order(third.id)).status is Status.CONFIRMED
    assert (await chats.order(second.id)).status is Status.PENDING


async def test_a_bare_verb_without_any_order_says_so(chats: Chats) -> None:
    """Each verb in its own words."""
    assert only(await chats.says("lan", "XN")).title == "Không có đơn nào chờ xác nhận"
    assert only(await chats.says("lan", "HT")).title == "Không có đơn nào chờ báo hoàn thành"
    assert only(await chats.says("lan", "HUY")).title == "Không có đơn nào huỷ được"


async def test_a_bare_complete_waits_for_its_time(chats: Chats) -> None:
    """An order of the day after tomorrow is not what "xong" means today."""
    await chats.confirmed()

    assert only(await chats.says("lan", "xong")).title == "Không có đơn nào chờ báo hoàn thành"


async def test_a_reason_without_an_order_asks_which(chats: Chats) -> None:
    """`HUY 1` with one order waiting, too."""
    order = await chats.places()

    assert only(await chats.says("lan", "HUY 1")).title == "Bạn nói đơn nào?"
    assert only(await chats.says("lan", "HUY")).title == f"Huỷ đơn {order.code} vì lý do gì?"
    assert (await chats.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("khong xn {code}", "Chưa có gì được làm với đơn {code}. Bạn muốn làm gì?"),
        ("xn {code} giao trễ", "Mình chưa chắc ý bạn, chưa có gì được làm với đơn {code}"),
        ("xn huy {code}", "Mỗi tin chỉ một việc, chưa có gì được làm"),
        ("huỷ xn {code}", "Mỗi tin chỉ một việc, chưa có gì được làm"),
        ("{code}", "Bạn muốn làm gì với đơn {code}?"),
        ("xm {code}", "Bạn muốn làm gì với đơn {code}?"),
        ("xn {code} 00000", "Mỗi tin chỉ một mã đơn, chưa có gì được làm"),
        ("xn chưa", "Chưa có gì được làm. Bạn muốn làm gì với đơn nào?"),
    ],
)
async def test_what_is_not_clear_asks_and_does_nothing(chats: Chats, text: str, title: str) -> None:
    """The order is shown where one was named."""
    order = await chats.places()

    card = only(await chats.says("lan", text.format(code=order.code)))

    assert card.title.startswith(title.format(code=order.code))
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_a_slip_is_answered_with_what_was_meant(chats: Chats) -> None:
    """A wrong digit, a split code, half a code: asked with a suggestion, never done."""
    order = await chats.places()
    code = order.code
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

    assert only(await chats.says("lan", f"xn {wrong}")).title == f"Không có đơn {wrong}. Ý bạn là {code}?"
    split = only(await chats.says("lan", f"xn {code[:2]} {code[2:]}"))
    half = only(await chats.says("lan", f"xn {code[:4]}"))

    assert split.title == f"Mã đơn có 5 số, bạn viết {code}. Ý bạn là {code}?"
    assert half.title == f"Mã đơn có 5 số, bạn viết {code[:4]}. Ý bạn là {code}?"
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_another_kitchens_code_is_wrong(chats: Chats) -> None:
    """As if it did not exist."""
    await chats.hires("Hoa", Role.OWNER, "hoa", elsewhere=True)
    order = await chats.places()

    card = only(await chats.says("hoa", f"XN {order.code}"))

    assert card.title == f"Không có đơn {order.code}, chưa có gì được làm"
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_ones_own_closed_order_is_not_a_wrong_code(chats: Chats) -> None:
    """It answers how it ended, six times over."""
    order = await chats.places()
    await chats.says("lan", f"HUY {order.code} 1")

    for _ in range(6):
        card = only(await chats.says("lan", f"XN {order.code}"))
        assert card.title.startswith(f"Đơn {order.code} đã được Lan huỷ lúc")


async def test_five_wrong_codes_lock_the_sender_for_an_hour(chats: Chats) -> None:
    """One answer says so, the operators hear of it, then silence; buttons still work."""
    order = await chats.places()
    answers = [await chats.says("lan", "XN 11111") for _ in range(6)]

    assert [len(cards) for cards in answers] == [1, 1, 1, 1, 1, 0]
    assert only(answers[4]).title == "Bạn gửi sai mã nhiều lần, số này tạm khoá một giờ"
    assert await chats.says("lan", f"XN {order.code}") == []
    assert len(chats.of_kind(NoticeKind.TROUBLE)) == 1

    await chats.presses("lan", button(order, Purpose.CONFIRM, chats))
    assert (await chats.order(order.id)).status is Status.CONFIRMED

    await chats.moves(timedelta(minutes=61))
    assert len(await chats.says("lan", f"CT {order.code}")) == 1


async def test_a_repeated_wrong_code_counts_once(chats: Chats) -> None:
    """The gateway's repetition is not the sender's."""
    for _ in range(6):
        await chats.says("lan", "XN 11111", key="zalo:same")

    assert only(await chats.says("lan", "XN 11111")).title.startswith("Không có đơn 11111")


async def test_a_repeat_means_what_it_meant_the_first_time(chats: Chats) -> None:
    """An "ok" confirmed the only order; when it comes again, another one waits, and stays waiting."""
    first = await chats.places()
    await chats.says("lan", "ok", key="zalo:ok")
    second = await chats.places()

    assert await chats.says("lan", "ok", key="zalo:ok") == []
    assert (await chats.order(first.id)).status is Status.CONFIRMED
    assert (await chats.order(second.id)).status is Status.PENDING


async def test_help_is_given_five_times_in_a_row(chats: Chats) -> None:
    """Then not again, until something is understood or done."""
    order = await chats.places()
    heard = [len(await chats.says("lan", text)) for text in ("hả", "TG", "bao giờ", "?", "dạ", "hả", "TG")]
    assert heard == [1, 1, 1, 1, 1, 0, 0]

    await chats.says("lan", "DS")
    assert len(await chats.says("lan", "TG")) == 1
    for _ in range(5):
        await chats.says("lan", "hả")
    assert await chats.says("lan", "hả") == []

    await chats.presses("lan", button(order, Purpose.CONFIRM, chats))
    assert len(await chats.says("lan", "hả")) == 1


# --- questions ------------------------------------------------------------------------------------


async def test_one_order_in_full(chats: Chats) -> None:
    """With its history."""
    order = await chats.confirmed()

    card = only(await chats.says("lan", f"CT {order.code}"))

    assert card.title == f"Đơn {order.code}: Đã xác nhận"
    assert "đã được Lan xác nhận qua trang web" in text_of(card)


async def test_lists_by_status_paged_by_a_button(chats: Chats) -> None:
    """The newest delivery first, ten at a time, each once."""
    orders = [
        await chats.places(deliver_at=soon(chats.database, timedelta(days=2, hours=n // 2)))
        for n in range(12)
    ]
    await chats.says("lan", f"XN {orders[0].code}")

    first = only(await chats.says("lan", "DS CHO"))
    second = only(await chats.presses("lan", first.buttons[0]))
    lines = [line for card in (first, second) for line in card.blocks[0].lines]

    assert len(first.blocks[0].lines) == 10
    assert not [button for button in second.buttons if button.label == "Xem tiếp"]
    assert {line[:5] for line in lines} == {order.code for order in orders[1:]}
    assert len(lines) == 11
    assert lines[0][:5] in {orders[10].code, orders[11].code}
    assert orders[0].code in only(await chats.says("lan", "DS XN")).blocks[0].lines[0]
    assert "Chưa có đơn nào ở đây." in text_of(only(await chats.says("lan", "DS HUY")))


async def test_today_and_tomorrow(chats: Chats) -> None:
    """By the kitchen's own days, with what to cook in all."""
    await chats.places(deliver_at=soon(chats.database, timedelta(days=1)))

    tomorrow = only(await chats.says("lan", "MAI"))

    assert "20 × Cơm gà" in text_of(tomorrow)
    assert "Không có đơn nào phải giao." in text_of(only(await chats.says("lan", "HN")))


async def test_the_menu_of_the_help_works(chats: Chats) -> None:
    """Its buttons ask what their labels say."""
    order = await chats.places(deliver_at=soon(chats.database, timedelta(days=1)))
    menu = {each.label: each for each in only(await chats.says("lan", "TG")).buttons}

    waiting = only(await chats.presses("lan", menu["Đơn chờ xác nhận"]))
    tomorrow = only(await chats.presses("lan", menu["Giao ngày mai"]))
    today = only(await chats.presses("lan", menu["Giao hôm nay"]))

    assert order.code in text_of(waiting)
    assert order.code in text_of(tomorrow)
    assert order.code not in text_of(today)


async def test_money_of_a_month(chats: Chats) -> None:
    """Completed, waiting for the tap, cancelled; nothing for the cook."""
    await chats.hires("Tú", Role.KITCHEN, "tu")
    done, late, lost = [
        await chats.places(deliver_at=soon(chats.database, timedelta(minutes=20))) for _ in range(3)
    ]
    for order in (done, late):
        await chats.says("lan", f"XN {order.code}")
    await chats.says("lan", f"HUY {lost.code} 2")
    await chats.ledger.submit(CompleteOrder(done.id), actor=chats.lan.on_the_web())
    await chats.moves(timedelta(minutes=21))

    month = chats.now.astimezone().strftime("%m/%Y")
    card = only(await chats.says("lan", f"TIEN {month}"))

    assert card.blocks[0].lines == (
        "Hoàn thành: 1 đơn, 1.220.000 đ",
        "Đã giao, chờ bấm Hoàn thành: 1 đơn, 1.220.000 đ",
        "Huỷ: 1 đơn, 1.220.000 đ",
        "Quá hạn xác nhận: 0 đơn, 0 đ",
    )
    assert "1.220" not in text_of(only(await chats.says("tu", "TIEN")))


async def test_reviews(chats: Chats) -> None:
    """The last ones, and the average."""
    assert only(await chats.says("lan", "DG")).title == "Chưa có đánh giá nào của khách."
    order = await chats.confirmed(deliver_at=soon(chats.database, timedelta(minutes=20)))
    await chats.ledger.submit(CompleteOrder(order.id), actor=chats.lan.on_the_web())
    await chats.ledger.submit(ReviewOrder(order.id, 4, "Ngon", "Chị An"), actor=platform())

    card = only(await chats.says("lan", "đánh giá"))

    assert card.title == "Khách chấm 4,0/5 (1 lượt)"
    assert f"{order.code} · ★★★★☆ 4/5 · Ngon" in text_of(card)


async def test_a_language_is_kept(chats: Chats) -> None:
    """From this answer on."""
    order = await chats.places()

    assert only(await chats.says("lan", "EN")).title == "From now on I speak English with you"
    assert labels_of(only(await chats.says("lan", f"CT {order.code}")))[0] == "Confirm order"
    assert only(await chats.says("lan", "VI")).title == "Từ nay mình nói tiếng Việt với bạn"


async def test_a_link_into_the_pages_works_once_and_names_who_asked(chats: Chats) -> None:
    """It stands in the button alone, and dies with who asked for it."""
    card = only(await chats.says("lan", "WEB"))
    (button,) = card.buttons
    link_id = SIGNER.read_one_time(str(button.url).removeprefix("https://chotdon.vn/login/"))

    link = await one_time_links.look(chats.database.pool, link_id, LinkPurpose.LOGIN, now=chats.now)
    assert link is not None
    assert (link.staff.staff_id, link.via, link.address) == (
        chats.lan.id,
        "zalo",
        Address(AddressKind.ZALO_USER, "lan"),
    )
    assert str(button.url) not in card.short


@pytest.mark.parametrize(
    ("purpose", "edits", "to"),
    [(Purpose.TODAY, "99", "-7"), (Purpose.MONEY, None, "5"), (Purpose.WEB, None, "5")],
    ids=["for all", "money", "a link"],
)
async def test_an_answer_for_one_alone_changes_no_message_of_the_group(
    chats: Chats, purpose: Purpose, edits: str | None, to: str
) -> None:
    """The number of a group's message may be that of another one in the private chat."""
    lan, group = (Address(AddressKind.TELEGRAM_CHAT, value) for value in ("5", "-7"))
    for address in (lan, group):
        await addresses.add(chats.database.pool, chats.lan.id, address, now=chats.now)
    token = ButtonToken(OrderId(UUID(int=0)), 0, purpose, chats.lan.id)
    pressed = Pressed(SIGNER.button(token))
    await chats.conversation.handle(
        Inbound(ChannelName.TELEGRAM, "telegram:1", lan, pressed, group=group, pressed_on="99")
    )
    data = await chats.database.pool.fetchval("SELECT data FROM notices WHERE state = 'owed'")
    assert (data["edits"], data["to"]["value"]) == (edits, to)


async def test_one_person_in_two_kitchens(chats: Chats) -> None:
    """Codes find their kitchen; questions are answered for each."""
    await chats.hires("Lan", Role.MANAGER, "lan", elsewhere=True)
    here, there = await chats.places(), await chats.places(partner_id=HOA_KITCHEN)

    titles = {card.title for card in await chats.says("lan", "DS")}
    assert titles == {"Đơn của Cơm nhà Lan", "Đơn của Bếp Hoa"}

    if here.code != there.code:
        await chats.says("lan", f"XN {there.code}")
        assert (await chats.order(there.id)).status is Status.CONFIRMED
        assert (await chats.order(here.id)).status is Status.PENDING


# --- addresses ------------------------------------------------------------------------------------


async def test_strangers_are_not_answered(chats: Chats) -> None:
    """Whatever they say or send."""
    order = await chats.places()

    for text in ("TG", "DS", f"XN {order.code}", "LK 000000", "xin chào"):
        assert await chats.says("nobody", text) == []
    assert await chats.comes_in("nobody", Unreadable("image")) == []


async def test_a_right_link_code_makes_the_chat_theirs(chats: Chats) -> None:
    """Once; it is told who it is now, and orders come from then on."""
    minh = await chats.hires("Minh", Role.MANAGER, "old-phone")
    key = linking.code_key(SECRET)
    code = await linking.create_code(chats.database, minh.id, ChannelName.ZALO, key=key)

    card = only(await chats.says("new-phone", code.text))

    assert card.title == "Xong! Bạn là Minh của Cơm nhà Lan"
    assert len(await chats.says("new-phone", "DS")) == 1
    assert await chats.says("thief", code.text) == []


async def test_staff_hear_of_a_wrong_link_code(chats: Chats) -> None:
    """Five tries, then an hour of silence."""
    said = [await chats.says("lan", f"LK 00000{n}") for n in range(6)]

    assert only(said[0]).title == "Mã nối không đúng hoặc đã hết hạn"
    assert only(said[4]).title == "Sai mã nhiều lần, hãy thử lại sau một giờ"
    assert said[5] == []


async def test_following_tells_a_stranger_how_to_link(chats: Chats) -> None:
    """And staff who they are."""
    assert only(await chats.comes_in("nobody", Followed())).title == (
        "Chào bạn! Tài khoản này chưa nối với quán nào"
    )
    assert only(await chats.comes_in("lan", Followed())).title == "Xong! Bạn là Lan của Cơm nhà Lan"


async def test_leaving_ends_the_address_and_coming_back_revives_it(chats: Chats) -> None:
    """Nothing is sent to who has left."""
    await chats.comes_in("lan", Left())
    lan = Address(AddressKind.ZALO_USER, "lan")
    assert await addresses.staff_at(chats.database.pool, lan) == []

    assert len(await chats.says("lan", "DS")) == 1
    assert len(await addresses.staff_at(chats.database.pool, lan)) == 1


async def test_what_we_cannot_read_is_said_so(chats: Chats) -> None:
    """A picture, a voice, a sticker; five times, like any help."""
    heard = [await chats.comes_in("lan", Unreadable("image")) for _ in range(6)]

    assert only(heard[0]).title == "Mình chỉ đọc được chữ"
    assert heard[5] == []


async def test_writing_opens_the_window(chats: Chats) -> None:
    """Zalo lets us answer for a while after somebody wrote."""
    await chats.says("lan", "DS")

    seats = await addresses.staff_at(chats.database.pool, Address(AddressKind.ZALO_USER, "lan"))
    assert seats[0].heard_at
    assert chats.now - seats[0].heard_at < timedelta(minutes=1)


async def test_a_shared_phone_proves_nothing(chats: Chats) -> None:
    """Anybody can say that a number is theirs; without SMS they hear how else to link."""
    card = only(await chats.comes_in("nobody", SharedPhone("+84909123456", "Lan")))
    assert card.title == "Chào bạn! Tài khoản này chưa nối với quán nào"
    assert not card.wants_phone
    assert await addresses.staff_at(chats.database.pool, Address(AddressKind.PHONE, "+84909123456")) == []


async def test_the_worker_is_woken_for_every_answer(chats: Chats) -> None:
    """By its id, after the commit."""
    await chats.says("lan", "DS")

    assert len(chats.wake.notices) == 1


async def test_two_deliveries_of_one_question_are_answered_once(chats: Chats) -> None:
    """At the same moment, too."""
    lan = Address(AddressKind.ZALO_USER, "lan")
    inbound = Inbound(ChannelName.ZALO, "zalo:twice", lan, Said("DS"))

    await asyncio.gather(*(chats.conversation.handle(inbound) for _ in range(5)))

    assert len(await chats.delivered("lan")) == 1
