"""Settings: one's own language, chats and devices; for owners and managers those of the kitchen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.cards.pauses import until_words
from bot.cards.view import Frame
from bot.keys import DATABASE, WAKING
from bot.texts.catalogue import Texts, msg
from bot.web import linking_ways
from bot.web.forms import Form, end_of_day, time_of
from bot.web.session import Seat, form_of, inside, seat_of, view_frame
from bot.web.staff_view import device_row
from core.actors import Via
from core.errors import RuleError
from core.orders.order import By
from core.partners import partners, pausing, sessions, staff
from core.partners.partners import NONE, PartnerChange

_LANGUAGES: Final = (("vi", "Tiếng Việt"), ("en", "English"))

#: What the page tells after a form of it was carried out; the address names it.
_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "language": msg("Từ nay mình nói tiếng Việt với bạn"),
        "device": msg("Đã thoát khỏi thiết bị đó."),
        "quiet": msg("Đã lưu giờ yên tĩnh."),
        "sheet": msg("Đã lưu giờ gửi phiếu buổi sáng."),
        "paused": msg("Quán đã nghỉ. Các nền tảng được báo ngay."),
        "resumed": msg("Quán nhận đơn lại. Các nền tảng được báo ngay."),
    }
)
_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "locale_unknown": msg("Chọn một ngôn ngữ trong danh sách."),
        "time": msg("Giờ chưa đúng. Viết như 22:00."),
        "quiet_hours_half": msg("Điền cả giờ bắt đầu và giờ kết thúc, hoặc để trống cả hai."),
        "quiet_hours_empty": msg("Giờ bắt đầu và giờ kết thúc phải khác nhau."),
        "paused_until_past": msg("Chọn hôm nay hoặc một ngày sau đó."),
        "paused_until_too_far": msg("Chọn một ngày trong vòng một năm tới."),
        "day": msg("Ngày chưa đúng. Chọn lại trên lịch."),
    }
)


@dataclass(frozen=True, slots=True)
class Pause:
    """The kitchen's pause: until when, and what the field for another one offers."""

    until: str
    typed: str
    first: str


async def show(request: web.Request) -> web.Response:
    """Show what can be set."""
    seat = await seat_of(request)
    return await _page(request, seat)


async def choose_language(request: web.Request) -> web.Response:
    """Speak another language with this member from now on."""

    async def save(seat: Seat, form: Form) -> str:
        await staff.speak(request.config_dict[DATABASE].pool, seat.staff.id, form.get("locale", ""))
        return "language"

    return await _saved(request, save)


async def end_device(request: web.Request) -> web.Response:
    """Sign one's own other browser out, or all others."""

    async def save(seat: Seat, form: Form) -> str:
        database, wanted = request.config_dict[DATABASE], form.get("session", "")
        now = database.clock.now()
        if wanted == "others":
            await sessions.end_others(database.pool, seat.session, now=now)
        elif (session_id := _uuid(wanted)) is not None:
            await sessions.end(database.pool, session_id, seat.staff.id, now=now)
        return "device"

    return await _saved(request, save)


async def link_chat(request: web.Request) -> web.Response:
    """Draw codes by which this member links a chat of theirs."""
    seat = await seat_of(request)
    await form_of(request, seat)
    ways = await linking_ways.draw(request, seat.staff.id)
    title = seat.texts.t("Nối thêm tài khoản")
    return inside(request, seat, "settings_link.html", title=title, ways=ways)


async def set_quiet(request: web.Request) -> web.Response:
    """Set the kitchen's quiet hours, or take them away."""

    async def save(seat: Seat, form: Form) -> str:
        start, end = time_of(form.get("from", "")), time_of(form.get("to", ""))
        if (start is None) != (end is None):
            raise RuleError("quiet_hours_half")
        quiet = (start, end) if start is not None and end is not None else NONE
        await _change(request, seat, PartnerChange(quiet=quiet))
        return "quiet"

    return await _saved(request, save, of_kitchen=True)


async def set_sheet(request: web.Request) -> web.Response:
    """Set the hour of the morning sheet, or take it away."""

    async def save(seat: Seat, form: Form) -> str:
        at = time_of(form.get("at", ""))
        await _change(request, seat, PartnerChange(sheet_at=NONE if at is None else at))
        return "sheet"

    return await _saved(request, save, of_kitchen=True)


async def pause(request: web.Request) -> web.Response:
    """Let the kitchen take no new orders until a day is over."""

    async def save(seat: Seat, form: Form) -> str:
        database, wake = request.config_dict[DATABASE], request.config_dict[WAKING].wake
        until = end_of_day(form.get("until", "").strip(), seat.partner.zone, now=database.clock.now())
        await pausing.pause(database, seat.partner.id, until, by=_by(seat), wake=wake)
        return "paused"

    return await _saved(request, save, of_kitchen=True)


async def resume(request: web.Request) -> web.Response:
    """Let the kitchen take new orders again."""

    async def save(seat: Seat, form: Form) -> str:
        database, wake = request.config_dict[DATABASE], request.config_dict[WAKING].wake
        await pausing.resume(database, seat.partner.id, by=_by(seat), wake=wake)
        return "resumed"

    return await _saved(request, save, of_kitchen=True)


def _by(seat: Seat) -> By:
    return By(Via.WEB, seat.staff.name, seat.staff.id)


# --- Saving -----------------------------------------------------------------------------------------


async def _saved(
    request: web.Request, save: Callable[[Seat, Form], Awaitable[str]], *, of_kitchen: bool = False
) -> web.Response:
    """Carry a form out and lead back to the page that says so; or say in it what is wrong."""
    seat = await seat_of(request)
    if of_kitchen and not seat.staff.role.is_told:
        raise web.HTTPForbidden
    form = await form_of(request, seat)
    try:
        done = await save(seat, form)
    except RuleError as refusal:
        return await _page(request, seat, form=form, fault=_fault(seat.texts, refusal), status=422)
    raise web.HTTPSeeOther(f"/settings?done={done}")


async def _change(request: web.Request, seat: Seat, wanted: PartnerChange) -> None:
    await partners.change(request.config_dict[DATABASE], seat.partner.code, wanted)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- Showing ----------------------------------------------------------------------------------------


async def _page(
    request: web.Request, seat: Seat, *, form: Form | None = None, fault: str = "", status: int = 200
) -> web.Response:
    frame, database = view_frame(request, seat), request.config_dict[DATABASE]
    devices = await sessions.of_staff(database.pool, [seat.staff.id], now=frame.now)
    form = form or {}
    return inside(
        request,
        seat,
        "settings.html",
        title=seat.texts.t("Cài đặt"),
        status=status,
        languages=_LANGUAGES,
        devices=[device_row(frame, session, this=seat.session.id) for session in devices],
        may_change=seat.staff.role.is_told,
        pause=_pause(frame, seat, form),
        quiet=_quiet(seat, form),
        sheet=form.get("at", f"{seat.partner.sheet_at:%H:%M}" if seat.partner.sheet_at else "")[:8],
        told=fault,
        done=_done(request, seat.texts) if not fault else "",
    )


def _pause(frame: Frame, seat: Seat, form: Form) -> Pause:
    today = frame.now.astimezone(frame.zone).date()
    until = seat.partner.paused_until
    words = until_words(frame, until) if until and until > frame.now else ""
    return Pause(words, form.get("until", "")[:10], today.isoformat())


def _quiet(seat: Seat, form: Form) -> dict[str, str]:
    start, end = (f"{at:%H:%M}" for at in seat.partner.quiet) if seat.partner.quiet else ("", "")
    return {
        "from": form.get("from", start)[:8],
        "to": form.get("to", end)[:8],
        "words": f"{start}–{end}" if start else seat.texts.t("không có"),
    }


def _done(request: web.Request, texts: Texts) -> str:
    done = request.query.get("done", "")
    return texts.t(_DONE[done]) if done in _DONE else ""


def _fault(texts: Texts, refusal: RuleError) -> str:
    return texts.t(_FAULTS.get(refusal.code, _FAULTS["day"]))
