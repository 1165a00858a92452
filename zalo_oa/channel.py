"""The channel `zalo`: consultation messages inside the 7 days, ZBS templates where they are set.

Each of Zalo's answers becomes an outcome here, once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core import channels
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
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
from zalo_oa.client import Accepted, Declined, Failure, Unclear, Undelivered, ZaloClient
from zalo_oa.credentials import TOKEN_ALARM, ConsentNeeded, NoTokens, RefreshFailed, TokenTrouble
from zalo_oa.errors import Fault, Reach, Remedy

# See docs/facts.md#zalo-windows: refused with -230 after 7 days without an interaction.
WINDOW: Final = timedelta(days=7)

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


class ZaloChannel:
    """Reaches people by their Zalo user id, and by phone where a template is set for the notice.

    A template with response buttons is not sent: nothing reads its answers yet, and a
    button that does nothing is worse than an SMS.
    """

    def __init__(
        self,
        client: ZaloClient,
        *,
        clock: Clock,
        templates: Mapping[str, Template],
        delivery_within: timedelta,
    ) -> None:
        self._client = client
        self._clock = clock
        self._templates = {kind: one.id for kind, one in templates.items() if not one.quick_reply}
        self._delivery_within = delivery_within

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
        if address.kind is AddressKind.ZALO_USER:
            return _window_is_open(address, now) or kind in self._templates
        return _is_phone(address) and kind in self._templates

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one card to Zalo; it has no way to recognise a repeated `key`, except by phone."""
        try:
            return await self._sent(address, card, key)
        except TokenTrouble as trouble:
            return _without_token(trouble)

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Zalo tells of itself."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _sent(self, address: Address, card: Card, key: str) -> Outcome:
        template = self._templates.get(card.kind)
        if address.kind is AddressKind.ZALO_USER and _window_is_open(address, self._clock.now()):
            return outcome(await self._client.send_cs(address.value, render.message(card)))
        if template is None:
            return NoSuchRecipient("no template for this notice", Scope.MESSAGE)
        data = render.template_data(card)
        if address.kind is AddressKind.ZALO_USER:
            answer = await self._client.send_template_by_uid(address.value, template, data)
            return outcome(answer, receipt_within=self._delivery_within)
        return await self._sent_by_phone(address, template, data, key)

    async def _sent_by_phone(
        self, address: Address, template: str, data: Mapping[str, str], key: str
    ) -> Outcome:
        if not _is_phone(address):
            return NoSuchRecipient("not a phone that ZBS takes")
        answer = await self._client.send_template_by_phone(
            address.value.removeprefix("+"), template, data, tracking_id=render.tracking_id(key)
        )
        return outcome(answer, receipt_within=self._delivery_within)


def outcome(answer: Accepted | Failure, *, receipt_within: timedelta | None = None) -> Outcome:
    """Return what Zalo's answer means for the message."""
    match answer:
        case Accepted(message_id):
            return Sent(message_id, receipt_within)
        case Undelivered(why):
            return TryLater(why)
        case Unclear(why):
            return channels.Unclear(why)
        case Declined(fault, text):
            return _declined(fault, text)


def _declined(fault: Fault, text: str) -> Outcome:
    why = f"{fault.code} {fault.meaning}"
    if fault.remedy is Remedy.OTHER_CHANNEL:
        # Only an address that leads to nobody is the recipient's; a closed window is not.
        gone = fault.reach is Reach.FOR_GOOD
        return NoSuchRecipient(why, Scope.RECIPIENT if gone else Scope.MESSAGE)
    if fault.remedy is Remedy.RETRY and not fault.alarm:
        return TryLater(why)
    scope = Scope(fault.scope.value)
    return Refused(f"{why}: {_masked(text)}", scope, _alarm(fault) if fault.alarm else None)


def _alarm(fault: Fault) -> str:
    told = "mọi tin nhắn" if fault.scope.value == Scope.EVERYBODY else "một tin nhắn"
    return f"Zalo từ chối {told}: lỗi {fault.code} ({fault.meaning})"


#: The keeper of the tokens raises and clears the same alarm: see `credentials.TOKEN_ALARM`.
_TOKEN: Final = TOKEN_ALARM.removeprefix(f"{ChannelName.ZALO.value}: ")


def _without_token(trouble: TokenTrouble) -> Outcome:
    if isinstance(trouble, RefreshFailed):
        return TryLater(f"no access token: {trouble}")
    return Refused(token_alarm(trouble), Scope.EVERYBODY, alarm=_TOKEN)


def token_alarm(trouble: TokenTrouble) -> str:
    """Return what the operators are told about the tokens, and what to do."""
    match trouble:
        case ConsentNeeded():
            return (
                "Zalo không nhận refresh token nữa: quản trị viên OA cần cấp quyền lại "
                "(chotdon zalo authorize)"
            )
        case NoTokens():
            return "Chưa có token Zalo: quản trị viên OA cần cấp quyền (chotdon zalo authorize)"
        case RefreshFailed():
            return f"Chưa gia hạn được token Zalo ({trouble}); hệ thống sẽ tự thử lại"
        case _:
            return "Zalo từ chối cả token vừa cấp: hãy kiểm tra ứng dụng và OA trong trang quản trị Zalo"


def _template(value: object) -> Template | None:
    if isinstance(value, Mapping):
        return _identified(value.get("id"), quick_reply=value.get("quick_reply") is True)
    return _identified(value, quick_reply=False)


def _identified(value: object, *, quick_reply: bool) -> Template | None:
    """Return the template of this id; JSON writers leave the quotes of a number away."""
    given = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return Template(given, quick_reply) if given else None


def _window_is_open(address: Address, now: datetime) -> bool:
    """Whether we may write freely; an address nobody has dated is tried, Zalo will tell."""
    return address.heard_at is None or now - address.heard_at < WINDOW


def _is_phone(address: Address) -> bool:
    return address.kind is AddressKind.PHONE and _PHONE.fullmatch(address.value) is not None


def _masked(text: str) -> str:
    """Keep phones and ids out of what may be logged."""
    return re.sub(r"[0-9]{5,}", "•••", text)
