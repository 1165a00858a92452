"""How tries to tell a platform end: delivered, tried again by the schedule, given up, or switched off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core import alarms, ids
from core.database import Connection, Database
from core.notices.kinds import NoticeKind
from core.platforms.webhooks import OwedWebhook
from core.schedule import WEBHOOK_RETRIES

#: Each retry comes sooner by up to this part of its wait.
JITTER: Final = 0.1
#: A platform that asks for more time than this gets no more.
LONGEST_WAIT: Final = timedelta(hours=24)
#: docs/facts.md#webhook-gone: whoever answers so wants no more webhooks at this address.
GONE: Final = 410


#: With whose name the alarms about platforms begin.
WHO: Final = "webhook"


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try ended: by an HTTP status, or without one. `why` is a failure's reason, of ours.

    `jitter` from 0 to 1 shortens the wait by up to JITTER; `retry_after` is what the platform asked for.
    One that was not `called` had to fail with another one of its order, and is in no log.
    """

    webhook: OwedWebhook
    status: int | None
    why: str = ""
    took: timedelta = timedelta()
    retry_after: timedelta | None = None
    jitter: float = 0.0
    called: bool = True

    @property
    def is_success(self) -> bool:
        """Whether the platform has it: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the platform wants no more."""
        return self.status == GONE


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of a webhook: its state, and when it is tried again where that changes."""

    state: str
    wait: timedelta | None = None


async def settle(
    database: Database, tried: Sequence[Tried], *, retries: Sequence[timedelta] = WEBHOOK_RETRIES
) -> list[timedelta | None]:
    """Put how tries ended on record, in one transaction; return how long each waits, None for not at all.

    `retries` is how long each waits after its first failed try, its second, and so on (before jitter).
    After the last attempt the operators are told, and when a platform wants no more it is switched off.
    """
    now = database.clock.now()
    fates = [_fate(each, retries) for each in tried]
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await connection.execute(_LOCK, [each.webhook.id for each in tried])
        await _write(connection, tried, fates, now)
        await _log(connection, tried, now)
        for each, fate in zip(tried, fates, strict=True):
            if each.is_gone:
                await _switch_off(connection, each.webhook, now)
            if fate.state == "dead" and each.webhook.test_at is None:
                await _tell_dead(connection, each, now)
    return [fate.wait for fate in fates]


def _fate(tried: Tried, retries: Sequence[timedelta]) -> _Fate:
    """Return what becomes of a webhook by how its try ended; pure.

    An attempt out of turn leaves the schedule as it is: many events must not use a webhook up early.
    """
    webhook = tried.webhook
    if tried.is_success:
        return _Fate("delivered")
    if webhook.test_at is not None:
        return _Fate("dead")
    if not webhook.in_turn:
        return _Fate("waiting")
    if webhook.tries > len(retries) and not tried.is_gone:
        return _Fate("dead")
    wait = retries[min(webhook.tries, len(retries)) - 1] * (1 - JITTER * tried.jitter)
    return _Fate("waiting", max(wait, _asked_for(tried)))


def _asked_for(tried: Tried) -> timedelta:
    """Return for how long the platform wants to be left alone, within reason."""
    return min(tried.retry_after or timedelta(), LONGEST_WAIT)


async def _write(
    connection: Connection, tried: Sequence[Tried], fates: Sequence[_Fate], now: datetime
) -> None:
    await connection.execute(
        _SETTLE,
        [each.webhook.id for each in tried],
        [fate.state for fate in fates],
        [now + (fate.wait or _asked_for(each)) for each, fate in zip(tried, fates, strict=True)],
        [fate.wait is not None for fate in fates],
        [each.status for each in tried],
        [each.why or None for each in tried],
        now,
        [now + _asked_for(each) if each.retry_after else None for each in tried],
    )


async def _log(connection: Connection, tried: Sequence[Tried], now: datetime) -> None:
    calls = [each for each in tried if each.called]
    if calls:
        await connection.execute(
            _ATTEMPTS,
            [each.webhook.id for each in calls],
            [each.webhook.platform_id for each in calls],
            [each.took for each in calls],
            [each.status for each in calls],
            [each.why or None for each in calls],
            now,
        )


async def _switch_off(connection: Connection, webhook: OwedWebhook, now: datetime) -> None:
    """Send a platform nothing more until an operator switches it on again; it was changed since, then not."""
    name = await connection.fetchval(_SWITCH_OFF, webhook.platform_id, now, f"HTTP {GONE}", webhook.url)
    if name is not None:
        await alarms.raise_(connection, *switched_off(name), now=now)


def switched_off(platform_name: str) -> tuple[str, str]:
    """Return name and detail of the alarm that a platform wants no more webhooks."""
    detail = f"Nền tảng trả {GONE}: không gửi gì nữa cho đến khi bật lại"
    return f"{WHO}: {platform_name} ({GONE})", detail


async def _tell_dead(connection: Connection, tried: Tried, now: datetime) -> None:
    webhook = tried.webhook
    name = await connection.fetchval("SELECT name FROM platforms WHERE id = $1", webhook.platform_id)
    await connection.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT DO NOTHING",
        ids.new(),
        None if webhook.of_partner else webhook.order_id,
        NoticeKind.WEBHOOK_DEAD.value,
        str(webhook.id),
        {"webhook": str(webhook.id), "name": name, "why": tried.why},
        now,
    )


_LOCK: Final = "SELECT 1 FROM webhooks WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

# A try out of turn moves its own next one only as far as the platform asked for.
_SETTLE: Final = """
UPDATE webhooks w SET state = ended.state, leased_until = NULL, why = ended.why,
    next_at = CASE WHEN ended.scheduled THEN ended.next_at ELSE greatest(w.next_at, ended.next_at) END,
    last_status = ended.status, rest_until = ended.rest_until,
    delivered_at = CASE WHEN ended.state = 'delivered' THEN $7::timestamptz END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bool[], $5::int[], $6::text[], $8::timestamptz[])
    AS ended (id, state, next_at, scheduled, status, why, rest_until)
WHERE w.id = ended.id
"""

_ATTEMPTS: Final = """
INSERT INTO webhook_attempts (webhook_id, platform_id, at, took, status, why)
SELECT called.webhook_id, called.platform_id, $6::timestamptz, called.took, called.status, called.why
FROM unnest($1::uuid[], $2::uuid[], $3::interval[], $4::int[], $5::text[])
    AS called (webhook_id, platform_id, took, status, why)
"""

_SWITCH_OFF: Final = """
UPDATE platforms SET disabled_at = $2, disabled_why = $3
WHERE id = $1 AND disabled_at IS NULL AND webhook_url = $4 RETURNING name
"""
