"""What the messages of SMPP say: parts that are cut and joined, alphabets, delivery receipts. Pure."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from aiosmpplib import GSM7BitCodec  # type: ignore[import-untyped]

from bot.sms import smpp_pdu, text
from bot.sms.smpp_pdu import Delivery
from core.channels import ReceiptKind

# See docs/facts.md#sms-udh: a part of several begins with 5, the element 0, its length 3, reference, total,
# number; element 8 has a reference of two octets.
_EIGHT_BIT: Final = 0x00
_SIXTEEN_BIT: Final = 0x08

# See docs/facts.md#smpp-data-coding: 0 is the SMSC's default alphabet, Fx a class of it.
_GSM: Final = "gsm"
_ALPHABETS: Final[Mapping[int, str]] = MappingProxyType(
    {0x00: _GSM, 0x01: "ascii", 0x03: "latin-1", 0x08: "utf-16-be"} | dict.fromkeys(range(0xF0, 0xF4), _GSM)
)
_SEPTET: Final = 0x7F
_LONGEST: Final = 2_000  # characters: more than any sentence a person means as an order

# See docs/facts.md#smpp-esm-class: what kind of message it is stands in the four bits between.
_MESSAGE_TYPE: Final = 0x3C
_RECEIPT: Final = 0x04
_ON_THE_WAY: Final = 0x20

# See docs/facts.md#smpp-receipt
_STATES: Final[Mapping[str, ReceiptKind]] = MappingProxyType(
    {
        "DELIVRD": ReceiptKind.DELIVERED,
        "EXPIRED": ReceiptKind.FAILED,
        "DELETED": ReceiptKind.FAILED,
        "UNDELIV": ReceiptKind.FAILED,
        "REJECTD": ReceiptKind.FAILED,
    }
)
_STATE_NUMBERS: Final[Mapping[int, ReceiptKind]] = MappingProxyType(
    {2: ReceiptKind.DELIVERED} | dict.fromkeys((3, 4, 5, 8), ReceiptKind.FAILED)
)
_ID: Final = re.compile(r"\bid:\s*([0-9A-Za-z._:@-]{1,64})", re.ASCII | re.IGNORECASE)
_STATE: Final = re.compile(r"\bstat:\s*([A-Z]{7})", re.ASCII | re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{6,16}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{6,20}", re.ASCII)


# --- Going out --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it goes into a submit_sm."""

    content: bytes
    with_header: bool


def cut(message: str, reference: int) -> tuple[Part, ...]:
    """Return a text of the GSM alphabet as the parts that it is submitted in, one septet an octet.

    Several parts carry `reference` (0 to 255), by which the phone joins them. Raises ValueError for a
    character outside the alphabet.
    """
    pieces = text.segments(message)
    if len(pieces) == 1:
        return (Part(text.encoded(message), with_header=False),)
    return tuple(
        Part(
            bytes((5, _EIGHT_BIT, 3, reference, len(pieces), number)) + text.encoded(piece), with_header=True
        )
        for number, piece in enumerate(pieces, 1)
    )


# --- Coming in --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which long message something is. `reference` says its width too."""

    reference: str
    total: int
    number: int


def read_place(delivery: Delivery) -> tuple[Place | None, bytes]:
    """Return where a delivery belongs in a long message, None for a whole one, and what it says."""
    place, said = None, delivery.content
    if delivery.esm_class & smpp_pdu.UDHI and said:
        header, said = said[1 : 1 + said[0]], said[1 + said[0] :]
        place = _by_header(header)
    return place or _by_tags(delivery.tags), said


def _by_header(header: bytes) -> Place | None:
    while len(header) >= 2:
        element, length = header[0], header[1]
        value, header = header[2 : 2 + length], header[2 + length :]
        if element == _EIGHT_BIT and len(value) == 3:
            return _place(f"8:{value[0]}", value[1], value[2])
        if element == _SIXTEEN_BIT and len(value) == 4:
            return _place(f"16:{int.from_bytes(value[:2])}", value[2], value[3])
    return None


def _by_tags(tags: Mapping[int, bytes]) -> Place | None:
    try:
        reference = int.from_bytes(tags[smpp_pdu.SAR_REFERENCE])
        total, number = tags[smpp_pdu.SAR_TOTAL], tags[smpp_pdu.SAR_NUMBER]
    except KeyError:
        return None
    return _place(f"sar:{reference}", int.from_bytes(total), int.from_bytes(number))


def _place(reference: str, total: int, number: int) -> Place | None:
    return Place(reference, total, number) if total > 1 and 1 <= number <= total else None


def decoded(said: bytes, data_coding: int) -> str | None:
    """Return the text; None for what is none, or in an alphabet that we do not know, or far too long."""
    alphabet = _ALPHABETS.get(data_coding)
    if alphabet is None:
        return None
    if alphabet == _GSM:
        alphabet = _GSM if max(said, default=0) <= _SEPTET else "latin-1"  # no octet of GSM is that high
    words = _from_gsm(said) if alphabet == _GSM else said.decode(alphabet, "replace")
    words = words.replace("\0", "").removeprefix("\ufeff").strip()
    return words if words and len(words) <= _LONGEST else None


def _from_gsm(said: bytes) -> str:
    return str(GSM7BitCodec().decode(said, "replace")[0])


@dataclass(slots=True)
class _Group:
    total: int
    until: float
    parts: dict[int, Delivery] = field(default_factory=dict)


@dataclass(slots=True)
class Joiner:
    """Keeps the parts of long messages until they are whole, for `within` seconds after the last one.

    A whole message stays until it is let go, or for `whole_for` seconds: if it could not be taken in, only
    its last part comes again.
    """

    clock: Callable[[], float]
    within: float = 60.0
    whole_for: float = 900.0
    most: int = 1_000
    _groups: OrderedDict[tuple[object, ...], _Group] = field(default_factory=OrderedDict)

    def add(self, delivery: Delivery, place: Place) -> tuple[Delivery, ...] | None:
        """Return all parts in their order once they are there, else None."""
        now, key = self.clock(), _group_key(delivery, place)
        self._forget_before(now)
        group = self._groups.pop(key, None)
        if group is None or group.until < now:
            group = _Group(place.total, now)
        self._groups[key] = group
        group.parts[place.number] = delivery
        is_whole = len(group.parts) == group.total
        group.until = now + (self.whole_for if is_whole else self.within)
        return tuple(part for _, part in sorted(group.parts.items())) if is_whole else None

    def let_go(self, delivery: Delivery, place: Place) -> None:
        """Forget a message that was taken in."""
        self._groups.pop(_group_key(delivery, place), None)

    def _forget_before(self, now: float) -> None:
        """Forget the oldest, in the order of their last parts; one that outlives its time is not added to."""
        while self._groups and (self._oldest().until < now or len(self._groups) > self.most):
            self._groups.popitem(last=False)

    def _oldest(self) -> _Group:
        return next(iter(self._groups.values()))


def _group_key(delivery: Delivery, place: Place) -> tuple[object, ...]:
    return delivery.source.number, delivery.destination.number, place.reference, place.total


# --- Receipts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What a delivery receipt tells: of which message, and how far it came (None: still on its way)."""

    ids: tuple[str, ...]
    kind: ReceiptKind | None


def read_receipt(delivery: Delivery) -> Told | None:
    """Return what a delivery receipt tells; None for what is none.

    The words `id:… stat:DELIVRD` alone make no receipt: anybody can send them from a phone. It is one by
    its class, or by tags that a phone cannot set.
    """
    if not _is_receipt(delivery):
        return None
    words = delivery.content.decode("latin-1")
    named = [
        smpp_pdu.c_string(delivery.tags.get(smpp_pdu.RECEIPTED_MESSAGE_ID, b"")),
        *_ID.findall(words)[:1],
    ]
    ids = dict.fromkeys(form for name in named if name for form in spellings(name))
    return Told(tuple(ids), _state(delivery.tags.get(smpp_pdu.MESSAGE_STATE), words))


def _is_receipt(delivery: Delivery) -> bool:
    if delivery.esm_class & _MESSAGE_TYPE in {_RECEIPT, _ON_THE_WAY}:
        return True
    return {smpp_pdu.RECEIPTED_MESSAGE_ID, smpp_pdu.MESSAGE_STATE} <= delivery.tags.keys()


def _state(number: bytes | None, words: str) -> ReceiptKind | None:
    if number:
        return _STATE_NUMBERS.get(int.from_bytes(number))
    found = _STATE.search(words)
    return _STATES.get(found[1].upper()) if found else None


def spellings(name: str) -> tuple[str, ...]:
    """Return every way the SMSC may have written this message id when it accepted the message.

    Many write it in hexadecimal there and in decimal in the receipt, or the other way round
    (docs/facts.md#smpp-message-id). A short one is taken as it stands: another message could have the
    number that it turns into.
    """
    ways = [name]
    if _DECIMAL.fullmatch(name):
        value = int(name)
        ways += [f"{value:x}", f"{value:X}", f"{value:08x}", f"{value:08X}"]
    if _HEXADECIMAL.fullmatch(name):
        value = int(name, 16)
        ways += [str(value), f"{value:010}"]
    return tuple(dict.fromkeys(ways))
