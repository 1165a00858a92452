import re
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from html import unescape

import pytest
from icalendar import Calendar

from bot.mail.render import SHAPES, Renderer, Sender, sender_of
from core.channels import Badge, Block, BlockRole, Card
from core.orders.status import Status
from tests.bot.mail.cards import MORNING, ORDER, PAGE, delivery, rice

Mails = Callable[..., EmailMessage]


@pytest.fixture
def mailed() -> Mails:
    """Return how a card arrives: made, sent as bytes, and read again."""
    renderer = Renderer(Sender("Chốt Đơn", "don@chotdon.example"))

    def make(card: Card, *, to: str = "lan@example.com", key: str = "m1") -> EmailMessage:
        raw = renderer.mail(card, to=to, key=key, now=MORNING).as_bytes()
        return message_from_bytes(raw, policy=modern)

    return make


def text_of(mail: EmailMessage, kind: str) -> str:
    """Return the mail's body of this kind."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def attached(mail: EmailMessage) -> EmailMessage:
    """Return the only attachment."""
    (part,) = mail.iter_attachments()
    return part


def test_plain_text_is_as_complete_as_html(mailed: Mails) -> None:
    """Every line, button and link of the card stands in both."""
    card, mail = rice(), mailed(rice())
    html = unescape(text_of(mail, "html"))
    lines = [line for block in card.blocks for line in block.lines]
    buttons = [part for button in card.buttons for part in (button.label, button.url or str(button.phone))]
    for said in [*lines, *buttons, card.title, "Chờ xác nhận", "Đơn 48273"]:
        assert said in text_of(mail, "plain")
        assert said in html


def test_money_is_not_broken_over_two_lines(mailed: Mails) -> None:
    """What is asked for on a narrow phone stays one amount."""
    assert "2.400.000\u00a0đ</p>" in unescape(text_of(mailed(rice()), "html"))


def test_the_order_of_importance_is_kept(mailed: Mails) -> None:
    """What is wanted comes before when, when before how much, and the buttons come last."""
    for kind in ("plain", "html"):
        whole = text_of(mailed(rice()), kind).replace("\u00a0", " ")
        body = whole[whole.index("Chờ xác nhận") :]  # before it stands only what the inbox shows of a mail
        places = [
            body.index(said) for said in ("Giao lúc", "2.400.000 đ", "Cơm gà", "Lê Lợi", f"{PAGE}#cancel")
        ]
        assert places == sorted(places)


def test_words_of_customers_are_not_html(mailed: Mails) -> None:
    """A dish called like a tag is shown, not obeyed."""
    mail = mailed(rice(title="</mj-text><script>alert(1)</script>"))
    html = text_of(mail, "html")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<ít cay>" not in html


def test_nothing_is_fetched_to_show_a_mail(mailed: Mails) -> None:
    """It reads the same with images off: there are none, nor fonts or styles from elsewhere."""
    html = text_of(mailed(rice()), "html")
    assert not re.findall(r"<img|<link|@import|url\(", html)
    assert html.count("https://") == 3  # the two buttons and the details link


def test_mails_are_read_in_dark_mode(mailed: Mails) -> None:
    """Readers are told that both schemes are prepared for."""
    html = text_of(mailed(rice()), "html")
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html


def test_the_details_link_is_red_and_underlined(mailed: Mails) -> None:
    """The link stands out by itself, in readers that ignore style sheets too."""
    html = text_of(mailed(rice()), "html")
    (style,) = re.findall(r'<a href="[^"]*" style="([^"]*)">Xem chi tiết đơn hàng</a>', html)
    assert "color:#c00000" in style
    assert "text-decoration:underline" in style


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_shape(mailed: Mails, status: Status) -> None:
    """A status is never told by its colour alone."""
    mail = mailed(rice(badge=Badge(status.value, "Chữ", "48273")))
    assert f"{SHAPES[status]} Chữ · Đơn 48273" in text_of(mail, "plain")
    assert f"{SHAPES[status]} Chữ" in text_of(mail, "html")
    assert len(set(SHAPES.values())) == len(Status)


def test_subjects_of_an_order_begin_alike(mailed: Mails) -> None:
    """Mail programs that thread by subject keep an order together."""
    subjects = [mailed(rice(title=title))["Subject"] for title in ("Đơn mới", "Đơn 48273 đã bị huỷ")]
    assert subjects == ["Đơn 48273 · Đơn mới", "Đơn 48273 đã bị huỷ"]


def test_a_mail_without_an_order_has_its_title_as_subject(mailed: Mails) -> None:
    """Alarms and answers belong to no thread."""
    mail = mailed(rice(kind="trouble", title="Zalo từ chối", badge=None, thread=None))
    assert mail["Subject"] == "Zalo từ chối"
    assert mail["Message-ID"] == "<m1@chotdon.example>"
    assert mail["References"] is None


def test_later_mails_refer_to_the_first(mailed: Mails) -> None:
    """The first mail's id is known without looking it up, and each reader has a thread of their own."""
    first = mailed(rice())["Message-ID"]
    later = mailed(rice(kind="delivery_tomorrow"), key="m2")
    assert later["In-Reply-To"] == later["References"] == first
    assert later["Message-ID"] == "<m2@chotdon.example>"
    assert mailed(rice(), to="minh@example.com")["Message-ID"] != first


def test_a_repeat_has_the_same_id(mailed: Mails) -> None:
    """A mail sent again after a crash can be known as the same one."""
    assert mailed(rice(kind="x"), key="k")["Message-ID"] == mailed(rice(kind="x"), key="k")["Message-ID"]


def test_long_ids_are_not_encoded() -> None:
    """Threads hold even where the sender's domain makes an id longer than a line."""
    renderer = Renderer(Sender("", f"don@{'rat-dai.' * 9}example"))
    raw = renderer.mail(rice(kind="x"), to="lan@example.com", key="k" * 40, now=MORNING).as_bytes()
    assert rb"=?utf-8?q?=3Corder" not in raw
    assert b"<order-ASNFZ4mrze8BI0VniavN7w." in raw


def test_automatic_answers_are_kept_away(mailed: Mails) -> None:
    """Holiday notices do not come back for every order."""
    mail = mailed(rice())
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Date"] == "Tue, 24 Nov 2026 01:10:00 +0000"
    assert mail["From"] == "Chốt Đơn <don@chotdon.example>"


@pytest.mark.parametrize("evil", ["\r\nBcc: all@example.com", "\nX: y", "\u2028X: y", "\x00\x0b", "\ud800"])
def test_no_header_can_be_smuggled_in(mailed: Mails, evil: str) -> None:
    """A title with line ends stays one header, and control characters do not break the mail."""
    mail = mailed(rice(title=f"Đơn mới{evil}", blocks=(Block(BlockRole.NOTE, (f"a{evil}b",)),)))
    assert mail["Subject"].startswith("Đơn 48273 · Đơn mới")
    assert "Bcc" not in mail
    assert "X" not in mail


def test_very_long_words_do_not_break_a_mail(mailed: Mails) -> None:
    """A note of 5,000 letters without a space arrives whole."""
    mail = mailed(rice(title="Đ" * 300, blocks=(Block(BlockRole.NOTE, ("ạ" * 5_000,)),)))
    assert "ạ" * 5_000 in text_of(mail, "plain")
    assert mail["Subject"] == f"Đơn 48273 · {'Đ' * 300}"


@pytest.mark.parametrize(
    "to", ["", "lan", "lan@", "lan@example.com\r\nBcc: x@y.vn", "a b@example.com", "ạ@b.vn"]
)
def test_what_is_no_address_gets_no_mail(mailed: Mails, to: str) -> None:
    """A hostile or broken address is an error of ours, before any server is asked."""
    with pytest.raises(ValueError, match=r".*"):
        mailed(rice(), to=to)


def test_a_delivery_comes_with_a_calendar_entry(mailed: Mails) -> None:
    """It informs (PUBLISH), in UTC, and says so in the part's own header as well."""
    part = attached(mailed(rice(calendar=delivery())))
    (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert part.get_content_type() == "text/calendar"
    assert part.get_param("method") == "PUBLISH"
    assert part.get_filename() == "48273.ics"
    assert "METHOD:PUBLISH" in part.get_content()
    assert "DTSTART:20261124T043000Z" in part.get_content()
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (
        f"order-{ORDER}@chotdon.example",
        2,
        "CONFIRMED",
    )


def test_a_cancelled_delivery_leaves_the_calendar(mailed: Mails) -> None:
    """The same entry, a higher sequence, and CANCEL."""
    part = attached(mailed(rice(kind="x", calendar=delivery(sequence=3, cancelled=True))))
    (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert part.get_param("method") == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (
        f"order-{ORDER}@chotdon.example",
        3,
        "CANCELLED",
    )


def test_a_calendar_entry_cannot_be_broken_out_of(mailed: Mails) -> None:
    """An address with line ends adds no property of its own."""
    part = attached(mailed(rice(calendar=delivery(location="12 Lê Lợi\r\nATTENDEE:mailto:x@y.vn"))))
    assert "\nATTENDEE" not in part.get_content()


def test_mails_speak_the_readers_language(mailed: Mails) -> None:
    """The frame around an English card is English."""
    mail = mailed(rice(locale="en", title="New order"))
    assert mail["Subject"] == "Order 48273 · New order"
    assert "do not reply" in text_of(mail, "plain")
    assert '<html lang="en"' in text_of(mail, "html")


def test_a_big_order_stays_small(mailed: Mails) -> None:
    """Gmail cuts mails above 102 kB; two hundred dishes are below it."""
    dishes = Block(BlockRole.DISHES, tuple(f"{n} × Cơm gà xối mỡ số {n}" for n in range(200)))
    html = text_of(mailed(rice(blocks=(dishes,))), "html")
    assert len(html.encode()) < 60_000


@pytest.mark.parametrize(
    ("setting", "sender"),
    [
        ("don@chotdon.vn", Sender("Chốt Đơn", "don@chotdon.vn")),
        ("Bếp <don@chotdon.vn>", Sender("Bếp", "don@chotdon.vn")),
        ('"A, B" <don@chotdon.vn>', Sender("A, B", "don@chotdon.vn")),
    ],
)
def test_the_sender_is_read_from_its_setting(setting: str, sender: Sender) -> None:
    """A bare address sends in the product's name."""
    assert sender_of(setting) == sender


@pytest.mark.parametrize("setting", ["", "Chốt Đơn", "don@", "<>", "@x.vn"])
def test_a_sender_without_an_address_is_refused(setting: str) -> None:
    """It is found at the start, not at the first mail."""
    with pytest.raises(ValueError, match=r".*"):
        sender_of(setting)


def test_dates_do_not_change_ids(mailed: Mails) -> None:
    """An attempt an hour later has the same id."""
    renderer = Renderer(Sender("", "don@chotdon.example"))
    later = renderer.mail(rice(), to="lan@example.com", key="other", now=MORNING + timedelta(hours=1))
    assert later["Message-ID"] == mailed(rice())["Message-ID"]
