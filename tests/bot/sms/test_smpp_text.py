"""What the messages of SMPP say, without any connection."""

import pytest
import smsutil  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from bot.sms import smpp_pdu, smpp_text, text
from bot.sms.smpp import read_url, source_of
from bot.sms.smpp_keys import Keys, fingerprint
from bot.sms.smpp_pdu import Delivery, Party
from bot.sms.smpp_text import Joiner, Place
from core.channels import ReceiptKind
from core.errors import Malformed, Misconfigured
from tests.bot.sms.smsc import mo, tag

LETTERS = st.text(st.sampled_from("aZ 0@$€[]~^\\{}|\nà"), max_size=700)


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def read(said: bytes = b"XN 48273", *, esm_class: int = 0, tags: bytes = b"") -> Delivery:
    """Return what a text from Lan is read as."""
    return smpp_pdu.delivery(mo(said, esm_class=esm_class, tags=tags))


# --- going out --------------------------------------------------------------------------------


@given(LETTERS, st.integers(0, 255))
def test_what_is_cut_is_joined_again(message: str, reference: int) -> None:
    """A phone that reads the headers gets the same text, in as many parts as are paid for."""
    parts = smpp_text.cut(message, reference)

    assert len(parts) == text.parts(message)
    assert len(parts) == max(1, len(smsutil.split(message).parts))
    said, places = b"", []
    for part in parts:
        assert len(part.content) <= (159 if part.with_header else 160)
        delivery = read(part.content, esm_class=0x40 if part.with_header else 0)
        place, piece = smpp_text.read_place(delivery)
        places.append(place)
        said += piece
    assert said == text.encoded(message)
    if len(parts) > 1:
        assert places == [Place(f"8:{reference}", len(parts), number) for number in range(1, len(parts) + 1)]


def test_a_letter_outside_the_alphabet_is_not_cut() -> None:
    """Whoever sends must take the accents away first."""
    with pytest.raises(ValueError, match="outside the GSM alphabet"):
        smpp_text.cut("Đơn 48273", 0)


# --- coming in --------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_octets_are_a_delivery_or_malformed(octets: bytes) -> None:
    """Nothing else comes of what a stranger sends."""
    try:
        delivery = smpp_pdu.delivery(octets)
    except Malformed:
        return
    smpp_text.read_place(delivery)
    smpp_text.read_receipt(delivery)


@given(st.binary(max_size=140), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_any_text_in_any_alphabet_is_text_or_nothing(
    said: bytes, coding: int, esm_class: int, tags: bytes
) -> None:
    """Whatever is read is fit for a database: no zero, and of a bounded length."""
    try:
        delivery = smpp_pdu.delivery(mo(said, coding=coding, esm_class=esm_class, tags=tags))
    except Malformed:
        return
    _, piece = smpp_text.read_place(delivery)
    smpp_text.read_receipt(delivery)
    words = smpp_text.decoded(piece, coding)

    assert words is None or (0 < len(words) <= 2_000 and "\0" not in words)
    assert words is None or words.encode("utf-8")


@pytest.mark.parametrize(
    ("delivery", "place"),
    [
        pytest.param(read(b"\x05\x00\x03\x07\x02\x01XN", esm_class=0x40), Place("8:7", 2, 1), id="8-bit"),
        pytest.param(
            read(b"\x06\x08\x04\x01\x07\x02\x02XN", esm_class=0x40), Place("16:263", 2, 2), id="16-bit"
        ),
        pytest.param(
            read(b"\x0b\x05\x04\x00\x01\x00\x02\x00\x03\x09\x03\x02XN", esm_class=0x40),
            Place("8:9", 3, 2),
            id="after-another-element",
        ),
        pytest.param(
            read(b"XN", tags=tag(0x020C, b"\x00\x07") + tag(0x020E, b"\x02") + tag(0x020F, b"\x01")),
            Place("sar:7", 2, 1),
            id="tags",
        ),
        pytest.param(read(b"XN"), None, id="whole"),
        pytest.param(read(b"\x05\x00\x03\x07\x01\x01XN", esm_class=0x40), None, id="part-1-of-1"),
        pytest.param(read(b"\x03\x24\x01\x01XN", esm_class=0x40), None, id="another-header"),
    ],
)
def test_the_place_of_a_part_is_read(delivery: Delivery, place: Place | None) -> None:
    """However the SMSC says it; a header is no part of the text."""
    assert smpp_text.read_place(delivery) == (place, b"XN")


def test_parts_are_joined_within_a_minute() -> None:
    """Later the same reference is of another message."""
    watch = Watch()
    joiner = Joiner(watch)
    first, second = read(b"XN 48"), read(b"273")
    assert joiner.add(first, Place("8:7", 2, 1)) is None
    watch.now += 59
    assert joiner.add(second, Place("8:7", 2, 2)) == (first, second)
    joiner.let_go(second, Place("8:7", 2, 2))

    assert joiner.add(first, Place("8:7", 2, 1)) is None
    watch.now += 61
    assert joiner.add(second, Place("8:7", 2, 2)) is None


def test_a_whole_message_waits_longer_but_keeps_no_other_alive() -> None:
    """It may not have been taken in; the half one behind it is over all the same."""
    watch = Watch()
    joiner = Joiner(watch)
    joiner.add(read(b"XN 48"), Place("8:7", 2, 1))
    assert joiner.add(read(b"273"), Place("8:7", 2, 2)) is not None
    joiner.add(read(b"HT 48"), Place("8:8", 2, 1))
    watch.now += 600

    assert joiner.add(read(b"273"), Place("8:8", 2, 2)) is None
    assert joiner.add(read(b"273"), Place("8:7", 2, 2)) is not None


def test_a_part_that_comes_twice_counts_once() -> None:
    """Two first parts are no message."""
    joiner = Joiner(Watch())
    assert joiner.add(read(b"XN 48"), Place("8:7", 2, 1)) is None
    assert joiner.add(read(b"XN 48"), Place("8:7", 2, 1)) is None


def test_parts_of_two_phones_are_kept_apart() -> None:
    """References are short and everybody counts from the beginning."""
    joiner = Joiner(Watch())
    lan, minh = mo(b"XN 48"), mo(b"273", source=b"84907654321")
    assert joiner.add(smpp_pdu.delivery(lan), Place("8:7", 2, 1)) is None
    assert joiner.add(smpp_pdu.delivery(minh), Place("8:7", 2, 2)) is None


def test_half_messages_do_not_fill_the_memory() -> None:
    """The oldest is forgotten first."""
    joiner = Joiner(Watch(), most=3)
    for number in range(50):
        joiner.add(read(b"XN"), Place(f"8:{number}", 2, 1))

    assert len(joiner._groups) <= 4
    assert joiner.add(read(b"XN"), Place("8:0", 2, 2)) is None
    assert joiner.add(read(b"XN"), Place("8:49", 2, 2)) is not None


# --- receipts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("DELIVRD", ReceiptKind.DELIVERED),
        ("delivrd", ReceiptKind.DELIVERED),
        ("EXPIRED", ReceiptKind.FAILED),
        ("DELETED", ReceiptKind.FAILED),
        ("UNDELIV", ReceiptKind.FAILED),
        ("REJECTD", ReceiptKind.FAILED),
        ("ACCEPTD", None),
        ("ENROUTE", None),
        ("UNKNOWN", None),
        ("", None),
    ],
)
def test_each_state_of_a_receipt_has_its_meaning(state: str, kind: ReceiptKind | None) -> None:
    """What is not final says nothing yet."""
    told = smpp_text.read_receipt(read(f"id:ab-7 sub:001 stat:{state} err:000".encode(), esm_class=0x04))

    assert told is not None
    assert (told.ids, told.kind) == (("ab-7",), kind)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1, None),
        (2, ReceiptKind.DELIVERED),
        (3, ReceiptKind.FAILED),
        (4, ReceiptKind.FAILED),
        (5, ReceiptKind.FAILED),
        (6, None),
        (7, None),
        (8, ReceiptKind.FAILED),
    ],
)
def test_the_state_may_stand_in_a_tag(number: int, kind: ReceiptKind | None) -> None:
    """It then wins over the words, which are each vendor's own."""
    tags = tag(0x001E, b"ab-7\0") + tag(0x0427, bytes((number,)))
    told = smpp_text.read_receipt(read(b"id:ab-8 stat:DELIVRD", esm_class=0x04, tags=tags))

    assert told is not None
    assert (told.ids, told.kind) == (("ab-7", "ab-8"), kind)


@pytest.mark.parametrize(
    ("accepted_as", "receipt_says"),
    [
        ("0A1B2C3D", "169552957"),
        ("0a1b2c3d", "169552957"),
        ("A1B2C3D", "169552957"),
        ("169552957", "0A1B2C3D"),
        ("0169552957", "A1B2C3D"),
        ("ab-7", "ab-7"),
    ],
)
def test_an_id_is_found_in_either_number_system(accepted_as: str, receipt_says: str) -> None:
    """Vendors write it one way when they accept a message and another way in its receipt."""
    assert accepted_as in smpp_text.spellings(receipt_says)


def test_a_short_id_is_taken_as_it_stands() -> None:
    """Turned into another number it could be another message."""
    assert smpp_text.spellings("16") == ("16",)


# --- keys -------------------------------------------------------------------------------------


def test_a_second_try_of_the_smsc_has_the_same_key() -> None:
    """However many minutes later, and over whatever bind: we have not said that we have it."""
    watch = Watch()
    keys = Keys(watch)
    first = keys.key("lan", watch.now, 1)
    watch.now += 1800

    assert keys.key("lan", watch.now, 2) == first


def test_the_same_words_after_our_answer_are_another_message() -> None:
    """Within the minute and minutes later."""
    watch = Watch()
    keys = Keys(watch)
    seen = []
    for later in (0, 1, 1, 300):
        watch.now += later
        seen.append(keys.key("lan", watch.now, 1))
        keys.answered("lan")

    assert len(set(seen)) == 4


def test_an_answer_lost_with_its_bind_is_waited_for() -> None:
    """For two minutes the same words over another bind are the SMSC's."""
    watch = Watch()
    keys = Keys(watch)
    first = keys.key("lan", watch.now, 1)
    keys.answered("lan")
    watch.now += 119
    assert keys.key("lan", watch.now, 2) == first

    keys.answered("lan")
    watch.now += 121
    assert keys.key("lan", watch.now, 3) != first


def test_a_restart_forgets_but_the_minute_remains() -> None:
    """A second process gives what comes in the same minute the same key."""
    watch = Watch()
    first = Keys(watch).key("lan", watch.now, 1)

    assert Keys(watch).key("lan", watch.now + 1, 1) == first


def test_keys_do_not_fill_the_memory() -> None:
    """The oldest is forgotten first."""
    watch = Watch()
    keys = Keys(watch, most=10)
    for number in range(100):
        keys.key(str(number), watch.now, 1)

    assert len(keys._known) == 10


def test_who_and_what_make_the_fingerprint() -> None:
    """Nothing of it can slip from one field into the next."""
    bodies = [
        mo(b"XN 48273"),
        mo(b"XN 48274"),
        mo(b"XN 48273", source=b"84907654321"),
        mo(b"XN 48273", coding=1),
        mo(b"XN 48273", tags=tag(0x001E, b"1")),
        mo(b"XN 48273", tags=tag(0x0204, b"1")),
    ]
    names = {fingerprint([smpp_pdu.delivery(body)]) for body in bodies}

    assert len(names) == len(bodies)
    assert fingerprint([smpp_pdu.delivery(mo(b"XN 48273"))]) in names


# --- settings ---------------------------------------------------------------------------------


def test_the_url_names_the_account() -> None:
    """The port may be left out; signs in the password are written as in any URL."""
    account = read_url("smpp://kitchen:s%40cret@127.0.0.1")

    assert (account.host, account.port) == ("127.0.0.1", 2775)
    assert (account.system_id, account.password) == ("kitchen", "s@cret")
    assert "s@cret" not in repr(account)


@pytest.mark.parametrize(
    ("url", "faults"),
    [
        pytest.param("smpp://a-name-of-sixteen:x@127.0.0.1", 1, id="name"),
        pytest.param("smpp://kitchen:ninechars@127.0.0.1", 1, id="password"),
        pytest.param("smpp://b%E1%BA%BFp:ninechars@127.0.0.1:99999", 3, id="all"),
    ],
)
def test_every_fault_of_the_url_is_told_at_once(url: str, faults: int) -> None:
    """And the password is not."""
    with pytest.raises(Misconfigured) as told:
        read_url(url)

    assert len(str(told.value).splitlines()) == faults
    assert "ninechars" not in str(told.value)


@pytest.mark.parametrize(
    ("reply_number", "system_id", "source"),
    [
        ("8041", "kitchen", Party("8041", 3, 0)),
        ("0901234567", "kitchen", Party("84901234567", 1, 1)),
        ("+84901234567", "kitchen", Party("84901234567", 1, 1)),
        ("CHOTDON", "kitchen", Party("CHOTDON", 5, 0)),
        (None, "kitchen", Party("kitchen", 5, 0)),
        (None, "a-longer-name", Party("", 0, 0)),
    ],
)
def test_messages_come_from_the_number_that_is_answered_to(
    reply_number: str | None, system_id: str, source: Party
) -> None:
    """With the type of number that the SMSC knows it by."""
    assert source_of(reply_number, system_id) == source


def test_a_reply_number_that_can_be_none_stops_the_start() -> None:
    """It would be refused with every message."""
    with pytest.raises(Misconfigured, match="SMS_REPLY_NUMBER"):
        source_of("Bếp nhà Lan", "kitchen")
