"""The kitchens: a list to search, and the form that adds one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import web
from yarl import URL

from bot.keys import DATABASE, SETTINGS
from bot.ops.partner_view import ScoreView, kitchen_pause, score_view
from bot.ops.session import VIA, Operator, form_of, inside, operator_of
from bot.texts.catalogue import Texts, msg
from bot.web.forms import Form
from core.console import partners as reads
from core.console import scores
from core.console.partners import Kitchen
from core.errors import RuleError
from core.operators import kitchens
from core.operators.kitchens import Hand
from core.orders.listing import LONGEST_SEARCH
from core.partners.partners import NewPartner
from core.partners.words import LOCALES

_MOST: Final = 25
_LONGEST_CODE: Final = 40
_FIELDS: Final = ("code", "name", "owner", "phone", "email", "locale")
LANGUAGES: Final = (("vi", "Tiếng Việt"), ("en", "English"))


@dataclass(frozen=True, slots=True)
class KitchenLine:
    """One kitchen of the list."""

    kitchen: Kitchen
    score: ScoreView
    paused: str


def hand_of(operator: Operator) -> Hand:
    """Return who does it, for the record."""
    return Hand(operator.email, VIA, operator.name)


async def show(request: web.Request) -> web.Response:
    """List the kitchens by their codes, those that the search finds."""
    operator = await operator_of(request)
    words, after = request.query.get("q", "")[:LONGEST_SEARCH], request.query.get("after", "")[:_LONGEST_CODE]
    pool, now = request.config_dict[DATABASE].pool, request.config_dict[DATABASE].clock.now()
    page = await reads.kitchens(
        pool, words, after=after if after.isascii() and after.isprintable() else None, most=_MOST, now=now
    )
    found = await scores.lately(pool, [kitchen.id for kitchen in page.kitchens], now=now)
    lines = [
        KitchenLine(
            kitchen, score_view(operator.texts, found[kitchen.id]), kitchen_pause(operator, kitchen, now)
        )
        for kitchen in page.kitchens
    ]
    return inside(
        request,
        operator,
        "ops/partners.html",
        title=operator.texts.t("Quán"),
        lines=lines,
        words=words,
        longest=LONGEST_SEARCH,
        more=_address(words, page.next) if page.next else "",
        begin=_address(words, "") if after else "",
    )


def _address(words: str, after: str) -> str:
    query = {name: value for name, value in (("q", words), ("after", after)) if value}
    return str(URL("/ops/partners").with_query(query))


async def ask_new(request: web.Request) -> web.Response:
    """Ask which kitchen is to be added."""
    operator = await operator_of(request)
    return _new(request, operator, {"locale": request.config_dict[SETTINGS].locale})


async def add(request: web.Request) -> web.Response:
    """Add a kitchen and lead to its page."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    try:
        new = _new_partner(form, timezone=request.config_dict[SETTINGS].timezone)
        partner, _ = await kitchens.add(request.config_dict[DATABASE], new, hand=hand_of(operator))
    except RuleError as refusal:
        fault = fault_words(operator.texts, refusal)
        return _new(request, operator, form, fault=fault, status=422)
    raise web.HTTPSeeOther(f"/ops/partners/{partner.code}?done=added")


def _new_partner(form: Form, *, timezone: str) -> NewPartner:
    typed = {name: form.get(name, "").strip() for name in _FIELDS}
    return NewPartner(
        code=typed["code"].lower(),
        name=typed["name"],
        locale=typed["locale"] or LOCALES[0],
        timezone=timezone,
        owner=typed["owner"] or None,
        phone=typed["phone"] or None,
        email=typed["email"] or None,
    )


def _new(
    request: web.Request, operator: Operator, form: Form, *, fault: str = "", status: int = 200
) -> web.Response:
    return inside(
        request,
        operator,
        "ops/partner_new.html",
        title=operator.texts.t("Thêm quán"),
        status=status,
        typed={name: form.get(name, "")[:254] for name in _FIELDS},
        languages=LANGUAGES,
        told=fault,
    )


def fault_words(texts: Texts, refusal: RuleError) -> str:
    """Say what a rule refused, and what to write instead."""
    return texts.t(_FAULTS.get(refusal.code, msg("Chưa làm được. Tải lại trang rồi thử lần nữa.")))


_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "partner_exists": msg("Đã có quán dùng mã này. Chọn mã khác."),
        "partner_code_invalid": msg("Mã quán chỉ gồm chữ thường không dấu, số và gạch nối, như com-nha-lan."),
        "name_invalid": msg("Nhập tên, nhiều nhất 120 chữ."),
        "phone_invalid": msg("Số điện thoại chưa đúng. Viết như 0901234567."),
        "email_invalid": msg("Email chưa đúng. Viết như ten@gmail.com."),
        "address_invalid": msg("Nhập số điện thoại như 0901234567, hoặc email như ten@gmail.com."),
        "locale_unknown": msg("Chọn một ngôn ngữ trong danh sách."),
        "timezone_unknown": msg("Múi giờ chưa đúng. Viết như Asia/Ho_Chi_Minh."),
        "staff_exists": msg("Quán đã có người tên này. Viết thêm họ hoặc tên gọi khác."),
        "last_owner": msg("Đây là chủ quán cuối cùng. Thêm một chủ quán khác trước đã."),
        "too_many_staff": msg("Quán đã có 100 người. Cho người đã nghỉ ra khỏi danh sách trước."),
        "role": msg("Chọn một vai trong danh sách."),
        "time": msg("Giờ chưa đúng. Viết như 22:00."),
        "quiet_hours_half": msg("Điền cả giờ bắt đầu và giờ kết thúc, hoặc để trống cả hai."),
        "quiet_hours_empty": msg("Giờ bắt đầu và giờ kết thúc phải khác nhau."),
        "day": msg("Ngày chưa đúng. Chọn lại trên lịch."),
        "paused_until_past": msg("Chọn hôm nay hoặc một ngày sau đó."),
        "paused_until_too_far": msg("Chọn một ngày trong vòng một năm tới."),
        "reason_missing": msg("Ghi lý do, để người trực sau hiểu vì sao."),
        "reason_long": msg("Lý do dài quá. Viết nhiều nhất 300 chữ."),
    }
)
