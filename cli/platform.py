"""Platforms: the systems that place orders here."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from bot.api.webhooks import delivery_document
from cli.arguments import DURATION, WHEN, Reads, or_none
from cli.office import Office, run
from cli.order import name_of_operator
from cli.printing import as_json_option, facts, show, table
from core.platforms import platform_deeds, webhook_log
from core.platforms.platform_deeds import PlatformChange, PlatformState
from core.platforms.platforms import PlatformKeys, Scope, add
from core.platforms.webhook_log import DeliveryPage, Operator, WebhookState
from core.waking import wake_worker
from jobs.queues import Jobs, open_redis
from jobs.wake import RedisWake

_URL: Final = Reads("url", "a URL, or none", or_none(str))
_SCOPES: Final = click.Choice([scope.value for scope in Scope])


@click.group()
def platform() -> None:
    """Systems that place orders here."""


@platform.command("add")
@click.argument("name")
@click.option("--webhook-url", metavar="URL", help="Where to tell it of every change (https).")
@click.option(
    "--notify-customer/--no-notify-customer",
    default=True,
    help="Whether customers are told by us of a cancelled order (default), or by the platform itself.",
)
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.ALL.value,
    show_default=True,
    help="Which orders it hears of: all, or its own.",
)
@click.option(
    "--ask-review/--no-ask-review",
    default=False,
    help="Whether customers are asked by us for a review of a completed order (by default they are not).",
)
@as_json_option
def add_platform(
    name: str,
    *,
    webhook_url: str | None,
    notify_customer: bool,
    scope: str,
    ask_review: bool,
    as_json: bool,
) -> None:
    """Add a platform and print its keys; the API key is shown this once.

    Example: chotdon platform add pitaya --webhook-url https://pitaya.vn/hooks/chotdon
    """

    async def work(office: Office) -> PlatformKeys:
        return await add(
            name,
            now=office.database.clock.now(),
            webhook_url=webhook_url,
            notify_customer=notify_customer,
            scope=Scope(scope),
            ask_review=ask_review,
            allow_private=office.settings.webhook_allow_private,
        )

    keys = run(work)
    document = {"name": keys.name, "api_key": keys.api_key, "webhook_secret": keys.webhook_secret}
    show(document, lambda: facts(document), as_json=as_json)


_by_option: Final = click.option("--by", metavar="NAME", help="Who acts; your user name by default.")
_keep_option: Final = click.option(
    "--keep",
    type=DURATION,
    default="PT24H",
    show_default=True,
    metavar="DURATION",
    help="How long the one before is good as well.",
)


@platform.command("list")
@as_json_option
def list_platforms(*, as_json: bool) -> None:
    """List the platforms.

    Example: chotdon platform list
    """

    async def work(office: Office) -> list[PlatformState]:
        return await platform_deeds.listed(office.database)

    listed = run(work)
    show({"items": [_document(one) for one in listed]}, lambda: _table(listed), as_json=as_json)


@platform.command("show")
@click.argument("name")
@as_json_option
def show_platform(name: str, *, as_json: bool) -> None:
    """Show a platform; its keys cannot be read again.

    Example: chotdon platform show pitaya
    """

    async def work(office: Office) -> PlatformState:
        return await platform_deeds.named(office.database, name)

    _show(run(work), as_json=as_json)


@platform.command("set")
@click.argument("name")
@click.option("--webhook-url", type=_URL, metavar="URL", help="Where to tell it of every change, or none.")
@click.option("--scope", type=_SCOPES, help="Which orders it hears of: all, or its own.")
@click.option("--notify-customer/--no-notify-customer", default=None, help="Whether we tell its customers.")
@click.option("--ask-review/--no-ask-review", default=None, help="Whether we ask its customers for a review.")
@_by_option
@as_json_option
def set_platform(
    name: str,
    *,
    webhook_url: Any,
    scope: str | None,
    notify_customer: bool | None,
    ask_review: bool | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Change a platform; what waits for it goes to its new address.

    Example: chotdon platform set pitaya --webhook-url https://pitaya.vn/hooks/v2
    """
    changed = PlatformChange(webhook_url, Scope(scope) if scope else None, notify_customer, ask_review)
    if changed == PlatformChange():
        raise click.UsageError("Say what to change.")
    who = _by(by)

    async def work(office: Office) -> PlatformState:
        allow_private = office.settings.webhook_allow_private
        return await platform_deeds.change(
            office.database, name, changed, by=who, allow_private=allow_private
        )

    _show(run(work), as_json=as_json)


@platform.command("disable")
@click.argument("name")
@click.option("--reason", required=True, help="Why, in words.")
@_by_option
@as_json_option
def disable_platform(name: str, *, reason: str, by: str | None, as_json: bool) -> None:
    """Send a platform no webhooks; they wait until it is enabled again. Its API key stays good.

    Example: chotdon platform disable pitaya --reason "They are moving"
    """
    words = " ".join(reason.split())
    if not words.isprintable() or not 0 < len(words) <= _LONGEST_REASON:
        raise click.UsageError(f"--reason takes 1 to {_LONGEST_REASON} printable characters.")
    who = _by(by)

    async def work(office: Office) -> PlatformState:
        return await platform_deeds.disable(office.database, name, reason=words, by=who)

    _show(run(work), as_json=as_json)


@platform.command("enable")
@click.argument("name")
@_by_option
@as_json_option
def enable_platform(name: str, *, by: str | None, as_json: bool) -> None:
    """Send a platform its webhooks again, those that waited first.

    Example: chotdon platform enable pitaya
    """
    who = _by(by)

    async def work(office: Office) -> PlatformState:
        return await platform_deeds.enable(office.database, name, by=who)

    _show(run(work), as_json=as_json)


@platform.command("renew-secret")
@click.argument("name")
@_keep_option
@_by_option
@as_json_option
def renew_secret(name: str, *, keep: timedelta, by: str | None, as_json: bool) -> None:
    """Print a new webhook secret, this once; webhooks are signed with the one before as well for a while.

    Example: chotdon platform renew-secret pitaya --keep P3D
    """
    who = _by(by)
    _show_new(
        "webhook_secret",
        name,
        keep,
        lambda office: platform_deeds.renew_secret(office.database, name, keep=keep, by=who),
        as_json=as_json,
    )


@platform.command("renew-key")
@click.argument("name")
@_keep_option
@_by_option
@as_json_option
def renew_key(name: str, *, keep: timedelta, by: str | None, as_json: bool) -> None:
    """Print a new API key, this once; the one before is taken as well for a while.

    Example: chotdon platform renew-key pitaya --keep 0
    """
    who = _by(by)
    _show_new(
        "api_key",
        name,
        keep,
        lambda office: platform_deeds.renew_key(office.database, name, keep=keep, by=who),
        as_json=as_json,
    )


@platform.command("deliveries")
@click.argument("name")
@click.option("--state", type=click.Choice([state.value for state in WebhookState]))
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", type=click.UUID, help="Where the page before ended.")
@as_json_option
def list_deliveries(name: str, *, state: str | None, limit: int, cursor: UUID | None, as_json: bool) -> None:
    """List what a platform was told, the newest first, with every attempt.

    Example: chotdon platform deliveries pitaya --state dead
    """

    async def work(office: Office) -> DeliveryPage:
        found = await platform_deeds.named(office.database, name)
        wanted = WebhookState(state) if state else None
        return await webhook_log.page(office.database.pool, found.id, state=wanted, after=cursor, limit=limit)

    page = run(work)
    document = {
        "items": [delivery_document(item) for item in page.items],
        "next_cursor": str(page.next) if page.next else None,
    }
    show(document, lambda: _deliveries(page), as_json=as_json)


@platform.command("replay")
@click.argument("name")
@click.option("--webhook", type=click.UUID, metavar="ID", help="This one.")
@click.option("--from", "from_", type=WHEN, help="Everything that happened from then on: RFC 3339 or a day.")
@click.option("--to", type=WHEN, help="Until before then, by default now; a day is meant whole.")
@_by_option
@as_json_option
def replay_webhooks(
    name: str,
    *,
    webhook: UUID | None,
    from_: date | datetime | None,
    to: date | datetime | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Send a platform again what it was told, under the same ids, each order's in order.

    Example: chotdon platform replay pitaya --from 2026-11-23T08:00:00+07:00
    """
    if (webhook is None) == (from_ is None) or (webhook and to):
        raise click.UsageError("Say either --webhook, or --from (and --to).")
    who = _by(by)

    async def work(office: Office) -> Sequence[UUID]:
        found = await platform_deeds.named(office.database, name)
        if webhook:
            await webhook_log.replay(office.database, found.id, webhook, operator=who)
            replayed = [webhook]
        else:
            start, end = _range(office, from_, to)
            replayed = await webhook_log.replay_between(
                office.database, found.id, from_=start, to=end, operator=who
            )
        await _wake(office, replayed[:_WOKEN])
        return replayed

    document = {"replayed": len(run(work))}
    show(document, lambda: facts(document), as_json=as_json)


@platform.command("test")
@click.argument("name")
@_by_option
@as_json_option
def test_platform(name: str, *, by: str | None, as_json: bool) -> None:
    """Send a platform a signed test; `platform deliveries` tells how it ended.

    Example: chotdon platform test pitaya
    """
    who = _by(by)

    async def work(office: Office) -> UUID:
        found = await platform_deeds.named(office.database, name)
        owed = await webhook_log.test(office.database, found.id, operator=who)
        await _wake(office, [owed])
        return owed

    document = {"webhook": str(run(work))}
    show(document, lambda: facts(document), as_json=as_json)


_LONGEST_REASON: Final = 500
#: What is more is found by the sweep.
_WOKEN: Final = 1_000


def _by(by: str | None) -> Operator:
    return Operator(name_of_operator(by), "cli")


async def _wake(office: Office, webhook_ids: Sequence[UUID]) -> None:
    redis = open_redis(office.settings.require("redis_url"))
    try:
        await wake_worker(RedisWake(Jobs(redis)), (), webhook_ids)
    finally:
        await redis.aclose()


def _range(
    office: Office, from_: date | datetime | None, to: date | datetime | None
) -> tuple[datetime, datetime]:
    """Return a range of moments; days are those of the service's zone."""
    zone = ZoneInfo(office.settings.timezone)
    start = _start(from_, zone) if from_ else datetime.min.replace(tzinfo=UTC)
    if to is None:
        return start, office.database.clock.now()
    whole_day = timedelta() if isinstance(to, datetime) else timedelta(days=1)
    return start, _start(to, zone) + whole_day


def _start(at: date, zone: ZoneInfo) -> datetime:
    return at if isinstance(at, datetime) else datetime.combine(at, time(), tzinfo=zone)


def _show_new(
    what: str, name: str, keep: timedelta, renew: Callable[[Office], Awaitable[str]], *, as_json: bool
) -> None:
    """Print a new key or secret, and until when the one before is good."""

    async def work(office: Office) -> dict[str, str]:
        until = office.database.clock.now() + keep
        return {"name": name, what: await renew(office), "before_until": until.isoformat()}

    document = run(work)
    show(document, lambda: facts(document), as_json=as_json)


def _show(state: PlatformState, *, as_json: bool) -> None:
    document = _document(state)
    show(document, lambda: facts(document), as_json=as_json)


def _document(state: PlatformState) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in {**asdict(state), "id": str(state.id), "scope": state.scope.value}.items()
    }


def _table(listed: Sequence[PlatformState]) -> str:
    rows = [
        (one.name, one.scope.value, one.webhook_url, one.disabled_why if one.disabled_at else "on")
        for one in listed
    ]
    return table(("NAME", "SCOPE", "WEBHOOKS TO", "STATE"), rows)


def _deliveries(page: DeliveryPage) -> str:
    rows = [
        (item.id, item.type, item.order_id, item.state.value, item.tries, item.last_status, item.why)
        for item in page.items
    ]
    lines = table(("WEBHOOK", "TYPE", "ORDER", "STATE", "TRIES", "STATUS", "WHY"), rows)
    return f"{lines}\nMore: --cursor {page.next}" if page.next else lines
