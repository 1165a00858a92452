"""The channel `zalo`: consultation messages inside the 7 days, ZBS templates where they are set.

What is sent follows what is known: heard within 48 hours, free; within 7 days, billed; longer ago, a
template to the user id; only a phone, a template to the phone, also one with response buttons.
Each of Zalo's answers becomes an outcome here, once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core import channels
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    Charge,
    NoSuchRecipient,
    Outcome,
    Rate,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
)
from core.clock import Clock
from core.errors import Misconfigured
from zalo_oa import render
from zalo_oa.client import (
    Accepted,
    Declined,
    DeliveryStatus,
    Failure,
    Unclear,
    Undelivered,
    ZaloClient,
)
from zalo_oa.credentials import TOKEN_ALARM, ConsentNeeded, NoTokens, RefreshFailed, TokenTrouble
from zalo_oa.errors import Fault, Remedy

# See docs/facts.md#zalo-windows: free up to 48 h after an interaction, refused with -230 after 7 days.
FREE: Final = timedelta(hours=48)
WINDOW: Final = timedelta(days=7)

# What the setting PRICES has prices for.
_CS: Final = Charge("zalo_cs", dong=0)
_LATE_CS: Final = Charge("zalo_cs_late")
_BY_USER_ID: Final = Charge("zalo_zbs_uid")
_BY_PHONE: Final = Charge("zalo_zbs_phone")

# See docs/facts.md#zalo-rate: calls of one app; -32 when over.
RATE: Final = Rate(4_000, timedelta(minutes=1))

# See docs/facts.md#zbs-request: ZBS takes Vietnamese numbers, as 84 and nine digits.
_PHONE: Final = re.compile(r"\+?84[0-9]{9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Template:
    """An approved ZBS template; one with response buttons goes to phones only."""

    id: str
    quick_reply: bool = False


def templates(setting: Mapping[str, object]) -> dict[str, Template]:
    """Read the setting ZALO_TEMPLATES: notice kind → id, or `{"id": …, "quick_reply": true}`.

    Raises Misconfigured with every fault.
    """
    read = {kind: _template(value) for kind, value in setting.items()}
    faults = [f"CHOTDON_ZALO_TEMPLATES: {kind} has no template id" for kind, one in read.items() if not one]
    if faults:
        raise Misconfigured(*faults)
    return {kind: one for kind, one in read.items() if one}


def _nothing() -> None:
    """There is no link that an admin could consent by."""


class ZaloChannel:
    """Reaches people by their Zalo user id, and by phone where a template is set for the notice.

    A template with response buttons goes to phones only. `picture` is the address of the image above
    a card that asks for a phone; without it the card is a plain text. `consent_link` makes the link
    that an admin of the account needs when the tokens are gone.
    """

    def __init__(
        self,
        client: ZaloClient,
        *,
        clock: Clock,
        templates: Mapping[str, Template],
        delivery_within: timedelta,
        picture: str | None = None,
        consent_link: Callable[[], str | None] = _nothing,
    ) -> None:
        self._client = client
        self._clock = clock
        self._templates = templates
        self._delivery_within = delivery_within
        self._picture = picture
        self._consent_link = consent_link

    @property
    def name(self) -> ChannelName:
        """The channel this is."""
        return ChannelName.ZALO

    @property
    def gateway(self) -> str:
        """Who is behind it."""
        return "zalo"

    @property
    def rate(self) -> Rate:
        """How much Zalo takes of one app."""
        return RATE

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whether the window is open, or an approved template goes without it."""
        if _window_is_open(address, now):
            return True
        return self._template(address, kind) is not None

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one card to Zalo; it has no way to recognise a repeated `key`, except by phone."""
        try:
            return await self._sent(address, card, key)
        except TokenTrouble as trouble:
            return self._without_token(trouble)

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Ask ZBS whether a message reached the phone; of a user id Zalo tells by itself."""
        if not _is_phone(address):
            return None
        try:
            answer = await self._client.status(gateway_id)
        except TokenTrouble:
            return None
        return ReceiptKind.DELIVERED if answer == DeliveryStatus(delivered=True) else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _template(self, address: Address, kind: str) -> Template | None:
        """Return the template of this notice that this address can be sent."""
        template = self._templates.get(kind)
        if template is None or _is_phone(address):
            return template
        by_user_id = address.kind is AddressKind.ZALO_USER and not template.quick_reply
        return template if by_user_id else None

    async def _sent(self, address: Address, card: Card, key: str) -> Outcome:
        now = self._clock.now()
        if _window_is_open(address, now):
            message = render.message(card, picture=self._picture)
            return outcome(await self._client.send_cs(address.value, message), _cs_charge(address, now))
        template = self._template(address, card.kind)
        if template is None:
            return _unreached(address)
        data = render.template_data(card)
        if address.kind is AddressKind.ZALO_USER:
            answer = await self._client.send_template_by_uid(address.value, template.id, data)
            return outcome(answer, _BY_USER_ID, receipt_within=self._delivery_within)
        answer = await self._client.send_template_by_phone(
            address.value.removeprefix("+"), template.id, data, tracking_id=render.tracking_id(key)
        )
        return outcome(answer, _BY_PHONE, receipt_within=self._delivery_within)

    def _without_token(self, trouble: TokenTrouble) -> Outcome:
        if isinstance(trouble, RefreshFailed):
            return TryLater(f"no access token: {trouble}")
        return Refused(token_alarm(trouble, self._consent_link()), Scope.EVERYBODY, alarm=_TOKEN)


def outcome(
    answer: Accepted | Failure, charge: Charge | None = None, *, receipt_within: timedelta | None = None
) -> Outcome:
    """Return what Zalo's answer means for the message, and what is paid for it."""
    match answer:
        case Accepted(message_id):
            return Sent(message_id, receipt_within, charge)
        case Undelivered(why, after):
            return TryLater(why, after)
        case Unclear(why):
            return channels.Unclear(why, charge)
        case Declined(fault, text):
            return _declined(fault, text, charge)


def _declined(fault: Fault, text: str, charge: Charge | None) -> Outcome:
    why = f"{fault.code} {fault.meaning}"
    scope = Scope(fault.scope.value)
    if fault.remedy is Remedy.OTHER_CHANNEL:
        return NoSuchRecipient(why, scope, out_for=fault.out_for, unheard=fault.unheard)
    if fault.remedy is Remedy.RETRY and not fault.alarm:
        return TryLater(why)
    proof = charge if fault.alarm and not fault.refresh else None
    return Refused(f"{why}: {_masked(text)}", scope, _alarm(fault) if fault.alarm else None, proof)


def _cs_charge(address: Address, now: datetime) -> Charge:
    if address.heard_at is None or now - address.heard_at <= FREE:
        return _CS
    return _LATE_CS


def _unreached(address: Address) -> NoSuchRecipient:
    if address.kind is AddressKind.PHONE and not _is_phone(address):
        return NoSuchRecipient("not a phone that ZBS takes")
    return NoSuchRecipient("no template for this notice", Scope.MESSAGE)


def _alarm(fault: Fault) -> str:
    told = "mọi tin nhắn" if fault.scope.value == Scope.EVERYBODY else "một tin nhắn"
    return f"Zalo từ chối {told}: lỗi {fault.code}"


#: The keeper of the tokens raises and clears the same alarm: see `credentials.TOKEN_ALARM`.
_TOKEN: Final = TOKEN_ALARM.removeprefix(f"{ChannelName.ZALO.value}: ")


def token_alarm(trouble: TokenTrouble, link: str | None = None) -> str:
    """Return what the operators are told about the tokens, and what to do; `link` is where to consent."""
    match trouble:
        case ConsentNeeded():
            why = "Zalo không nhận refresh token nữa: quản trị viên OA cần cấp quyền lại"
        case NoTokens():
            why = "Chưa có token Zalo: quản trị viên OA cần cấp quyền"
        case RefreshFailed():
            return f"Chưa gia hạn được token Zalo ({trouble}); hệ thống sẽ tự thử lại"
        case _:
            return "Zalo từ chối cả token vừa cấp: hãy kiểm tra ứng dụng và OA trong trang quản trị Zalo"
    return f"{why} tại {link}" if link else f"{why} (chotdon zalo authorize)"


def _template(value: object) -> Template | None:
    if isinstance(value, Mapping):
        return _identified(value.get("id"), quick_reply=value.get("quick_reply") is True)
    return _identified(value, quick_reply=False)


def _identified(value: object, *, quick_reply: bool) -> Template | None:
    """Return the template of this id; JSON writers leave the quotes of a number away."""
    given = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return Template(given, quick_reply) if given else None


def _window_is_open(address: Address, now: datetime) -> bool:
    """Whether we may write freely; a user whom nobody has dated is tried, Zalo will tell."""
    if address.kind is not AddressKind.ZALO_USER:
        return False
    return address.heard_at is None or now - address.heard_at < WINDOW


def _is_phone(address: Address) -> bool:
    return address.kind is AddressKind.PHONE and _PHONE.fullmatch(address.value) is not None


def _masked(text: str) -> str:
    """Keep phones and ids out of what may be logged."""
    return re.sub(r"[0-9]{5,}", "•••", text)
