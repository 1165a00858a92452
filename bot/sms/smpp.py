"""SMS by a direct bind to an SMSC, SMPP 3.4: sends, and hears answers and receipts on the same connection.

Nothing is connected before the first message is sent or somebody listens. A process has one bind. Where
nobody listens, what comes in is answered with "temporary error", so that it is sent again to who does.
"""

import asyncio
import itertools
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from aiosmpplib import NPI, TON, SmppCommandStatus  # type: ignore[import-untyped]

from bot.sms import smpp_pdu, smpp_text
from bot.sms.gateway import SmsGateway
from bot.sms.smpp_keys import Keys, fingerprint
from bot.sms.smpp_pdu import Delivery, Party
from bot.sms.smpp_session import AGAIN, OK, Account, Link, Lost, NotBound, Pace, Session
from bot.sms.smpp_text import Joiner, Part, Place, Told
from core import metrics
from core.channels import (
    Address,
    AddressKind,
    ChannelName,
    Charge,
    Inbound,
    NoSuchRecipient,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Said,
    Scope,
    Sent,
    TryLater,
    Unclear,
    Unreadable,
)
from core.errors import Misconfigured, RuleError
from core.partners.phones import e164
from core.settings import Settings

_log = structlog.get_logger()

Hear = Callable[[Inbound], Awaitable[object]]

_PORT: Final = 2775  # docs/facts.md#smpp-bind
_LONGEST_SYSTEM_ID: Final = 15  # docs/facts.md#smpp-bind
_LONGEST_PASSWORD: Final = 8  # docs/facts.md#smpp-bind
_LONGEST_NAME: Final = 11  # docs/facts.md#smpp-source
_SHORT_CODE: Final = re.compile(r"[0-9]{3,8}", re.ASCII)
_NAME: Final = re.compile(rf"[ -~]{{1,{_LONGEST_NAME}}}", re.ASCII)
_MOST_PARTS: Final = 32  # of a message that comes in: some 4,900 characters
_REMEMBERED: Final = 10_000

_Status = SmppCommandStatus
# See docs/facts.md#smpp-status
_LATER: Final = frozenset(
    {
        _Status.ESME_RINVBNDSTS,
        _Status.ESME_RSYSERR,
        _Status.ESME_RMSGQFUL,
        _Status.ESME_RTHROTTLED,
        _Status.ESME_RX_T_APPN,
    }
)
_BIND_LATER: Final = _LATER | {_Status.ESME_RALYBND}
_NOT_LET_IN: Final = frozenset(
    {_Status.ESME_RBINDFAIL, _Status.ESME_RINVPASWD, _Status.ESME_RINVSYSID, _Status.ESME_RINVSYSTYP}
)
_OUR_NUMBER: Final = frozenset({_Status.ESME_RINVSRCADR, _Status.ESME_RINVSRCTON, _Status.ESME_RINVSRCNPI})


def open_smpp(settings: Settings, *, pace: Pace | None = None) -> SmsGateway:
    """Return the gateway that the settings describe. Raises Misconfigured with every fault in them."""
    account = read_url(settings.require("smpp_url"))
    source = source_of(settings.sms_reply_number, account.system_id)
    return SmppGateway(account, source=source, pace=pace or Pace())


class SmppGateway:
    """One account at one SMSC."""

    name: Final = "smpp"
    rate: Final = None  # docs/facts.md#smpp-rate: each contract has its own; too much is answered by status

    def __init__(self, account: Account, *, source: Party, pace: Pace) -> None:
        self._source = source
        self._pace = pace
        self._link = Link(account, deliver=self._take_in, pace=pace)
        self._references = itertools.count(secrets.randbelow(256))
        self._earlier: OrderedDict[str, str] = OrderedDict()
        self._hear: Hear | None = None
        self._in_order = asyncio.Lock()
        self._keys = Keys()
        self._joiner = Joiner(clock=asyncio.get_running_loop().time)

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Hand one text to the SMSC, part by part; it cannot tell a repeat, so `key` is not used.

        `Sent` has the SMSC's id of the last part: a phone that has that one has most likely all.
        """
        deadline = asyncio.get_running_loop().time() + self._pace.answer
        try:
            parts = smpp_text.cut(text, next(self._references) % 256)
        except ValueError as fault:
            return Refused(str(fault))
        try:
            async with asyncio.timeout_at(deadline):
                session = await self._link.session()
        except TimeoutError:
            return TryLater("not bound in time")
        except NotBound as fault:
            return _unbound(fault)
        return await self._submit(session, phone, parts, deadline)

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """The SMSC tells of itself."""
        return None

    async def listen(self, hear: Hear) -> None:
        """Hand texts and receipts to `hear` until cancelled; what it raises for is sent again.

        Texts are handed over one after the other, as they came; receipts beside them.
        """
        self._hear = hear
        try:
            await self._link.keep()
        finally:
            self._hear = None

    async def close(self) -> None:
        """Unbind."""
        await self._link.close()

    # --- going out ----------------------------------------------------------------------------

    async def _submit(
        self, session: Session, phone: str, parts: tuple[Part, ...], deadline: float
    ) -> Outcome:
        """Submit one part after the other, so that a refusal of the first leaves nothing behind."""
        ids: list[str] = []
        for part in parts:
            answer = await self._submit_part(session, phone, part, deadline)
            if isinstance(answer, str):
                ids.append(answer)
            elif isinstance(answer, Unclear):
                return Unclear(answer.why, Charge(self.name, len(ids) + 1))
            elif ids:
                why = f"{len(ids)} of {len(parts)} parts accepted, then {answer.why}"
                return Unclear(why, Charge(self.name, len(ids)))
            else:
                return answer
        self._remember(ids)
        return Sent(ids[-1] or None, charge=Charge(self.name, len(parts)))

    async def _submit_part(
        self, session: Session, phone: str, part: Part, deadline: float
    ) -> str | NoSuchRecipient | Refused | TryLater | Unclear:
        """Return the SMSC's id of an accepted part; wait for room among those that have no answer yet."""
        try:
            async with asyncio.timeout_at(deadline - self._pace.answer / 5):  # the answer needs time, too
                await session.window.acquire()
        except TimeoutError:
            return TryLater("too many messages wait for an answer")
        try:
            async with asyncio.timeout_at(deadline):
                answer = await session.request(lambda sequence: self._written(sequence, phone, part))
        except TimeoutError:
            return Unclear("no answer in time")
        except Lost as lost:
            return Unclear(str(lost)) if lost.was_written else TryLater(str(lost))
        finally:
            session.window.release()
        if answer.is_yes:
            return smpp_pdu.message_id(answer.body)
        if answer.status == _Status.ESME_RINVBNDSTS:
            session.end()
        return refusal(answer.status)

    def _written(self, sequence: int, phone: str, part: Part) -> bytes:
        return smpp_pdu.submit(
            sequence,
            source=self._source,
            destination=_to(phone),
            content=part.content,
            with_header=part.with_header,
        )

    def _remember(self, ids: list[str]) -> None:
        """Know the earlier parts of a message, of which only the last one's id is kept."""
        for earlier in ids[:-1]:
            self._earlier[earlier] = ids[-1]
        while len(self._earlier) > _REMEMBERED:
            self._earlier.popitem(last=False)

    # --- coming in ----------------------------------------------------------------------------

    async def _take_in(self, delivery: Delivery, session: int) -> int:
        hear = self._hear
        if hear is None:
            return AGAIN
        told = smpp_text.read_receipt(delivery)
        if told:
            return await self._take_receipt(hear, told)
        came = self._keys.clock()
        async with self._in_order:
            return await self._take_text(hear, delivery, came, session)

    async def _take_receipt(self, hear: Hear, told: Told) -> int:
        if not told.ids or not told.kind:
            metrics.INBOUND.labels("sms", "smpp_receipt_of_nothing_final").inc()
            return OK
        ids, whole = told.ids, next((self._earlier[one] for one in told.ids if one in self._earlier), None)
        if whole:
            if told.kind is ReceiptKind.DELIVERED:
                return OK  # the last part speaks for the message
            ids = (whole,)
        nobody = Address(AddressKind.PHONE, "")
        key = f"sms:smpp:receipt:{ids[0]}:{told.kind}"
        return await self._handed(hear, Inbound(ChannelName.SMS, key, nobody, Receipt(told.kind, ids)))

    async def _take_text(self, hear: Hear, delivery: Delivery, came: float, session: int) -> int:
        sender = _phone(delivery.source)
        if sender is None:
            metrics.REJECTED.labels("sms", "smpp_no_phone").inc()
            return OK
        place, _ = smpp_text.read_place(delivery)
        parts = self._whole(delivery, place)
        if parts is None:
            return OK
        name = fingerprint(parts)
        inbound = Inbound(ChannelName.SMS, self._keys.key(name, came, session), sender, _body(parts))
        status = await self._handed(hear, inbound)
        if status == OK:
            self._keys.answered(name)
            if place:
                self._joiner.let_go(delivery, place)
        return status

    def _whole(self, delivery: Delivery, place: Place | None) -> tuple[Delivery, ...] | None:
        """Return all parts of a message; None while some are missing, or when they would never end."""
        if place is None:
            return (delivery,)
        if place.total > _MOST_PARTS:
            metrics.REJECTED.labels("sms", "smpp_too_many_parts").inc()
            return None
        return self._joiner.add(delivery, place)

    async def _handed(self, hear: Hear, inbound: Inbound) -> int:
        try:
            async with asyncio.timeout(self._pace.answer):
                await hear(inbound)
        except Exception as fault:  # noqa: BLE001  (whatever it was, the SMSC still has the message)
            _log.warning("sms not taken in", gateway=self.name, why=type(fault).__name__)
            return AGAIN
        return OK


def _body(parts: tuple[Delivery, ...]) -> Said | Unreadable:
    said = b"".join(smpp_text.read_place(part)[1] for part in parts)
    words = smpp_text.decoded(said, parts[0].data_coding)
    return Said(words) if words else Unreadable("sms")


def _to(phone: str) -> Party:
    return Party(phone.removeprefix("+"), int(TON.INTERNATIONAL), int(NPI.ISDN))


def _phone(source: Party) -> Address | None:
    """Return the sender's phone; None for a name, a short code and whatever else cannot be one of ours."""
    ways = [f"+{source.number.removeprefix('+')}"] if source.ton == TON.INTERNATIONAL else []
    for written in (*ways, source.number):
        try:
            return Address(AddressKind.PHONE, e164(written))
        except RuleError:
            continue
    return None


# --- What the SMSC's answers mean -------------------------------------------------------------


def refusal(status: int) -> NoSuchRecipient | Refused | TryLater:
    """Return what a status other than OK means for a message that was submitted."""
    why = status_name(status)
    if status in _LATER:
        return TryLater(why)
    if status == _Status.ESME_RINVDSTADR:
        return NoSuchRecipient(why)
    if status in _NOT_LET_IN:
        return _not_let_in(why)
    if status in _OUR_NUMBER:
        told = f"SMSC không nhận số gửi đi ({why}): hãy kiểm tra CHOTDON_SMS_REPLY_NUMBER với nhà mạng"
        return Refused(told, Scope.EVERYBODY, alarm="smpp source")
    return Refused(why)


def status_name(status: int) -> str:
    """Return the specification's name of a status; vendors have others of their own."""
    try:
        return str(_Status(status).name)
    except ValueError:
        return f"0x{status:08X}"


def _unbound(fault: NotBound) -> TryLater | Refused:
    if fault.status is None or fault.status in _BIND_LATER:
        return TryLater(fault.why)
    return _not_let_in(status_name(fault.status))


def _not_let_in(why: str) -> Refused:
    told = f"SMSC không cho đăng nhập ({why}): hãy kiểm tra CHOTDON_SMPP_URL và hợp đồng SMPP với nhà mạng"
    return Refused(told, Scope.EVERYBODY, alarm="smpp bind")


# --- Settings ---------------------------------------------------------------------------------


def read_url(url: str) -> Account:
    """Read `smpp://system_id:password@host:2775`. Raises Misconfigured with every fault."""
    parts = urlsplit(url)
    system_id, password = unquote(parts.username or ""), unquote(parts.password or "")
    faults = [
        *_too_long("system_id", system_id, _LONGEST_SYSTEM_ID),
        *_too_long("password", password, _LONGEST_PASSWORD),
    ]
    port = _port(parts)
    if port is None:
        faults.append("CHOTDON_SMPP_URL: the port must be a number up to 65535")
    if faults or port is None:
        raise Misconfigured(*faults)
    return Account(parts.hostname or "", port, system_id, password)


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORT
    except ValueError:
        return None


def _too_long(name: str, value: str, most: int) -> list[str]:
    if len(value) <= most and value.isascii():
        return []
    return [f"CHOTDON_SMPP_URL: SMPP takes a {name} of at most {most} ASCII characters"]


def source_of(reply_number: str | None, system_id: str) -> Party:
    """Return what our messages come from: the number that is answered to, else the account's name.

    Where that can be no sender it is left empty: the SMSC puts the account's own. Raises Misconfigured
    for a reply number that can be none.
    """
    party = _sender(reply_number or system_id)
    if party is None and reply_number:
        raise Misconfigured("CHOTDON_SMS_REPLY_NUMBER: must be a phone, a short code or up to 11 letters")
    return party or Party("")


def _sender(text: str) -> Party | None:
    """Return it with its type and plan, docs/facts.md#smpp-source."""
    if _SHORT_CODE.fullmatch(text):
        return Party(text, int(TON.NETWORK_SPECIFIC), int(NPI.UNKNOWN))
    try:
        return _to(e164(text))
    except RuleError:
        name = _NAME.fullmatch(text)
    return Party(text, int(TON.ALPHANUMERIC), int(NPI.UNKNOWN)) if name else None
