"""A kitchen stops taking orders and takes them again, by words or buttons: with the answer, once.

A pause begins when it is said. Whoever names a later day may mean that day alone, so they are asked first.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.asking import VIA
from bot.intents import Day, Pause
from bot.owing import Owing, Told, one_per_kitchen
from bot.questions import Reply, reply
from core.channels import Inbound
from core.database import Connection, Database
from core.orders.events import Json
from core.orders.order import By
from core.partners import addresses, partners, pauses
from core.partners.addresses import StaffAt
from core.partners.partners import Partner
from core.partners.pauses import Written

_FARTHEST: Final = timedelta(days=366)


class Rests:
    """Pauses kitchens and lets them go on."""

    def __init__(self, database: Database, owing: Owing) -> None:
        self._database = database
        self._owing = owing

    async def asked(self, inbound: Inbound, seats: Sequence[StaffAt], pause: Pause) -> None:
        """Pause the kitchen where one end is sure and one kitchen can be meant; else ask."""
        kitchens = one_per_kitchen(seats, best=lambda role: role.runs_kitchen)
        ends = [await self._last_day(seat, pause) for seat in kitchens]
        is_sure = pause.is_sure or (ends[0] is not None and await self._is_today(kitchens[0], ends[0]))
        if len(kitchens) == 1 and ends[0] and is_sure:
            await self.until(inbound, kitchens[0], ends[0])
            return
        told = [Told(seat.staff_id, _question(seat, end)) for seat, end in zip(kitchens, ends, strict=True)]
        await self._owing.owe_all(inbound, of_several(told))

    async def until(self, inbound: Inbound, seat: StaffAt, last_day: date) -> None:
        """Take no new orders from now until a day is over; a day that is over already asks back."""
        partner = await self._kitchen(seat)
        end = datetime.combine(last_day + timedelta(days=1), time(), tzinfo=partner.zone)
        if end <= self._database.clock.now():
            await self._owing.owe_all(inbound, [Told(seat.staff_id, reply(Reply.HOW_LONG))])
            return
        await self._change(inbound, seat, end)

    async def over(self, inbound: Inbound, seats: Sequence[StaffAt]) -> None:
        """Take orders again; who runs several kitchens is asked which."""
        kitchens = one_per_kitchen(seats, best=lambda role: role.runs_kitchen)
        if len(kitchens) == 1:
            await self._change(inbound, kitchens[0], None)
            return
        told = [Told(seat.staff_id, _question(seat, None)) for seat in kitchens]
        await self._owing.owe_all(inbound, of_several(told))

    async def _change(self, inbound: Inbound, seat: StaffAt, until: datetime | None) -> None:
        written = Written()
        now = self._database.clock.now()

        async def choose(connection: Connection) -> Sequence[Told]:
            nonlocal written
            if not await _may(connection, inbound, seat):
                return [Told(seat.staff_id, reply(Reply.NOT_YOURS))]
            by = By(VIA[inbound.channel], seat.name, seat.staff_id)
            if until is None:
                written = await pauses.finish(connection, seat.partner_id, by=by, now=now)
                return [Told(seat.staff_id, reply(Reply.RESUMED))]
            written = await pauses.begin(connection, seat.partner_id, until, by=by, now=now)
            return [Told(seat.staff_id, reply(Reply.PAUSED, until=until.isoformat()))]

        await self._owing.owe(inbound, choose)
        await self._owing.wake(written.notices, written.webhooks)

    async def _last_day(self, seat: StaffAt, pause: Pause) -> date | None:
        """Return the last day of a pause by the kitchen's calendar, None where there is no such day."""
        today = await self._today(seat)
        if pause.days is not None:
            return today + timedelta(days=pause.days - 1)
        day = _day_after(today, pause.until) if pause.until else None
        return day if day and today <= day <= today + _FARTHEST else None

    async def _is_today(self, seat: StaffAt, day: date) -> bool:
        return day == await self._today(seat)

    async def _today(self, seat: StaffAt) -> date:
        partner = await self._kitchen(seat)
        return self._database.clock.now().astimezone(partner.zone).date()

    async def _kitchen(self, seat: StaffAt) -> Partner:
        return await partners.by_id(self._database.pool, seat.partner_id)


def of_several(told: Sequence[Told]) -> Sequence[Told]:
    """Return answers that name their kitchens, where there are several."""
    if len(told) < 2:
        return told
    return [Told(each.staff_id, {**each.data, "of_several": True}, private=each.private) for each in told]


async def _may(connection: Connection, inbound: Inbound, seat: StaffAt) -> bool:
    """Whether they still work there, at this address, and run the kitchen."""
    now_there = await addresses.staff_at(connection, inbound.sender)
    return any(one.staff_id == seat.staff_id and one.role.runs_kitchen for one in now_there)


def _question(seat: StaffAt, last_day: date | None) -> Mapping[str, Json]:
    """Ask whether it is to begin now, or for how long at all; tell who may not whom to ask."""
    if not seat.role.runs_kitchen:
        return reply(Reply.NOT_YOURS)
    if last_day is None:
        return reply(Reply.HOW_LONG)
    return reply(Reply.FROM_NOW_ON, day=last_day.isoformat())


def _day_after(today: date, wanted: Day) -> date | None:
    """Return the day that is meant: of this year, or of the next where it is past; None for no such day."""
    years = [wanted.year] if wanted.year else [today.year, today.year + 1]
    for year in years:
        try:
            day = date(year, wanted.month, wanted.day)
        except ValueError:  # the 29th of February has other years
            continue
        if day >= today:
            return day
    return None
