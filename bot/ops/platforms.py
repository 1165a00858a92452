"""The platforms: how each is told, what it does not have yet, its deliveries, and what operators do to it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from aiohttp import web
from yarl import URL

from bot.keys import DATABASE, SETTINGS, WAKING
from bot.ops.platform_view import STATES, delivery_line, platform_view
from bot.ops.session import VIA, Operator, form_of, inside, operator_of
from bot.texts.catalogue import Texts, msg
from bot.web.forms import Form
from core.console import platforms as reads
from core.console.platforms import PlatformStanding
from core.errors import NotFound, RuleError
from core.operators.kitchens import LONGEST_REASON, reason_of
from core.partners.partners import NONE
from core.platforms import platform_deeds, webhook_log
from core.platforms.platform_deeds import PlatformChange
from core.platforms.platforms import Scope
from core.platforms.webhook_log import Operator as Hand
from core.platforms.webhook_log import WebhookState
from core.waking import wake_worker

_MOST: Final = 25
_DELIVERIES: Final = 25
_LONGEST_NAME: Final = 120
#: So many are woken at once; the sweep finds the others.
_WOKEN: Final = 500
#: For how long the secret before may sign beside the new one.
KEEPS: Final = ("PT0S", "P1D", "P7D")
_KEPT: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"PT0S": timedelta(), "P1D": timedelta(days=1), "P7D": timedelta(days=7)}
)

_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "saved": msg("Đã lưu."),
        "replayed": msg("Đang gửi lại. Tải lại trang để xem nền tảng trả lời gì."),
        "tested": msg("Đang gửi tin thử. Tải lại trang để xem nền tảng trả lời gì."),
        "disabled": msg("Đã tắt. Không gửi gì nữa; những gì chưa nhận vẫn chờ."),
        "enabled": msg("Đã bật. Những gì còn chờ được gửi ngay."),
    }
)
_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "webhooks_off": msg("Nền tảng đang tắt hoặc chưa có địa chỉ nhận tin. Bật lại trước đã."),
        "no_such_webhook": msg("Không còn tin này."),
        "reason_missing": msg("Ghi lý do, để người trực sau hiểu vì sao."),
        "reason_long": msg("Lý do dài quá. Viết nhiều nhất 300 chữ."),
        "webhook_url_refused": msg(
            "Địa chỉ này không dùng được: phải là https, ra ngoài mạng nội bộ, không kèm mật khẩu."
        ),
        "scope": msg("Chọn nền tảng được nghe đơn nào."),
        "keep": msg("Chọn khoá cũ còn dùng bao lâu."),
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operator before a platform, and the form that was sent, empty where none was."""

    operator: Operator
    platform: PlatformStanding
    form: Form

    @property
    def path(self) -> str:
        """Where the platform's page is."""
        return f"/ops/platforms/{self.platform.id}"

    @property
    def hand(self) -> Hand:
        """Who does it, for the record."""
        return Hand(self.operator.email, VIA)


async def _asked_of(request: web.Request, *, posts: bool = False) -> Asked:
    operator = await operator_of(request)
    form = await form_of(request, operator) if posts else {}
    platform_id = _uuid(request.match_info["platform"])
    pool = request.config_dict[DATABASE].pool
    platform = await reads.platform(pool, platform_id) if platform_id else None
    if platform is None:
        raise web.HTTPNotFound
    return Asked(operator, platform, form)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- Seeing -----------------------------------------------------------------------------------------


async def show_all(request: web.Request) -> web.Response:
    """List the platforms by name."""
    operator, database = await operator_of(request), request.config_dict[DATABASE]
    after, now = request.query.get("after", "")[:_LONGEST_NAME], database.clock.now()
    known_after = after if after.isprintable() else ""
    found = await reads.platforms(database.pool, after=known_after or None, most=_MOST + 1)
    more = found[_MOST - 1].name if len(found) > _MOST else ""
    return inside(
        request,
        operator,
        "ops/platforms.html",
        title=operator.texts.t("Nền tảng"),
        platforms=[platform_view(operator, each, now) for each in found[:_MOST]],
        more=str(URL("/ops/platforms").with_query({"after": more})) if more else "",
        begin="/ops/platforms" if known_after else "",
    )


async def show(request: web.Request) -> web.Response:
    """Show one platform with its deliveries."""
    return await _page(request, await _asked_of(request))


# --- What is done to a platform ---------------------------------------------------------------------


async def replay(request: web.Request) -> web.Response:
    """Have one webhook sent once more."""

    async def work(asked: Asked) -> str:
        webhook_id = _uuid(asked.form.get("webhook", ""))
        if webhook_id is None:
            raise NotFound("no_such_webhook")
        database = request.config_dict[DATABASE]
        await webhook_log.replay(database, asked.platform.id, webhook_id, operator=asked.hand)
        await _wake(request, [webhook_id])
        return "replayed"

    return await _carried_out(request, work)


async def replay_all(request: web.Request) -> web.Response:
    """Have everything sent that the platform does not have."""

    async def work(asked: Asked) -> str:
        database = request.config_dict[DATABASE]
        owed = await webhook_log.replay_undelivered(database, asked.platform.id, operator=asked.hand)
        await _wake(request, owed)
        return "replayed"

    return await _carried_out(request, work)


async def test(request: web.Request) -> web.Response:
    """Have a webhook sent that tells of nothing."""

    async def work(asked: Asked) -> str:
        owed = await webhook_log.test(request.config_dict[DATABASE], asked.platform.id, operator=asked.hand)
        await _wake(request, [owed])
        return "tested"

    return await _carried_out(request, work)


async def disable(request: web.Request) -> web.Response:
    """Send a platform nothing more."""

    async def work(asked: Asked) -> str:
        reason = reason_of(asked.form.get("reason", ""))
        database = request.config_dict[DATABASE]
        await platform_deeds.disable(database, asked.platform.name, reason=reason, by=asked.hand)
        return "disabled"

    return await _carried_out(request, work)


async def enable(request: web.Request) -> web.Response:
    """Send a platform what it is owed."""

    async def work(asked: Asked) -> str:
        await platform_deeds.enable(request.config_dict[DATABASE], asked.platform.name, by=asked.hand)
        return "enabled"

    return await _carried_out(request, work)


async def change(request: web.Request) -> web.Response:
    """Change where a platform is told, of what, and what its customers hear from us."""

    async def work(asked: Asked) -> str:
        allow_private = request.config_dict[SETTINGS].webhook_allow_private
        await platform_deeds.change(
            request.config_dict[DATABASE],
            asked.platform.name,
            _wanted(asked),
            by=asked.hand,
            allow_private=allow_private,
        )
        return "saved"

    return await _carried_out(request, work)


def _wanted(asked: Asked) -> PlatformChange:
    """Return what differs; an address that was not touched may be one that would be refused today."""
    form, url = asked.form, asked.form.get("url", "").strip()
    if form.get("scope") not in set(Scope):
        raise RuleError("scope")
    return PlatformChange(
        webhook_url=None if url == (asked.platform.webhook_url or "") else url or NONE,
        scope=Scope(form["scope"]),
        notify_customer="notify" in form,
        ask_review="review" in form,
    )


async def renew_secret(request: web.Request) -> web.Response:
    """Make a new secret for the signatures and show it, this once."""
    asked = await _asked_of(request, posts=True)
    keep, texts = _KEPT.get(asked.form.get("keep", "")), asked.operator.texts
    if keep is None:
        return await _page(request, asked, fault=_fault(texts, RuleError("keep")), status=422)
    database = request.config_dict[DATABASE]
    secret = await platform_deeds.renew_secret(database, asked.platform.name, keep=keep, by=asked.hand)
    now = database.clock.now()
    return inside(
        request,
        asked.operator,
        "ops/platform_secret.html",
        title=texts.t("Khoá ký mới của {name}", name=asked.platform.name),
        secret=secret,
        until=texts.moment(now + keep, asked.operator.zone, now) if keep else "",
        path=asked.path,
    )


async def _wake(request: web.Request, webhooks: Sequence[UUID]) -> None:
    await wake_worker(request.config_dict[WAKING].wake, (), webhooks[:_WOKEN])


async def _carried_out(request: web.Request, work: Callable[[Asked], Awaitable[str]]) -> web.Response:
    asked = await _asked_of(request, posts=True)
    try:
        done = await work(asked)
    except RuleError as refusal:
        return await _page(request, asked, fault=_fault(asked.operator.texts, refusal), status=422)
    raise web.HTTPSeeOther(str(URL(asked.path).with_query({"done": done})))


def _fault(texts: Texts, refusal: RuleError) -> str:
    return texts.t(_FAULTS.get(refusal.code, msg("Chưa làm được. Tải lại trang rồi thử lần nữa.")))


# --- One page ---------------------------------------------------------------------------------------


async def _page(request: web.Request, asked: Asked, *, fault: str = "", status: int = 200) -> web.Response:
    database, operator, platform = request.config_dict[DATABASE], asked.operator, asked.platform
    now, texts = database.clock.now(), operator.texts
    wanted = request.query.get("state", "")
    state = WebhookState(wanted) if wanted in set(WebhookState) else None
    after = _uuid(request.query.get("after", ""))
    page = await webhook_log.page(database.pool, platform.id, state=state, after=after, limit=_DELIVERIES)
    codes = await reads.order_codes(database.pool, [each.order_id for each in page.items if each.order_id])
    done = request.query.get("done", "")
    return inside(
        request,
        operator,
        "ops/platform.html",
        title=platform.name,
        status=status,
        platform=platform_view(operator, platform, now),
        path=asked.path,
        chips=_chips(texts, asked.path, state),
        deliveries=[delivery_line(operator, each, codes, now) for each in page.items],
        more=_address(asked.path, state, page.next) if page.next else "",
        begin=_address(asked.path, state, None) if after else "",
        is_narrowed=state is not None,
        has_undelivered=bool(platform.waiting or platform.dead),
        set={
            "url": asked.form.get("url", platform.webhook_url or "")[:2_000],
            "scope": platform.scope.value,
            "notify": platform.notify_customer,
            "review": platform.ask_review,
        },
        keeps=[(keep, texts.t(words)) for keep, words in zip(KEEPS, _KEEP_WORDS, strict=True)],
        longest_reason=LONGEST_REASON,
        told=fault,
        done=texts.t(_DONE[done]) if done in _DONE and not fault else "",
    )


def _chips(texts: Texts, path: str, state: WebhookState | None) -> list[tuple[str, str, bool]]:
    """Return the ways to narrow the deliveries: address, name, and whether it is chosen."""
    narrowed = [(_address(path, each, None), texts.t(word), each is state) for each, word in STATES.items()]
    return [(path, texts.t("Tất cả"), state is None), *narrowed]


def _address(path: str, state: WebhookState | None, after: UUID | None) -> str:
    query = {"state": state.value if state else "", "after": str(after) if after else ""}
    return str(URL(path).with_query({name: value for name, value in query.items() if value}))


_KEEP_WORDS: Final = (
    msg("Không: khoá cũ hết hiệu lực ngay"),
    msg("1 ngày: ký bằng cả hai khoá"),
    msg("7 ngày: ký bằng cả hai khoá"),
)
