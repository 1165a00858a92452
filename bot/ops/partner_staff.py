"""The people of a kitchen, as operators add them, change them, and give them links and codes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.keys import DATABASE, SETTINGS, SIGNER
from bot.ops.partner import Asked, asked_of, knowledge_of
from bot.ops.partner_view import form_name, member_line
from bot.ops.partners import fault_words, hand_of
from bot.ops.session import inside
from bot.texts.catalogue import Texts, msg
from bot.web import linking_ways
from bot.web.forms import Form, address_of
from bot.web.invite_page import qr_picture
from bot.web.nav import role_word
from bot.web.staff_page import MAY
from core.actors import Role
from core.database import Connection
from core.errors import NotFound, RuleError
from core.operators import kitchens
from core.operators.kitchens import LONGEST_REASON, reason_of
from core.partners import sessions, staff
from core.partners.one_time_links import LIFE, LinkPurpose
from core.partners.staff import Member, new_member

_MOST_STAFF: Final = 100
_FIELDS: Final = ("name", "phone", "email", "role", "notify")

_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "saved": msg("Đã lưu."),
        "address": msg("Đã thêm địa chỉ."),
        "taken": msg("Đã bỏ địa chỉ."),
        "out": msg("Đã thoát khỏi mọi thiết bị của người này."),
    }
)


@dataclass(frozen=True, slots=True)
class Before:
    """An operator before one member of a kitchen."""

    asked: Asked
    member: Member

    @property
    def path(self) -> str:
        """Where the member's page is."""
        return f"/ops/partners/{self.asked.partner.code}/staff/{self.member.id}"


async def _before(request: web.Request, *, posts: bool = False) -> Before:
    asked = await asked_of(request, posts=posts)
    try:
        staff_id = UUID(request.match_info["staff"])
        member = await staff.by_id(request.config_dict[DATABASE].pool, asked.partner.id, staff_id)
    except (ValueError, NotFound):
        raise web.HTTPNotFound from None
    return Before(asked, member)


# --- Adding -----------------------------------------------------------------------------------------


async def ask_new(request: web.Request) -> web.Response:
    """Ask who is to be added."""
    return _new(request, await asked_of(request), {"role": Role.KITCHEN.value, "notify": "on"})


async def add(request: web.Request) -> web.Response:
    """Add somebody and lead to their page, where they are invited."""
    asked = await asked_of(request, posts=True)
    try:
        member = await _added(request, asked)
    except RuleError as refusal:
        return _new(request, asked, asked.form, fault=fault_words(asked.operator.texts, refusal), status=422)
    raise web.HTTPSeeOther(f"/ops/partners/{asked.partner.code}/staff/{member.id}?done=saved")


async def _added(request: web.Request, asked: Asked) -> Member:
    database, form = request.config_dict[DATABASE], asked.form
    if len(await staff.staff_of(database.pool, asked.partner.id)) >= _MOST_STAFF:
        raise RuleError("too_many_staff")
    phone, email = form.get("phone", "").strip() or None, form.get("email", "").strip() or None
    new = new_member(form.get("name", ""), _role(form), phone=phone, email=email, notify="notify" in form)
    return await kitchens.hire(database, asked.partner, new, hand=hand_of(asked.operator))


def _role(form: Form) -> Role:
    if form.get("role") not in set(Role):
        raise RuleError("role")
    return Role(form["role"])


# --- Changing ---------------------------------------------------------------------------------------


async def show(request: web.Request) -> web.Response:
    """Show one member with everything that can be done."""
    return await _one(request, await _before(request))


async def change(request: web.Request) -> web.Response:
    """Give a member another role, or other news."""

    async def save(before: Before) -> str:
        role, notify = _role(before.asked.form), "notify" in before.asked.form
        await kitchens.reassign(
            request.config_dict[DATABASE],
            before.asked.partner,
            before.member,
            role=role,
            notify=notify,
            hand=hand_of(before.asked.operator),
        )
        return f"{before.path}?done=saved"

    return await _carried_out(request, save)


async def add_address(request: web.Request) -> web.Response:
    """Give a member one more phone or mailbox."""

    async def save(before: Before) -> str:
        asked = before.asked
        address = address_of(asked.form.get("address", "").strip())
        hand = hand_of(asked.operator)
        await kitchens.add_address(
            request.config_dict[DATABASE], asked.partner, before.member, address, hand=hand
        )
        return f"{before.path}?done=address"

    return await _carried_out(request, save)


async def take_address(request: web.Request) -> web.Response:
    """Take an address from a member."""

    async def save(before: Before) -> str:
        asked, wanted = before.asked, before.asked.form.get("address", "")
        known = next(
            (each for each in before.member.addresses if form_name(asked.operator, each) == wanted), None
        )
        if known:
            hand = hand_of(asked.operator)
            await kitchens.take_address(
                request.config_dict[DATABASE], asked.partner, before.member, known, hand=hand
            )
        return f"{before.path}?done=taken"

    return await _carried_out(request, save)


async def sign_out(request: web.Request) -> web.Response:
    """Sign a member out everywhere."""

    async def save(before: Before) -> str:
        asked = before.asked
        hand = hand_of(asked.operator)
        await kitchens.sign_out(request.config_dict[DATABASE], asked.partner, before.member, hand=hand)
        return f"{before.path}?done=out"

    return await _carried_out(request, save)


async def remove(request: web.Request) -> web.Response:
    """Let somebody go, at once."""

    async def save(before: Before) -> str:
        asked = before.asked
        reason, hand = reason_of(asked.form.get("reason", "")), hand_of(asked.operator)
        database = request.config_dict[DATABASE]
        await kitchens.fire(database, asked.partner, before.member, reason=reason, hand=hand)
        return f"/ops/partners/{asked.partner.code}?done=removed"

    return await _carried_out(request, save)


async def _carried_out(request: web.Request, save: Callable[[Before], Awaitable[str]]) -> web.Response:
    before = await _before(request, posts=True)
    try:
        where = await save(before)
    except RuleError as refusal:
        fault = fault_words(before.asked.operator.texts, refusal)
        return await _one(request, before, fault=fault, status=422)
    raise web.HTTPSeeOther(where)


# --- Links and codes: shown in the answer, once, and nowhere else -----------------------------------


async def make_link(request: web.Request) -> web.Response:
    """Make an invitation, or a link that signs in as this person, and show it."""
    before = await _before(request, posts=True)
    asked, database = before.asked, request.config_dict[DATABASE]
    purpose = LinkPurpose.LOGIN if asked.form.get("purpose") == "login" else LinkPurpose.INVITE
    try:
        reason = reason_of(asked.form.get("reason", "")) if purpose is LinkPurpose.LOGIN else ""
    except RuleError as refusal:
        return await _one(request, before, fault=fault_words(asked.operator.texts, refusal), status=422)
    link_id = await kitchens.make_link(
        database, asked.partner, before.member, purpose, reason=reason, hand=hand_of(asked.operator)
    )
    token = request.config_dict[SIGNER].one_time(link_id)
    url = f"{request.config_dict[SETTINGS].base_url}/{purpose.value}/{token}"
    until, texts = database.clock.now() + LIFE[purpose], asked.operator.texts
    return inside(
        request,
        asked.operator,
        "ops/partner_link.html",
        title=texts.t(_TITLES[purpose], name=before.member.name),
        path=before.path,
        member=before.member,
        is_login=purpose is LinkPurpose.LOGIN,
        url=url,
        picture=qr_picture(url),
        until=texts.moment(until, asked.operator.zone, database.clock.now()),
    )


async def draw_codes(request: web.Request) -> web.Response:
    """Draw codes by which this person links a chat, to be told by phone."""
    before = await _before(request, posts=True)
    asked, now = before.asked, request.config_dict[DATABASE].clock.now()

    async def record(connection: Connection) -> None:
        hand = hand_of(asked.operator)
        await kitchens.record_codes(connection, asked.partner, before.member, hand=hand, now=now)

    ways = await linking_ways.draw(request, before.member.id, also=record)
    return inside(
        request,
        asked.operator,
        "ops/partner_codes.html",
        title=asked.operator.texts.t("Mã nối cho {name}", name=before.member.name),
        path=before.path,
        ways=ways,
    )


_TITLES: Final[Mapping[LinkPurpose, str]] = MappingProxyType(
    {
        LinkPurpose.LOGIN: msg("Đường dẫn đăng nhập của {name}"),
        LinkPurpose.INVITE: msg("Mời {name}"),
    }
)


# --- Showing ----------------------------------------------------------------------------------------


def _roles(texts: Texts) -> list[tuple[str, str, str]]:
    return [(role.value, texts.t(role_word(role)), texts.t(MAY[role])) for role in Role]


def _new(
    request: web.Request, asked: Asked, form: Form, *, fault: str = "", status: int = 200
) -> web.Response:
    return inside(
        request,
        asked.operator,
        "ops/partner_staff_new.html",
        title=asked.operator.texts.t("Thêm nhân viên"),
        status=status,
        partner=asked.partner,
        typed={name: form.get(name, "")[:254] for name in _FIELDS},
        roles=_roles(asked.operator.texts),
        told=fault,
    )


async def _one(request: web.Request, before: Before, *, fault: str = "", status: int = 200) -> web.Response:
    asked, member, database = before.asked, before.member, request.config_dict[DATABASE]
    now, texts = database.clock.now(), asked.operator.texts
    knowledge = await knowledge_of(database.pool, asked.partner, [member])
    devices = await sessions.of_staff(database.pool, [member.id], now=now)
    done = request.query.get("done", "")
    return inside(
        request,
        asked.operator,
        "ops/partner_staff.html",
        title=member.name,
        status=status,
        partner=asked.partner,
        path=before.path,
        member=member_line(asked.operator, member, knowledge, devices, now=now),
        role_now=member.role.value,
        notify=member.notify,
        roles=_roles(texts),
        reason=asked.form.get("reason", "")[:400],
        longest_reason=LONGEST_REASON,
        told=fault,
        done=texts.t(_DONE[done]) if done in _DONE and not fault else "",
    )
