"""Who works in a kitchen, in the words of whoever reads its page. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.view import Frame
from bot.texts.catalogue import msg
from bot.web.nav import role_word
from core.channels import ADDRESS_KINDS, Address, AddressKind, ChannelName
from core.outbox.reach import Reached
from core.partners.addresses import masked
from core.partners.sessions import Session
from core.partners.staff import KnownAddress, Member

Reach = Mapping[tuple[ChannelName, str], Reached]


@dataclass(frozen=True, slots=True)
class AddressRow:
    """One address: what it is, masked, and whether messages reach it. `name` stands for it in forms."""

    name: str
    kind: str
    value: str
    state: str
    works: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member. `devices` counts the browsers that are signed in; `is_self` is the reader."""

    id: UUID
    name: str
    role: str
    is_told: bool
    addresses: tuple[AddressRow, ...]
    devices: int
    is_self: bool


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One browser that is signed in. `is_this` is the one the reader sits at."""

    id: UUID
    name: str
    how: str
    seen: str
    machine: str
    is_this: bool


def member_row(
    frame: Frame, member: Member, reach: Reach, devices: Sequence[Session], *, salt: str
) -> MemberRow:
    """Return one member as the list shows them."""
    return MemberRow(
        id=member.id,
        name=member.name,
        role=frame.texts.t(role_word(member.role)),
        is_told=member.is_recipient,
        addresses=tuple(_address(frame, known, reach, salt) for known in member.addresses),
        devices=sum(1 for session in devices if session.staff_id == member.id),
        is_self=frame.staff is not None and frame.staff.id == member.id,
    )


def device_row(frame: Frame, session: Session, *, this: UUID) -> DeviceRow:
    """Return one browser as its owner recognises it."""
    texts = frame.texts
    return DeviceRow(
        session.id,
        session.device or texts.t("Thiết bị không rõ tên"),
        texts.t(_HOW.get(session.via, _HOW["web"])),
        texts.moment(session.seen_at, frame.zone, frame.now),
        session.seen_at.isoformat(timespec="seconds"),
        session.id == this,
    )


def name_of(known: KnownAddress, salt: str) -> str:
    """Return what stands for an address in a form, so that the page need not show it whole."""
    return hashlib.sha256(f"{salt} {known.kind.value} {known.value}".encode()).hexdigest()[:16]


def _address(frame: Frame, known: KnownAddress, reach: Reach, salt: str) -> AddressRow:
    kind = _GROUP if Address(known.kind, known.value).is_group else _KINDS[known.kind]
    state, works = _state(frame, known, reach)
    return AddressRow(
        name_of(known, salt), frame.texts.t(kind), masked(known.kind, known.value), state, works
    )


def _state(frame: Frame, known: KnownAddress, reach: Reach) -> tuple[str, bool]:
    """Say whether messages reach it: what is known last counts."""
    if known.ended_at:
        return frame.texts.t("đã ngắt lúc {when}", when=_when(frame, known.ended_at)), False
    of = [reach[key] for channel in _channels(known.kind) if (key := (channel, known.value)) in reach]
    worked = max((each.worked_at for each in of if each.worked_at), default=None)
    failed = max((each.failed_at for each in of if each.failed_at), default=None)
    if failed and (worked is None or failed > worked):
        return frame.texts.t("tin lúc {when} không đến", when=_when(frame, failed)), False
    if worked:
        return frame.texts.t("tin lúc {when} đã đến", when=_when(frame, worked)), True
    return frame.texts.t("chưa gửi gì đến đây"), True


def _when(frame: Frame, at: datetime) -> str:
    return frame.texts.brief_moment(at, frame.zone, frame.now)


def _channels(kind: AddressKind) -> list[ChannelName]:
    return [channel for channel, kinds in ADDRESS_KINDS.items() if kind in kinds]


_GROUP: Final = msg("Nhóm Telegram")
_KINDS: Final[Mapping[AddressKind, str]] = MappingProxyType(
    {
        AddressKind.ZALO_USER: "Zalo",
        AddressKind.TELEGRAM_CHAT: "Telegram",
        AddressKind.PHONE: msg("Điện thoại"),
        AddressKind.EMAIL: "Email",
    }
)
_HOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "zalo": msg("vào từ Zalo"),
        "telegram": msg("vào từ Telegram"),
        "sms": msg("vào bằng mã SMS"),
        "email": msg("vào bằng mã trong thư"),
        "web": msg("vào bằng đường dẫn"),
        "operator": msg("vào bằng đường dẫn của tổng đài"),
        "invite": msg("vào bằng lời mời"),
    }
)
