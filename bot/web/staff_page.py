"""Who works in the kitchen: everybody sees the list; owners and managers add, change, invite and remove."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.keys import DATABASE
from bot.texts.catalogue import Texts, msg
from bot.web.forms import Form, address_of
from bot.web.nav import role_word
from bot.web.session import Seat, form_of, inside, seat_of, view_frame
from bot.web.staff_view import member_row, name_of
from core.actors import Role
from core.channels import AddressKind
from core.database import Database
from core.errors import NotFound, RuleError
from core.outbox import reach
from core.partners import addresses, sessions, staff
from core.partners.staff import Member, may_manage, new_member

#: What a page tells after a form of it was carried out; the address names it.
DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "saved": msg("Đã lưu."),
        "removed": msg("Đã cho nghỉ. Nút bấm, đường dẫn và thiết bị của người này không dùng được nữa."),
        "address": msg("Đã thêm địa chỉ."),
        "taken": msg("Đã bỏ địa chỉ."),
        "out": msg("Đã thoát khỏi mọi thiết bị của người này."),
    }
)
_MOST_STAFF: Final = 100


@dataclass(frozen=True, slots=True)
class Managing:
    """Somebody who may manage, and the member that the address names."""

    seat: Seat
    member: Member
    form: Form


async def show(request: web.Request) -> web.Response:
    """List who works here, how each is reached and whether that works."""
    seat = await seat_of(request)
    database, frame = request.config_dict[DATABASE], view_frame(request, seat)
    members = await staff.staff_of(database.pool, seat.partner.id)
    values = [known.value for member in members for known in member.addresses]
    known = await reach.known(database.pool, values)
    people = [member.id for member in members]
    devices = await sessions.of_staff(database.pool, people, now=frame.now)
    salt = str(seat.session.id)
    rows = [
        (member_row(frame, member, known, devices, salt=salt), may_manage(seat.staff.role, member.role))
        for member in members
    ]
    return inside(
        request,
        seat,
        "staff.html",
        title=seat.texts.t("Nhân viên"),
        members=rows,
        may_add=seat.staff.role.is_told,
        done=_done(request, seat.texts),
    )


async def ask_new(request: web.Request) -> web.Response:
    """Ask who is to be added."""
    seat = await _manager(request)
    return _new(request, seat, {"role": Role.KITCHEN.value, "notify": "on"})


async def add(request: web.Request) -> web.Response:
    """Add somebody, and lead to their invitation."""
    seat = await _manager(request)
    form = await form_of(request, seat)
    try:
        member = await _added(request.config_dict[DATABASE], seat, form)
    except RuleError as refusal:
        return _new(request, seat, form, fault=fault_words(seat.texts, refusal), status=422)
    raise web.HTTPSeeOther(f"/staff/{member.id}?done=saved")


async def _added(database: Database, seat: Seat, form: Form) -> Member:
    role = _role(seat, form)
    if len(await staff.staff_of(database.pool, seat.partner.id)) >= _MOST_STAFF:
        raise RuleError("too_many_staff")
    phone, email = form.get("phone", "").strip() or None, form.get("email", "").strip() or None
    member = new_member(form.get("name", ""), role, phone=phone, email=email, notify="notify" in form)
    return await staff.add(database, seat.partner.id, member)


async def ask_change(request: web.Request) -> web.Response:
    """Show one member with everything that can be changed."""
    managing = await _managing(request)
    return await _one(request, managing.seat, managing.member)


async def change(request: web.Request) -> web.Response:
    """Give a member another role, or other news."""
    managing = await _managing(request, posts=True)
    seat, member, form = managing.seat, managing.member, managing.form
    database = request.config_dict[DATABASE]
    try:
        role = _role(seat, form)
        await staff.change(database, seat.partner.id, member.id, role=role, notify="notify" in form)
    except RuleError as refusal:
        return await _one(request, seat, member, fault=fault_words(seat.texts, refusal), status=422)
    raise web.HTTPSeeOther(f"/staff/{member.id}?done=saved")


async def add_address(request: web.Request) -> web.Response:
    """Give a member one more phone or mailbox."""
    managing = await _managing(request, posts=True)
    seat, member = managing.seat, managing.member
    database = request.config_dict[DATABASE]
    try:
        address = address_of(managing.form.get("address", "").strip())
    except RuleError as refusal:
        return await _one(request, seat, member, fault=fault_words(seat.texts, refusal), status=422)
    await addresses.add(database.pool, member.id, address, now=database.clock.now())
    raise web.HTTPSeeOther(f"/staff/{member.id}?done=address")


async def take_address(request: web.Request) -> web.Response:
    """Take an address from a member."""
    managing = await _managing(request, posts=True)
    seat, member, wanted = managing.seat, managing.member, managing.form.get("address", "")
    salt = str(seat.session.id)
    known = next((each for each in member.addresses if name_of(each, salt) == wanted), None)
    if known:
        pool = request.config_dict[DATABASE].pool
        await addresses.take_away(pool, member.id, known.kind, known.value)
    raise web.HTTPSeeOther(f"/staff/{member.id}?done=taken")


async def end_sessions(request: web.Request) -> web.Response:
    """Sign a member out everywhere."""
    managing = await _managing(request, posts=True)
    database = request.config_dict[DATABASE]
    async with database.pool.acquire() as connection:
        await sessions.end_all(connection, managing.member.id, now=database.clock.now())
    raise web.HTTPSeeOther(f"/staff/{managing.member.id}?done=out")


async def ask_remove(request: web.Request) -> web.Response:
    """Ask whether somebody really leaves."""
    managing = await _managing(request)
    return _remove(request, managing.seat, managing.member)


async def remove(request: web.Request) -> web.Response:
    """Let somebody go, at once."""
    managing = await _managing(request, posts=True)
    seat, member = managing.seat, managing.member
    try:
        await staff.remove_by_id(request.config_dict[DATABASE], seat.partner.id, member.id)
    except NotFound:
        raise web.HTTPSeeOther("/staff") from None
    except RuleError as refusal:
        return _remove(request, seat, member, fault=fault_words(seat.texts, refusal), status=422)
    raise web.HTTPSeeOther("/staff?done=removed")


# --- Who may ----------------------------------------------------------------------------------------


async def _manager(request: web.Request) -> Seat:
    seat = await seat_of(request)
    if not seat.staff.role.is_told:
        raise web.HTTPForbidden
    return seat


async def managed(request: web.Request, seat: Seat) -> Member:
    """Return the member that the address names, if whoever sits here may manage them; else 404 or 403."""
    pool = request.config_dict[DATABASE].pool
    try:
        member = await staff.by_id(pool, seat.partner.id, UUID(request.match_info["staff"]))
    except (ValueError, NotFound):
        raise web.HTTPNotFound from None
    if not may_manage(seat.staff.role, member.role):
        raise web.HTTPForbidden
    return member


async def _managing(request: web.Request, *, posts: bool = False) -> Managing:
    seat = await _manager(request)
    form = await form_of(request, seat) if posts else {}
    return Managing(seat, await managed(request, seat), form)


def _role(seat: Seat, form: Form) -> Role:
    """Return the role that the form names, if this member may give it. Raises RuleError("role")."""
    if form.get("role") not in set(Role) or not may_manage(seat.staff.role, Role(form["role"])):
        raise RuleError("role")
    return Role(form["role"])


# --- Showing ----------------------------------------------------------------------------------------


def _roles(seat: Seat) -> list[tuple[str, str, str]]:
    """Return each role that may be given: its value, its name, and what it may do."""
    t = seat.texts.t
    return [
        (role.value, t(role_word(role)), t(MAY[role])) for role in Role if may_manage(seat.staff.role, role)
    ]


def _new(request: web.Request, seat: Seat, form: Form, *, fault: str = "", status: int = 200) -> web.Response:
    return inside(
        request,
        seat,
        "staff_new.html",
        title=seat.texts.t("Thêm nhân viên"),
        status=status,
        typed={name: form.get(name, "")[:254] for name in ("name", "phone", "email", "role", "notify")},
        roles=_roles(seat),
        told=fault,
    )


async def _one(
    request: web.Request, seat: Seat, member: Member, *, fault: str = "", status: int = 200
) -> web.Response:
    database, frame = request.config_dict[DATABASE], view_frame(request, seat)
    known = await reach.known(database.pool, [each.value for each in member.addresses])
    devices = await sessions.of_staff(database.pool, [member.id], now=frame.now)
    return inside(
        request,
        seat,
        "staff_one.html",
        title=member.name,
        status=status,
        member=member_row(frame, member, known, devices, salt=str(seat.session.id)),
        role_now=member.role.value,
        notify=member.notify,
        roles=_roles(seat),
        has_chat=any(member.live(kind) for kind in (AddressKind.ZALO_USER, AddressKind.TELEGRAM_CHAT)),
        told=fault,
        done=_done(request, seat.texts),
    )


def _remove(
    request: web.Request, seat: Seat, member: Member, *, fault: str = "", status: int = 200
) -> web.Response:
    title = seat.texts.t("Cho {name} nghỉ?", name=member.name)
    return inside(request, seat, "staff_remove.html", title=title, status=status, member=member, told=fault)


def _done(request: web.Request, texts: Texts) -> str:
    done = request.query.get("done", "")
    return texts.t(DONE[done]) if done in DONE else ""


def fault_words(texts: Texts, refusal: RuleError) -> str:
    """Say what a rule refused, and what to write instead."""
    return texts.t(_FAULTS.get(refusal.code, _FAULTS["role"]))


MAY: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.OWNER: msg("làm được mọi việc"),
        Role.MANAGER: msg("làm được mọi việc, trừ thay đổi chủ quán"),
        Role.KITCHEN: msg("xác nhận, huỷ, hoàn thành đơn; không xem tiền"),
        Role.CASHIER: msg("xem đơn và xem tiền; không bấm thay quán"),
    }
)
_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name_invalid": msg("Nhập tên, nhiều nhất 120 chữ."),
        "staff_exists": msg("Quán đã có người tên này. Viết thêm họ hoặc tên gọi khác."),
        "phone_invalid": msg("Số điện thoại chưa đúng. Viết như 0901234567."),
        "email_invalid": msg("Email chưa đúng. Viết như ten@gmail.com."),
        "address_invalid": msg("Nhập số điện thoại như 0901234567, hoặc email như ten@gmail.com."),
        "last_owner": msg("Đây là chủ quán cuối cùng. Thêm một chủ quán khác trước đã."),
        "too_many_staff": msg("Quán đã có 100 người. Cho người đã nghỉ ra khỏi danh sách trước."),
        "role": msg("Chọn một vai trong danh sách."),
    }
)
