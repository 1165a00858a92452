"""Product time, and moving it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import click

from cli.arguments import DURATION
from cli.office import Office, run
from cli.printing import as_json_option, facts, show
from core import product_clock, sheets
from core.clock import real_now
from core.database import Database
from core.errors import RuleError, Unavailable
from core.ledger import Ledger
from core.partners import pausing
from jobs.timers import due_timers, fire_due

_PATIENCE: Final = 100
_PAUSE: Final = 0.1


@click.group()
def clock() -> None:
    """Product time."""


@clock.command("show")
@as_json_option
def show_clock(*, as_json: bool) -> None:
    """Print product time and how far ahead of real time it is.

    Example: chotdon clock show
    """
    _show(*run(_told), as_json=as_json)


@clock.command("advance")
@click.argument("by", type=DURATION, metavar="DURATION")
@as_json_option
def advance_clock(by: timedelta, *, as_json: bool) -> None:
    """Move product time forward; what became due is owed when this returns, and delivered by the worker.

    Example: chotdon clock advance PT24H
    """

    async def work(office: Office) -> tuple[timedelta, ZoneInfo]:
        _refuse_in_production(office)
        async with office.ledger() as ledger:
            await advance(office.database, ledger, by)
        return await _told(office)

    _show(*run(work), as_json=as_json)


@clock.command("reset")
@as_json_option
def reset_clock(*, as_json: bool) -> None:
    """Bring product time back to real time; nothing that happened happens twice.

    Example: chotdon clock reset
    """

    async def work(office: Office) -> tuple[timedelta, ZoneInfo]:
        _refuse_in_production(office)
        await reset(office.database)
        return await _told(office)

    _show(*run(work), as_json=as_json)


async def advance(database: Database, ledger: Ledger, by: timedelta) -> datetime:
    """Move product time forward, and fire every timer that became due, in the order of deadlines.

    Raises Unavailable when what is due cannot be fired for a while.
    """
    now = await product_clock.advance(database, by)
    for _ in range(_PATIENCE):
        await fire_due(database, ledger)
        await sheets.owe_due(database)
        await pausing.end_due(database)
        if not await due_timers(database, most=1):
            return now
        await asyncio.sleep(_PAUSE)  # a worker may be firing the same ones
    raise Unavailable


async def reset(database: Database) -> None:
    """Bring product time back to real time, and wait until every process has followed."""
    was = await product_clock.reset(database)
    await asyncio.sleep(product_clock.FOLLOWED_WITHIN.total_seconds())
    await product_clock.bring_stragglers_back(database, was)


def _refuse_in_production(office: Office) -> None:
    if office.settings.is_production:
        raise RuleError("clock_in_production")


async def _told(office: Office) -> tuple[timedelta, ZoneInfo]:
    return await product_clock.ahead(office.database), ZoneInfo(office.settings.timezone)


def _show(ahead: timedelta, zone: ZoneInfo, *, as_json: bool) -> None:
    now = (real_now() + ahead).astimezone(zone)
    document: dict[str, object] = {
        "now": now.isoformat(timespec="seconds"),
        "ahead_seconds": int(ahead.total_seconds()),
    }
    lines = {"now": document["now"], "ahead": str(ahead) if ahead else "not at all"}
    show(document, lambda: facts(lines), as_json=as_json)
