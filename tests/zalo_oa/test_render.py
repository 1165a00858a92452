"""A card as Zalo takes it: never too long, the important things first, five buttons at most."""

import unicodedata
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.channels import Badge, Block, BlockRole, Button, Card
from sandbox.zalo.messages import read_message
from zalo_oa import render

NEW = Card(
    kind="order_new",
    locale="vi",
    title="Đơn mới từ PhoXinh",
    short="Don moi 48273",
    badge=Badge("pending", "Chờ xác nhận", "48273"),
    blocks=(
        Block(BlockRole.WHEN, ("11:30 thứ Hai 23/11/2026",), "Giao"),
        Block(BlockRole.DISHES, ("20 × Cơm gà", "20 × Canh chua"), "Món"),
        Block(BlockRole.NOTE, ("Giao cổng sau",)),
    ),
    buttons=(
        Button("Xác nhận đơn hàng", payload="A" * 60),
        Button("Huỷ đơn hàng", payload="B" * 60),
        Button("Xem chi tiết đơn hàng", url="https://chotdon.example/o/abc"),
    ),
)


def card(*blocks: Block, buttons: tuple[Button, ...] = (), title: str = "Đơn 48273") -> Card:
    """Return a card of these parts."""
    return Card("order_new", "vi", title, "", blocks=blocks, buttons=buttons)


def utf16(text: str) -> int:
    """Count as the strictest reader would."""
    return len(text.encode("utf-16-le")) // 2


def test_a_new_order_on_zalo() -> None:
    """What Lan sees, word for word."""
    assert render.message(NEW) == {
        "text": (
            "Đơn mới từ PhoXinh\n"
            "48273 · Chờ xác nhận\n"
            "\n"
            "Giao: 11:30 thứ Hai 23/11/2026\n"
            "\n"
            "Món:\n"
            "20 × Cơm gà\n"
            "20 × Canh chua\n"
            "\n"
            "Giao cổng sau"
        ),
        "attachment": {
            "type": "template",
            "payload": {
                "buttons": [
                    {"title": "Xác nhận đơn hàng", "type": "oa.query.hide", "payload": "#cd:" + "A" * 60},
                    {"title": "Huỷ đơn hàng", "type": "oa.query.hide", "payload": "#cd:" + "B" * 60},
                    {
                        "title": "Xem chi tiết đơn hàng",
                        "type": "oa.open.url",
                        "payload": {"url": "https://chotdon.example/o/abc"},
                    },
                ]
            },
        },
    }


def test_a_card_without_buttons_has_no_attachment() -> None:
    """An empty list of buttons would be refused."""
    assert render.message(card()) == {"text": "Đơn 48273"}


def test_a_button_for_sms_only_is_not_shown() -> None:
    """The word XN stands for a button where there are none."""
    assert render.message(card(buttons=(Button("Xác nhận", word="XN 48273"),))) == {"text": "Đơn 48273"}


def test_the_hotline_is_called_by_its_digits() -> None:
    """However the setting writes it."""
    message = render.message(card(buttons=(Button("Gọi tổng đài", phone="+84 (28) 1900.1234"),)))
    [button] = read_message(message).buttons
    assert (button.type, button.target) == ("oa.open.phone", "842819001234")


def test_a_badge_is_not_said_twice() -> None:
    """A title that names code and status needs no second line."""
    said = Card(
        "answer", "vi", "Đơn 48273: đã xác nhận", "", badge=Badge("confirmed", "Đã xác nhận", "48273")
    )
    assert render.text(said) == "Đơn 48273: đã xác nhận"


def test_text_is_composed_before_it_is_counted() -> None:
    """Decomposed Vietnamese would take three characters for one letter."""
    decomposed = unicodedata.normalize("NFD", "Đường số 13, Huỷ, quận Bình Thạnh")
    assert render.text(card(Block(BlockRole.WHERE, (decomposed,)))) == (
        "Đơn 48273\n\nĐường số 13, Huỷ, quận Bình Thạnh"
    )


def test_a_long_card_loses_whole_lines_of_the_least_important() -> None:
    """Time and place stay; dishes go from the end; an ellipsis says that something is missing."""
    dishes = tuple(f"{n} × Cơm gà xối mỡ sốt me cay" for n in range(1, 101))
    long = card(
        Block(BlockRole.DISHES, dishes, "Món"),
        Block(BlockRole.WHEN, ("11:30 23/11/2026",), "Giao"),
        Block(BlockRole.WHERE, ("12 Lê Lợi, Quận 1",), "Địa chỉ"),
        Block(BlockRole.HISTORY, ("09:12 Lan xác nhận",), "Lịch sử"),
    )
    said = render.text(long)
    assert utf16(said) <= 2000
    assert "Giao: 11:30 23/11/2026\nĐịa chỉ: 12 Lê Lợi, Quận 1" in said
    assert said.endswith("\n\n…")
    shown = [line for line in said.splitlines() if "Cơm gà" in line]
    assert shown == list(dishes[: len(shown)])
    assert len(shown) > 50


def test_facts_stand_close_and_lists_apart() -> None:
    """A card should fit one screen of a phone, and be read at a glance."""
    said = render.text(
        card(
            Block(BlockRole.WHEN, ("11:30 thứ Ba 24/11", "còn 3 giờ 20 phút"), "Giao lúc"),
            Block(BlockRole.AMOUNT, ("40 suất", "2.400.000 đ")),
            Block(BlockRole.DISHES, ("25 × Cơm gà", "15 × Cơm sườn"), "Món"),
            Block(BlockRole.WHERE, ("12 Lê Lợi, Quận 1",), "Giao đến"),
        )
    )
    assert said == (
        "Đơn 48273\n\n"
        "Giao lúc: 11:30 thứ Ba 24/11 · còn 3 giờ 20 phút\n"
        "40 suất · 2.400.000 đ\n\n"
        "Món:\n25 × Cơm gà\n15 × Cơm sườn\n\n"
        "Giao đến: 12 Lê Lợi, Quận 1"
    )


def test_a_card_that_just_fits_is_whole() -> None:
    """2000 characters are allowed; the 2001st costs a line."""
    head = "Đơn 48273\n\n"
    lines = ("a" * 600, "b" * 600, "c" * 600, "d" * (2000 - len(head) - 3 * 601))
    assert render.text(card(Block(BlockRole.NOTE, lines))) == head + "\n".join(lines)
    over = render.text(card(Block(BlockRole.NOTE, (*lines[:3], lines[3] + "d"))))
    assert over == head + "\n".join(lines[:3]) + "\n\n…"


def test_an_emoji_counts_as_two() -> None:
    """What Zalo counts is not known: the strictest reading fits all of them."""
    said = render.text(card(Block(BlockRole.LIST, tuple("🍚" * 290 for _ in range(6)))))
    assert utf16(said) <= 2000
    assert said.count("🍚") == 290 * 3


def test_one_endless_line_is_cut_between_words() -> None:
    """A note of a novel's length does not push everything else away."""
    said = render.text(card(Block(BlockRole.NOTE, ("giao sớm " * 400,)), title="Đ" * 5000))
    title, note = said.split("\n\n")
    assert title == "Đ" * 599 + "…"
    assert note.endswith("sớm giao…")
    assert utf16(note) <= 600


@pytest.mark.parametrize("role", BlockRole)
def test_every_part_of_a_card_has_its_importance(role: BlockRole) -> None:
    """A new role must find its place here, or long cards with it would fail."""
    block = Block(role, ("x" * 500,) * 5)
    assert render.text(card(block)).count("x" * 500) == 3


def test_the_sixth_button_is_a_link_that_goes() -> None:
    """Zalo takes five: those that act stay, in the order of the card."""
    acting = tuple(Button(f"Lý do {n}", payload=str(n)) for n in range(4))
    links = (Button("Chi tiết", url="https://a.example"), Button("Gọi", phone="1900"))
    shown = read_message(render.message(card(buttons=(links[0], *acting, links[1])))).buttons
    assert [button.title for button in shown] == ["Chi tiết", "Lý do 0", "Lý do 1", "Lý do 2", "Lý do 3"]
    six = tuple(Button(f"Lý do {n}", payload=str(n)) for n in range(6))
    assert len(read_message(render.message(card(buttons=(links[0], *six)))).buttons) == 5


def test_a_long_label_is_cut() -> None:
    """A title has 100 characters."""
    [button] = read_message(render.message(card(buttons=(Button("n" * 300, payload="1"),)))).buttons
    assert button.title == "n" * 99 + "…"


def test_a_payload_that_does_not_fit_fails_here() -> None:
    """It must not fail at the gateway, in the middle of the night."""
    fits, too_long = "p" * (1000 - len("#cd:")), "p" * (1001 - len("#cd:"))
    assert render.message(card(buttons=(Button("a", payload=fits),)))
    with pytest.raises(ValueError, match="1001"):
        render.message(card(buttons=(Button("a", payload=too_long),)))


_LINES = st.lists(st.text(max_size=700), max_size=8).map(tuple)
_BLOCKS = st.lists(
    st.builds(Block, st.sampled_from(BlockRole), _LINES, st.none() | st.text(min_size=1, max_size=20)),
    max_size=6,
)


@given(blocks=_BLOCKS, title=st.text(min_size=1, max_size=50).filter(lambda text: text.strip() != ""))
def test_any_card_is_taken(blocks: list[Block], title: str) -> None:
    """Whatever a platform writes into an order, Zalo's limits hold."""
    said = read_message(render.message(card(*blocks, title=title)))
    assert utf16(said.text) <= 2000


def test_template_parameters_are_cut_to_their_lengths() -> None:
    """Too long is refused with -1121, missing or empty with -1122."""
    filled = Card(
        "order_new", "vi", "", "", template={"order_code": "48273", "address": "Đ" * 300, "total": ""}
    )
    data = render.template_data(filled)
    assert data["order_code"] == "48273"
    assert data["address"] == "Đ" * 199 + "…"
    assert data["total"] == data["link"] == "-"
    assert set(data) == {"order_code", "partner_name", "deliver_at", "address", "summary", "total", "link"}


def test_a_key_survives_as_a_tracking_id() -> None:
    """UUIDs lose their dashes and find them again; odd keys become a hash."""
    key = str(UUID(int=0x0198C0DE000070008000_00000000000A))
    assert render.tracking_id(key) == "0198c0de00007000800000000000000a"
    assert render.key_of(render.tracking_id(key)) == key
    assert render.tracking_id("ord8213new1") == render.key_of("ord8213new1") == "ord8213new1"


@pytest.mark.parametrize("key", ["", "a:b", "đơn", "x" * 49, "a b"])
def test_any_key_makes_a_tracking_id_zalo_takes(key: str) -> None:
    """At most 48 letters and digits, the same for every attempt."""
    tracking = render.tracking_id(key)
    assert tracking.isalnum()
    assert tracking.isascii()
    assert len(tracking) <= 48
    assert tracking == render.tracking_id(key)
