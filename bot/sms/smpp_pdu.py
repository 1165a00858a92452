"""SMPP 3.4 on the wire: requests are written by `aiosmpplib`, what comes in is read here.

Only the PDU types of that library are used, not its `ESME`: one PDU that it cannot read ends its reader
for good (`struct.error`), a status or a data coding that it does not list drops the bind, and it answers
a deliver_sm before anybody can say that the database is away (docs/facts.md#aiosmpplib-esme).
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiosmpplib  # type: ignore[import-untyped]
from aiosmpplib import NPI, TON, PhoneNumber, SmppCommand, SmppCommandStatus

from core.errors import Malformed

# See docs/facts.md#smpp-header: length, command, status, sequence number, four octets each.
_HEADER: Final = struct.Struct("!IIII")
_RESPONSE: Final = 0x80000000
_LAST_SEQUENCE: Final = 0x7FFFFFFF

# See docs/facts.md#smpp-payload: a message_payload has up to 64 kB; the rest of a PDU is far below one.
LONGEST: Final = 65_535 + 1_024
_LONGEST_FIELD: Final = 255

# See docs/facts.md#smpp-tags
RECEIPTED_MESSAGE_ID: Final = 0x001E
USER_MESSAGE_REFERENCE: Final = 0x0204
SAR_REFERENCE: Final = 0x020C
SAR_TOTAL: Final = 0x020E
SAR_NUMBER: Final = 0x020F
_MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427

# See docs/facts.md#smpp-esm-class
UDHI: Final = 0x40

DELIVER: Final = int(SmppCommand.DELIVER_SM)
ENQUIRE: Final = int(SmppCommand.ENQUIRE_LINK)
UNBIND: Final = int(SmppCommand.UNBIND)
ALERT: Final = int(SmppCommand.ALERT_NOTIFICATION)
NACK: Final = int(SmppCommand.GENERIC_NACK)


class Unframed(Exception):
    """The other side said a length that no PDU has: nothing after it can be read."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came in."""

    command: int
    status: int
    sequence: int
    body: bytes

    @property
    def is_response(self) -> bool:
        """Whether it answers something of ours."""
        return bool(self.command & _RESPONSE)

    @property
    def is_yes(self) -> bool:
        """Whether it says that what was asked is done; a nack never does, whatever its status."""
        return self.status == SmppCommandStatus.ESME_ROK and self.command != NACK


@dataclass(frozen=True, slots=True)
class Party:
    """A number or a name at one end of a message, with its type and numbering plan."""

    number: str
    ton: int = 0
    npi: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliver_sm carries; `content` is as it was on the wire, header and all."""

    source: Party
    destination: Party
    esm_class: int
    data_coding: int
    content: bytes
    tags: Mapping[int, bytes]


async def read(reader: asyncio.StreamReader) -> Pdu:
    """Return the next PDU. Raises Unframed, and as the reader does when the connection ends."""
    length, command, status, sequence = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if not _HEADER.size <= length <= LONGEST:
        raise Unframed
    return Pdu(command, status, sequence, await reader.readexactly(length - _HEADER.size))


def answer_to(request: bytes) -> int:
    """Return the command that answers this request."""
    _, command, _, _ = _HEADER.unpack_from(request)
    return int(command) | _RESPONSE


def next_sequence(sequence: int) -> int:
    """Return the number of the request after this one."""
    return sequence % _LAST_SEQUENCE + 1


# --- What we write ----------------------------------------------------------------------------


def bind(sequence: int, *, system_id: str, password: str) -> bytes:
    """Ask to bind as a transceiver. Raises ValueError for a name or a password that has no room."""
    return _written(aiosmpplib.BindTransceiver(sequence_num=sequence, system_id=system_id, password=password))


def submit(sequence: int, *, source: Party, destination: Party, content: bytes, with_header: bool) -> bytes:
    """Hand in one part, in the SMSC's default alphabet, and ask for its delivery receipt."""
    message = aiosmpplib.SubmitSm(
        sequence_num=sequence,
        short_message="-",  # the library wants one; the octets that leave are set below
        source=_party(source),
        destination=_party(destination),
        esm_class=UDHI if with_header else 0,
        registered_delivery=1,
    )
    message.set_encoded_message(content)
    return _written(message)


def delivered(sequence: int, status: int) -> bytes:
    """Answer a deliver_sm."""
    return _written(aiosmpplib.DeliverSmResp(sequence_num=sequence, command_status=SmppCommandStatus(status)))


def enquire(sequence: int) -> bytes:
    """Ask whether the other side is still there."""
    return _written(aiosmpplib.EnquireLink(sequence_num=sequence))


def enquired(sequence: int) -> bytes:
    """Answer that we are still here."""
    return _written(aiosmpplib.EnquireLinkResp(sequence_num=sequence))


def unbind(sequence: int) -> bytes:
    """Ask to end the session."""
    return _written(aiosmpplib.Unbind(sequence_num=sequence))


def unbound(sequence: int) -> bytes:
    """Answer that the session may end."""
    return _written(aiosmpplib.UnbindResp(sequence_num=sequence))


def not_known(sequence: int) -> bytes:
    """Answer a request that we do not know."""
    status = SmppCommandStatus.ESME_RINVCMDID
    return _written(aiosmpplib.GenericNack(sequence_num=sequence, command_status=status))


def _written(message: Any) -> bytes:
    return bytes(message.pdu())


def _party(party: Party) -> Any:
    return PhoneNumber(party.number, TON(party.ton), NPI(party.npi))


# --- What we read -----------------------------------------------------------------------------


def message_id(body: bytes) -> str:
    """Return the SMSC's name for a message from the body of a submit_sm_resp; empty where there is none."""
    return c_string(body[:_LONGEST_FIELD])


def c_string(octets: bytes) -> str:
    """Return the text before the first zero octet; what is no ASCII becomes a question mark."""
    return octets.partition(b"\0")[0].decode("ascii", "replace").replace("\ufffd", "?")


def delivery(body: bytes) -> Delivery:
    """Read the body of a deliver_sm. Raises Malformed where its fields do not add up."""
    fields = _Fields(body)
    fields.string()  # service type
    source, destination = fields.party(), fields.party()
    esm_class = fields.octet()
    fields.take(2)  # protocol id and priority
    fields.string()  # schedule delivery time
    fields.string()  # validity period
    fields.take(2)  # registered delivery and replace if present
    data_coding = fields.octet()
    fields.take(1)  # number of a canned message
    short = fields.take(fields.octet())
    tags = fields.tags()
    return Delivery(
        source, destination, esm_class, data_coding, short or tags.get(_MESSAGE_PAYLOAD, b""), tags
    )


class _Fields:
    """Takes the fields of a PDU one after the other."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._place = 0

    def take(self, count: int) -> bytes:
        taken = self._octets[self._place : self._place + count]
        if len(taken) != count:
            raise Malformed("smpp_too_short")
        self._place += count
        return taken

    def octet(self) -> int:
        return self.take(1)[0]

    def string(self) -> str:
        end = self._octets.find(b"\0", self._place, self._place + _LONGEST_FIELD)
        if end < 0:
            raise Malformed("smpp_endless_string")
        return c_string(self.take(end + 1 - self._place))

    def party(self) -> Party:
        ton, npi = self.take(2)
        return Party(self.string(), ton, npi)

    def tags(self) -> dict[int, bytes]:
        """Return the optional parameters; fewer octets than a tag and a length have are padding."""
        read: dict[int, bytes] = {}
        while len(self._octets) - self._place >= 4:
            tag, length = struct.unpack("!HH", self.take(4))
            read[tag] = self.take(length)
        return read
