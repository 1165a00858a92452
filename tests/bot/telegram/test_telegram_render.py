"""A card as Telegram takes it: never too long, never half a tag, the important things first."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup, ReplyKeyboardMarkup

from bot.telegram import render
from core.channels import Badge, Block, BlockRole, Button, ButtonStyle, Card
from sandbox.telegram.html import read_text
from sandbox.telegram.keyboards import read_markup

NEW = Card(
    kind="order_new",
    locale="vi",
    title="Đơn 48273 mới, chờ bạn xác nhận",
    short="Đơn 48273 mới",
    badge=Badge("pending", "Chờ xác nhận", "48273"),
    blocks=(
        Block(BlockRole.WHEN, ("Giao 11:30 thứ Hai 23/11", "còn 2 giờ")),
        Block(BlockRole.DISHES, ("20 × Cơm gà", "5 × Canh <chua> & cá"), "Món"),
        Block(BlockRole.NOTE, ("Giao cổng sau",)),
    ),
    buttons=(
        Button("Xác nhận đơn hàng", payload="A" * 60, style=ButtonStyle.PRIMARY),
        Button("Huỷ đơn hàng", payload="B" * 60, style=ButtonStyle.DANGER),
        Button("Xem chi tiết đơn hàng", url="https://chotdon.example/o/abc"),
    ),
)


def card(*blocks: Block, buttons: tuple[Button, ...] = (), title: str = "Đơn 48273") -> Card:
    """Return a card of these parts."""
    return Card("order_new", "vi", title, "", blocks=blocks, buttons=buttons)


def rows(shown: render.Message) -> list[list[str]]:
    """Return the labels of the inline keyboard, row by row."""
    assert isinstance(shown.markup, InlineKeyboardMarkup)
    return [[button.text for button in row] for row in shown.markup.inline_keyboard]


def test_a_new_order_on_telegram() -> None:
    """What Lan sees, word for word; what customers wrote opens no tag."""
    assert render.message(NEW).text == (
        "<b>Đơn 48273 mới, chờ bạn xác nhận</b>\n"
        "◐ Chờ xác nhận · 48273\n"
        "\n"
        "<b>Giao 11:30 thứ Hai 23/11</b>\n"
        "còn 2 giờ\n"
        "\n"
        "<b>Món</b>\n"
        "20 × Cơm gà\n"
        "5 × Canh &lt;chua&gt; &amp; cá\n"
        "\n"
        "Giao cổng sau"
    )


def test_what_acts_has_a_row_of_its_own() -> None:
    """A thumb that wants to confirm does not cancel; small questions share a row."""
    assert rows(render.message(NEW)) == [
        ["Xác nhận đơn hàng"],
        ["Huỷ đơn hàng"],
        ["Xem chi tiết đơn hàng"],
    ]
    menu = tuple(Button(label, payload=label) for label in ("Hôm nay", "Ngày mai", "Tiền"))
    assert rows(render.message(card(buttons=menu))) == [["Hôm nay", "Ngày mai"], ["Tiền"]]


def test_what_telegram_takes_no_button_for_stands_in_the_text() -> None:
    """Phones, and addresses whose host has no dot, are read instead of pressed."""
    buttons = (
        Button("Gọi tổng đài", phone="1900 6868"),
        Button("Xem đơn", url="http://localhost:8000/o/a?b=1&c=2"),
        Button("Xem mail", url="mailto:lan@example.com"),
    )
    shown = render.message(card(buttons=buttons))
    assert shown.markup is None
    assert shown.text.split("\n")[2:] == [
        "☎ Gọi tổng đài: 1900 6868",
        "Xem đơn: http://localhost:8000/o/a?b=1&amp;c=2",
        "Xem mail: mailto:lan@example.com",
    ]


def test_whoever_is_asked_for_a_phone_gets_the_button_that_shares_it() -> None:
    """It goes away by itself; a group has none, nor has a message that is changed."""
    asking = replace(card(), wants_phone=True)
    shown = render.message(asking).markup
    assert isinstance(shown, ReplyKeyboardMarkup)
    ((button,),) = shown.keyboard
    assert (button.text, button.request_contact) == ("Chia sẻ số điện thoại", True)
    assert shown.one_time_keyboard
    assert render.message(asking, in_group=True).markup is None
    assert render.edited(asking).markup is None


def test_in_short_a_card_keeps_its_time_and_its_buttons() -> None:
    """It follows an older card that cannot be changed: what it is about is one glance away."""
    short = render.brief(NEW)
    assert [block.role for block in short.blocks] == [BlockRole.WHEN]
    assert (short.title, short.badge, short.buttons) == (NEW.title, NEW.badge, NEW.buttons)


def test_what_somebody_asked_for_is_not_cut_short() -> None:
    """Whoever turns a page of an old list, or opens an order's history, gets it."""
    listed = card(Block(BlockRole.LIST, ("48273 · Chờ xác nhận",)))
    history = replace(NEW, blocks=(*NEW.blocks, Block(BlockRole.HISTORY, ("09:12: được đặt",))))
    assert render.brief(listed) == listed
    assert render.brief(history) == history


def test_a_long_card_loses_whole_lines_from_its_end() -> None:
    """What comes first stays, and a sign says that something is missing."""
    dishes = tuple(f"{number} × Cơm gà & canh chua" for number in range(1, 400))
    text = render.message(card(Block(BlockRole.DISHES, dishes))).text
    read = read_text(text, "HTML").plain.split("\n")
    assert read[:3] == ["Đơn 48273", "", "1 × Cơm gà & canh chua"]
    assert read[-1] == "…"
    assert set(read[2:-1]) <= set(dishes)
    assert len(read) > 150


def test_a_long_list_of_dishes_leaves_where_to_and_when() -> None:
    """The longest part gives way: a kitchen can look up two hundred dishes, not a missing address."""
    dishes = tuple(f"1 × Cơm gà & canh chua {number}" for number in range(200))
    where = Block(BlockRole.WHERE, ("12 Lê Lợi, Quận 1",), "Giao đến")
    text = render.message(card(Block(BlockRole.DISHES, dishes, "Món"), where)).text
    read = read_text(text, "HTML").plain
    assert read.endswith("\n…\n\nGiao đến\n12 Lê Lợi, Quận 1")
    assert read.startswith("Đơn 48273\n\nMón\n1 × Cơm gà & canh chua 0\n")
    assert 3900 < render.length(read) <= render.MAX_TEXT


def test_a_payload_that_does_not_fit_is_a_fault_of_ours() -> None:
    """Cut, it would do nothing, and nobody would know why."""
    assert rows(render.message(card(buttons=(Button("Vừa", payload="x" * 64),)))) == [["Vừa"]]
    with pytest.raises(ValueError, match="64 bytes"):
        render.message(card(buttons=(Button("Dài", payload="x" * 65),)))


def test_there_are_never_more_buttons_than_telegram_takes() -> None:
    """Those that come first stay."""
    many = tuple(Button(f"Đơn {number}", payload=str(number)) for number in range(150))
    labels = [label for row in rows(render.message(card(buttons=many))) for label in row]
    assert labels == [f"Đơn {number}" for number in range(100)]


words = st.text(max_size=300)
lines = st.lists(words | st.text(alphabet="<>&;\n\u2028bi/ 😀", max_size=4000), max_size=30).map(tuple)
blocks = st.builds(Block, st.sampled_from(BlockRole), lines, st.none() | words)
payloads = st.text("abcXYZ019_-", min_size=1, max_size=64)
buttons = (
    st.builds(Button, words, payload=payloads)
    | st.builds(Button, words, phone=words)
    | st.builds(Button, words, url=st.sampled_from(["https://chotdon.example/o/a", "http://localhost/o/a"]))
)


@given(st.lists(blocks, max_size=6).map(tuple), st.lists(buttons, max_size=8).map(tuple), words)
def test_whatever_a_card_says_telegram_takes_it(
    blocks: tuple[Block, ...], buttons: tuple[Button, ...], title: str
) -> None:
    """The fake reads it as the server does: tags closed, text short enough, every button good."""
    shown = render.message(card(*blocks, buttons=buttons, title=title))
    read = read_text(shown.text, "HTML")
    assert render.length(read.plain) <= render.MAX_TEXT
    if shown.markup is not None:
        read_markup(json.loads(shown.markup.to_json()))
