"""What kitchens really write, and what we take it for. Whatever is not quite clear asks back."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intents import (
    Act,
    Ask,
    GivenReason,
    Intent,
    Link,
    ListOrders,
    Money,
    Question,
    Unclear,
    Verb,
    Why,
    read,
)
from core.orders.codes import is_valid
from core.orders.status import Status

A, B = "48274", "10019"
CONFIRM, CANCEL, COMPLETE, DETAILS = Verb
XN, HUY, HT, CT = Act(CONFIRM, A), Act(CANCEL, A), Act(COMPLETE, A), Act(DETAILS, A)


def huy(code: int, words: str = "") -> Act:
    """Return "cancel 48274" for this reason."""
    return Act(CANCEL, A, GivenReason(code, words))


CONFIRMING = [
    "XN 48274",
    "xn 48274",
    "Xn  48274 ",
    "xn48274",
    "XN#48274",
    "XN:48274",
    "xn-48274",
    "'XN 48274'",
    "“XN 48274”",
    "xn.48274.",
    "XN\n48274",
    "XN\u00a048274",
    "ＸＮ ４８２７４",
    "48274 XN",
    "48274xn",
    "xác nhận 48274",
    "XÁC NHẬN 48274",
    unicodedata.normalize("NFD", "xác nhận 48274"),
    "xac nhan 48274",
    "xacnhan 48274",
    "Xac nhan don 48274",
    "xác nhận đơn hàng 48274",
    "xác nhận đơn hàng số 48274 nhé",
    "ok 48274",
    "OK 48274 nhé",
    "Oke 48274",
    "okay 48274",
    "oki 48274 nha",
    "48274 ok",
    "48274 ok nha shop",
    "nhận 48274",
    "nhan don 48274",
    "nhận đơn 48274 ạ",
    "dạ em nhận đơn 48274 nhé anh",
    "đã nhận đơn 48274",
    "em nhận rồi ạ 48274",
    "đồng ý 48274",
    "dong y don 48274",
    "dongy 48274",
    "vâng ok 48274",
    "dạ vâng xn 48274 ạ",
    "xn giúp em đơn 48274 với",
    "xn xn 48274",
    "ok xn 48274",
    "xn 48274 48274",
    "xn 48274 xn",
    "xn 48274 cảm ơn",
    "xn 48274 thanks",
    "xn mã 48274",
    "XN 48274 👍",
    "xn 48274ạ",
    "chị ơi xn 48274 nhen",
    "confirm 48274",
    "confirm order 48274 please",
]
COMPLETING = [
    "HT 48274",
    "ht48274",
    "hoàn thành 48274",
    "Hoan thanh don 48274",
    "hoanthanh 48274",
    "xong 48274",
    "48274 xong rồi nhé",
    "đã giao 48274",
    "da giao don 48274 roi a",
    "đã giao xong 48274",
    "giao xong 48274",
    "giao rồi 48274",
    "đơn 48274 xong",
    "done 48274",
]
DETAILING = ["CT 48274", "ct48274", "chi tiết 48274", "chi tiet don 48274", "xem 48274", "xem chi tiết 48274"]
CANCELLING = [
    ("HUY 48274", HUY),
    ("huỷ 48274", HUY),
    ("hủy 48274", HUY),
    ("huỷ đơn 48274 giúp em", HUY),
    ("48274 huỷ", HUY),
    ("từ chối 48274", HUY),
    ("tu choi don 48274 nhe", HUY),
    ("đã huỷ 48274", HUY),
    ("HUY HUY 48274", HUY),
    ("HUY 48274 7", HUY),
    ("HUY 48274 0", HUY),
    ("HUY 48274 1", huy(1)),
    ("huy 48274 2", huy(2)),
    ("huỷ đơn 48274 lý do 3", huy(3)),
    ("48274 huy 4", huy(4)),
    ("HUY 1 48274", huy(1)),
    ("48274 1 HUY", huy(1)),
    ("HUY 48274 5", huy(5)),
    ("HUY 48274 6", huy(6)),
    ("HUY 48274 khác", huy(6)),
    ("HUY 48274 lý do khác", huy(6)),
    ("HUY 48274 6 bếp cháy", huy(6, "bếp cháy")),
    ("HUY 48274 1 hết món", huy(1)),
    ("huỷ 48274 hết món", huy(1)),
    ("huy 48274 het mon roi", huy(1)),
    ("huỷ 48274 vì hết hàng rồi ạ", huy(1)),
    ("huỷ 48274 quá tải", huy(2)),
    ("huy 48274 qua tai qua anh oi", huy(2)),
    ("huỷ 48274 quán đóng cửa", huy(3)),
    ("huy 48274 mai dong cua", huy(3)),
    ("huỷ 48274 hôm nay quán nghỉ", huy(3)),
    ("huỷ 48274 ngoài vùng giao", huy(4)),
    ("huy 48274 xa qua", huy(4)),
    ("huỷ đơn 48274 sai giá", huy(5)),
    ("huy 48274 sai thuc don", huy(5)),
    ("cancel 48274 sold out", huy(1)),
    ("huỷ 48274 hết gas", huy(6, "hết gas")),
    ("huỷ 48274 vì bếp trưởng ốm, mai mới làm lại", huy(6, "bếp trưởng ốm, mai mới làm lại")),
    ("huỷ 48274 không còn gà", huy(6, "không còn gà")),
    ("huỷ 48274 khách không nhận", huy(6, "khách không nhận")),
    ("huỷ 48274 gọi em 0909123456", huy(6, "gọi em 0909123456")),
    ("huỷ 48274 bếp chỉ còn 20 suất", huy(6, "bếp chỉ còn 20 suất")),
]
WITHOUT_CODE: list[tuple[str, Intent]] = [
    ("XN", Act(CONFIRM)),
    ("ok", Act(CONFIRM)),
    ("dạ ok em", Act(CONFIRM)),
    ("xác nhận nhé", Act(CONFIRM)),
    ("HT", Act(COMPLETE)),
    ("xong rồi ạ", Act(COMPLETE)),
    ("đã giao", Act(COMPLETE)),
    ("CT", Act(DETAILS)),
    ("HUY", Act(CANCEL)),
    ("huỷ đơn", Act(CANCEL)),
    ("HUY 1", Unclear(Why.WHICH_ORDER, CANCEL)),
    ("huỷ hết món", Unclear(Why.WHICH_ORDER, CANCEL)),
]
QUESTIONS: list[tuple[str, Intent]] = [
    ("DS", ListOrders()),
    ("ds", ListOrders()),
    ("danh sách", ListOrders()),
    ("DS CHO", ListOrders(Status.PENDING)),
    ("ds chờ", ListOrders(Status.PENDING)),
    ("ds chờ xác nhận", ListOrders(Status.PENDING)),
    ("DS XN", ListOrders(Status.CONFIRMED)),
    ("ds đã xác nhận", ListOrders(Status.CONFIRMED)),
    ("DS HT", ListOrders(Status.COMPLETED)),
    ("ds hoàn thành", ListOrders(Status.COMPLETED)),
    ("DS HUY", ListOrders(Status.CANCELLED)),
    ("ds đã huỷ", ListOrders(Status.CANCELLED)),
    ("DS QH", ListOrders(Status.EXPIRED)),
    ("ds quá hạn", ListOrders(Status.EXPIRED)),
    ("HN", Ask(Question.TODAY)),
    ("hôm nay", Ask(Question.TODAY)),
    ("đơn hôm nay", Ask(Question.TODAY)),
    ("MAI", Ask(Question.TOMORROW)),
    ("ngày mai", Ask(Question.TOMORROW)),
    ("TIEN", Money()),
    ("tiền", Money()),
    ("tiền tháng này", Money()),
    ("TIEN 11/2026", Money(11, 2026)),
    ("tiền tháng 11 năm 2026", Money(11, 2026)),
    ("tien 11", Money(11)),
    ("TIEN 11-2026", Money(11, 2026)),
    ("DG", Ask(Question.REVIEWS)),
    ("đánh giá", Ask(Question.REVIEWS)),
    ("TG", Ask(Question.HELP)),
    ("trợ giúp", Ask(Question.HELP)),
    ("?", Ask(Question.HELP)),
    ("help", Ask(Question.HELP)),
    ("hướng dẫn em với", Ask(Question.HELP)),
    ("WEB", Ask(Question.WEB)),
    ("EN", Ask(Question.ENGLISH)),
    ("english", Ask(Question.ENGLISH)),
    ("VI", Ask(Question.VIETNAMESE)),
    ("tiếng Việt", Ask(Question.VIETNAMESE)),
    ("LK 482913", Link("482913")),
    ("lk482913", Link("482913")),
    ("lk 482 913", Link("482913")),
    ("liên kết 482913", Link("482913")),
    ("/start 482913", Link("482913")),
]
UNCLEAR: list[tuple[str, Unclear]] = [
    ("", Unclear(Why.NOT_UNDERSTOOD)),
    ("   ", Unclear(Why.NOT_UNDERSTOOD)),
    ("👍", Unclear(Why.NOT_UNDERSTOOD)),
    ("dạ", Unclear(Why.NOT_UNDERSTOOD)),
    ("cảm ơn", Unclear(Why.NOT_UNDERSTOOD)),
    ("bao giờ giao vậy", Unclear(Why.NOT_UNDERSTOOD)),
    ("1", Unclear(Why.NOT_UNDERSTOOD)),
    ("0909123456", Unclear(Why.NOT_UNDERSTOOD)),
    ("LK", Unclear(Why.NOT_UNDERSTOOD)),
    ("LK 4829", Unclear(Why.NOT_UNDERSTOOD)),
    ("DS TUAN SAU", Unclear(Why.NOT_UNDERSTOOD)),
    ("TIEN 13/2026", Unclear(Why.NOT_UNDERSTOOD)),
    ("tiền thuê nhà", Unclear(Why.NOT_UNDERSTOOD)),
    ("48274", Unclear(Why.NO_VERB, typed=A)),
    ("XM 48274", Unclear(Why.NO_VERB, typed=A)),
    ("đơn 48274 sao rồi", Unclear(Why.NO_VERB, typed=A)),
    ("không xn 48274", Unclear(Why.NEGATED, CONFIRM, A)),
    ("ko nhan 48274", Unclear(Why.NEGATED, CONFIRM, A)),
    ("k ok 48274", Unclear(Why.NEGATED, CONFIRM, A)),
    ("chưa xong 48274", Unclear(Why.NEGATED, COMPLETE, A)),
    ("xn 48274 được không", Unclear(Why.NEGATED, CONFIRM, A)),
    ("đừng huỷ 48274", Unclear(Why.NEGATED, CANCEL, A)),
    ("khong huy 48274 nhe", Unclear(Why.NEGATED, CANCEL, A)),
    ("huỷ 48274 không?", Unclear(Why.NEGATED, CANCEL, A)),
    ("đừng huỷ", Unclear(Why.NEGATED, CANCEL)),
    ("xn 48274 huy", Unclear(Why.TWO_VERBS, CANCEL, A)),
    ("huy xn 48274", Unclear(Why.TWO_VERBS, CANCEL, A)),
    ("huỷ 48274 ok", Unclear(Why.TWO_VERBS, CANCEL, A)),
    ("xn ht 48274", Unclear(Why.TWO_VERBS)),
    ("xn 48274 mai", Unclear(Why.TWO_VERBS)),
    ("xn huy", Unclear(Why.TWO_VERBS, CANCEL)),
    ("xn 48274 10019", Unclear(Why.TWO_CODES, CONFIRM)),
    ("xn 48274 và 10019", Unclear(Why.TWO_CODES, CONFIRM)),
    ("huy 48274 10019", Unclear(Why.TWO_CODES, CANCEL)),
    ("xn 48 274", Unclear(Why.HALF_CODE, CONFIRM, A)),
    ("xn 4 8 2 7 4", Unclear(Why.HALF_CODE, CONFIRM, A)),
    ("xn 4827", Unclear(Why.HALF_CODE, CONFIRM, "4827")),
    ("XN l8274", Unclear(Why.HALF_CODE, CONFIRM, "8274")),
    ("xn 4827O", Unclear(Why.HALF_CODE, CONFIRM, "4827")),
    ("xn 482744", Unclear(Why.HALF_CODE, CONFIRM, "482744")),
    ("xn 48274 1", Unclear(Why.HALF_CODE, CONFIRM, "482741")),
    ("huy 4827 4", Unclear(Why.HALF_CODE, CANCEL, A)),
    ("huy 48 274", Unclear(Why.HALF_CODE, CANCEL, A)),
    ("huy 4827", Unclear(Why.HALF_CODE, CANCEL, "4827")),
    ("1 48274 huy", Unclear(Why.HALF_CODE, CANCEL)),
    ("xn 48279", Unclear(Why.WRONG_CODE, CONFIRM, "48279")),
    ("huy 48279 1", Unclear(Why.WRONG_CODE, CANCEL, "48279")),
    ("ht 84273", Unclear(Why.WRONG_CODE, COMPLETE, "84273")),
    ("ct 11111", Unclear(Why.WRONG_CODE, DETAILS, "11111")),
    ("xn 48274 bớt 5 suất gà", Unclear(Why.HALF_CODE, CONFIRM, "482745")),
    ("xn 48274 giao trễ", Unclear(Why.EXTRA_WORDS, CONFIRM, A)),
    ("xn nhanh lên", Unclear(Why.EXTRA_WORDS, CONFIRM)),
    ("huỷ món gà đơn 48274", Unclear(Why.EXTRA_WORDS, CANCEL, A)),
]


def test_the_codes_of_this_table_are_valid() -> None:
    """Otherwise it would prove nothing."""
    assert is_valid(A)
    assert is_valid(B)


@pytest.mark.parametrize("text", CONFIRMING)
def test_confirming(text: str) -> None:
    """However politely, in whatever order, with or without accents."""
    assert read(text) == XN


@pytest.mark.parametrize("text", COMPLETING)
def test_completing(text: str) -> None:
    """The food was delivered."""
    assert read(text) == HT


@pytest.mark.parametrize("text", DETAILING)
def test_looking_at_one_order(text: str) -> None:
    """Everything about one order."""
    assert read(text) == CT


@pytest.mark.parametrize(("text", "meant"), CANCELLING)
def test_cancelling(text: str, meant: Intent) -> None:
    """With a reason by its digit, by its words or in one's own words; without one nothing happens yet."""
    assert read(text) == meant


@pytest.mark.parametrize(("text", "meant"), WITHOUT_CODE)
def test_a_verb_without_a_code(text: str, meant: Intent) -> None:
    """It can mean the only order that fits; a reason is never an order."""
    assert read(text) == meant


@pytest.mark.parametrize(("text", "meant"), QUESTIONS)
def test_questions(text: str, meant: Intent) -> None:
    """Lists, days, money, reviews, help, languages and linking."""
    assert read(text) == meant


@pytest.mark.parametrize(("text", "meant"), UNCLEAR)
def test_what_is_not_clear_asks_back(text: str, meant: Intent) -> None:
    """Negations, two verbs, two codes, half a code, a wrong digit, words that change the sense."""
    assert read(text) == meant


@pytest.mark.parametrize("text", [*CONFIRMING, *COMPLETING, *DETAILING])
@pytest.mark.parametrize("prefix", ["CHOTDON", "Cơm 8", "xn"])
def test_a_routing_word_is_passed_over(text: str, prefix: str) -> None:
    """A rented number wants its word first; many forget it."""
    assert read(f"{prefix} {text}", prefix=prefix) == read(text, prefix=prefix) == read(text)


@given(text=st.text(max_size=60))
def test_noise_never_acts_on_an_order(text: str) -> None:
    """Any text at all is read without an error; only one with five right digits names an order."""
    meant = read(text)

    if isinstance(meant, Act) and meant.code:
        assert is_valid(meant.code)
        assert meant.code in unicodedata.normalize("NFKC", text)


@given(
    text=st.sampled_from([*CONFIRMING, *COMPLETING]), word=st.sampled_from(["không", "ko", "chưa", "đừng"])
)
def test_a_negation_anywhere_never_acts(text: str, word: str) -> None:
    """Before, after: `khong xn 48274`, `xn 48274 khong`."""
    assert not isinstance(read(f"{word} {text}"), Act)
    assert not isinstance(read(f"{text} {word}"), Act)


def test_a_novel_is_not_read() -> None:
    """Longer than any message of a kitchen."""
    assert read("xn 48274 " + "a " * 1500) == Unclear(Why.NOT_UNDERSTOOD)


def test_free_words_of_a_reason_are_bounded() -> None:
    """200 characters say enough."""
    meant = read("huỷ 48274 " + "bếp hỏng " * 60)

    assert isinstance(meant, Act)
    assert meant.reason is not None
    assert len(meant.reason.words) <= 200
