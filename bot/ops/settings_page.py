"""The settings in force, what they switch on and make happen, and how the gateways answered lately."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.ops.session import Operator, inside, operator_of
from bot.ops.settings_view import channel_lines, groups_of, length, rules_of
from bot.ops.zalo_token import TokenState, token_state
from core.channels import ChannelName
from core.clock import real_now
from core.console import gateways
from core.console.gateways import Calls

#: The migration that was applied last names the schema.
_SCHEMA: Final = "SELECT max(name) FROM tortoise_migrations"


@dataclass(frozen=True, slots=True)
class CallsLine:
    """One channel's last hour. `others` were refused or found nobody at the address."""

    channel: str
    sent: int
    failed: int
    unclear: int
    others: int
    median: str
    last: str


async def show(request: web.Request) -> web.Response:
    """Show what is set."""
    operator = await operator_of(request)
    settings, database = request.config_dict[SETTINGS], request.config_dict[DATABASE]
    texts = operator.texts
    calls = await gateways.lately(database.pool, now=real_now())
    token = await token_state(settings, database)
    return inside(
        request,
        operator,
        "ops/settings.html",
        title=texts.t("Cài đặt"),
        channels=channel_lines(settings),
        calls=[_calls(operator, each) for each in calls],
        token=token,
        token_words=_token_words(operator, token) if token else "",
        rules=rules_of(texts, settings),
        groups=groups_of(texts, settings),
        product=version("chotdon"),
        schema=str(await database.pool.fetchval(_SCHEMA) or "?"),
    )


def _calls(operator: Operator, calls: Calls) -> CallsLine:
    texts = operator.texts
    sent, failed, unclear = calls.of("sent"), calls.of("try_later"), calls.of("unclear")
    seconds = calls.median.total_seconds()
    return CallsLine(
        channel=_NAMES[calls.channel],
        sent=sent,
        failed=failed,
        unclear=unclear,
        others=calls.count - sent - failed - unclear,
        median=f"{round(seconds * 1000)} ms" if seconds < 1 else length(texts, calls.median),
        last=texts.clock(calls.last_at, operator.zone),
    )


def _token_words(operator: Operator, token: TokenState) -> str:
    texts = operator.texts
    if token.obtained_at is None or token.expires_at is None:
        return texts.t("Chưa có mã truy cập. Quản trị viên của Zalo OA phải đồng ý trước.")
    got = texts.moment(token.obtained_at, operator.zone, token.now)
    until = texts.moment(token.expires_at, operator.zone, token.now)
    if token.works:
        return texts.t(
            "Dùng được đến {until}. Lấy lần cuối {got}; tự lấy mới trước khi hết.", until=until, got=got
        )
    return texts.t("Đã hết hạn lúc {until}. Lấy lần cuối {got}.", until=until, got=got)


_NAMES: Final = {
    ChannelName.ZALO: "Zalo",
    ChannelName.TELEGRAM: "Telegram",
    ChannelName.SMS: "SMS",
    ChannelName.EMAIL: "Email",
}
