"""Owing answers that are no order command's: once for each inbound, within bounds, told by the worker."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot.questions import Reply, reply
from core import alarms, inbox
from core.actors import Role
from core.channels import Address, Inbound
from core.database import Connection, Database
from core.orders import lookups
from core.orders.events import Json
from core.partners import addresses, wrong_tries
from core.partners.addresses import StaffAt
from core.partners.wrong_tries import Limit
from core.waking import Wake, wake_worker

_FOR_EVER: Final = timedelta(days=3650)

#: Five wrong order codes in 15 minutes lock a sender for an hour.
WRONG_CODES: Final = Limit("order_code", 5, timedelta(minutes=15), timedelta(hours=1))
#: Help is given five times in a row, then not again until somebody says something we understand.
PASSIVE: Final = Limit("passive", 5, _FOR_EVER, _FOR_EVER)


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: for which staff member (None: nobody of ours), and what it says.

    A `private` one goes to the person, also when they asked in a group; one with `to` goes there, whatever
    way the question came.
    """

    staff_id: UUID | None
    data: Mapping[str, Json]
    private: bool = False
    to: Address | None = None


#: Decides, inside the transaction that takes the inbound in, which answers are owed.
Choose = Callable[[Connection], Awaitable[Sequence[Told]]]


class Owing:
    """Writes answers as notices and wakes the worker."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def owe(self, inbound: Inbound, choose: Choose, *, key: str | None = None) -> None:
        """Owe what `choose` answers with, once for this inbound (or `key`), to where it came from."""
        key, now = key or inbound.key, self._database.clock.now()
        written: list[UUID] = []

        async def effect(connection: Connection) -> Mapping[str, Json]:
            for number, told in enumerate(await choose(connection)):
                notice = await inbox.owe_answer(
                    connection,
                    key=f"{key}#{number}",
                    to=_address(inbound, told),
                    staff_id=told.staff_id,
                    data=told.data,
                    now=now,
                    hold=None if told.to else inbound.answer_within,
                    edits=inbound.pressed_on if _takes_its_place(inbound, told, number) else None,
                )
                written.append(notice)
            return {"told": len(written)}

        await inbox.once(self._database, key, effect, now=now)
        await wake_worker(self._wake, written)

    async def wake(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Wake the worker for what an answer's effect owes besides it."""
        await wake_worker(self._wake, notices, webhooks)

    async def owe_all(self, inbound: Inbound, told: Sequence[Told], *, key: str | None = None) -> None:
        """Owe these answers: somebody said something that we understood."""

        async def choose(connection: Connection) -> Sequence[Told]:
            await wrong_tries.forget(connection, PASSIVE, sender_of(inbound.sender))
            return told

        await self.owe(inbound, choose, key=key)

    async def owe_passive(self, inbound: Inbound, seats: Sequence[StaffAt], told: Sequence[Told]) -> None:
        """Owe what only asks back or helps, unless that was done five times in a row already."""
        sender, now = sender_of(inbound.sender), self._database.clock.now()

        async def choose(connection: Connection) -> Sequence[Told]:
            began = await wrong_tries.began(connection, PASSIVE, sender)
            partners, people = {seat.partner_id for seat in seats}, {seat.staff_id for seat in seats}
            if began and await lookups.acted_since(partners, people, began):
                await wrong_tries.forget(connection, PASSIVE, sender)
            tries = await wrong_tries.held(connection, PASSIVE, sender, now=now)
            if tries.locked_until is not None:
                return ()
            await wrong_tries.wrong(connection, PASSIVE, sender, tries, now=now)
            return told

        await self.owe(inbound, choose)

    async def owe_unless_in_group(
        self, inbound: Inbound, seats: Sequence[StaffAt], data: Mapping[str, Json]
    ) -> None:
        """Owe help to a person; people of a group talk to each other."""
        if seats and inbound.group is None:
            await self.owe_passive(inbound, seats, [Told(seats[0].staff_id, data)])

    async def owe_for_wrong_code(self, inbound: Inbound, told: Told) -> None:
        """Count a wrong code and owe what there is to say; with the one that locks, operators hear of it."""
        sender, now = sender_of(inbound.sender), self._database.clock.now()
        alarm = f"Sai mã đơn nhiều lần: {addresses.masked(inbound.sender.kind, inbound.sender.value)}"

        async def choose(connection: Connection) -> Sequence[Told]:
            tries = await wrong_tries.held(connection, WRONG_CODES, sender, now=now)
            if tries.locked_until is not None:
                return ()
            if tries.count == 0:
                await alarms.clear(connection, alarm, now=now)
            tries = await wrong_tries.wrong(connection, WRONG_CODES, sender, tries, now=now)
            if tries.locked_until is None:
                return (told,)
            detail = "5 mã sai trong 15 phút, người gửi bị khoá một giờ"
            await alarms.raise_(connection, alarm, detail, now=now, over_after=WRONG_CODES.locks_for)
            return (Told(told.staff_id, reply(Reply.LOCKED)),)

        await self.owe(inbound, choose)

    async def is_locked(self, sender: Address) -> bool:
        """Whether typed codes of this sender are passed over for now."""
        return await wrong_tries.is_locked(
            self._database.pool, WRONG_CODES, sender_of(sender), now=self._database.clock.now()
        )


def _address(inbound: Inbound, told: Told) -> Address:
    return told.to or (inbound.sender if told.private else inbound.answer_to)


def _takes_its_place(inbound: Inbound, told: Told, number: int) -> bool:
    """Whether the message whose button was pressed shows this answer: the first one, if all may read it."""
    return number == 0 and _address(inbound, told) == inbound.answer_to


def sender_of(address: Address) -> str:
    """Return the name that tries are counted under."""
    return f"{address.kind.value}:{address.value}"


def one_per_kitchen(
    seats: Collection[StaffAt], *, best: Callable[[Role], bool] = lambda role: role.may_act
) -> list[StaffAt]:
    """Return one person for each kitchen: a phone may be shared; who has the `best` role comes first."""
    chosen: dict[UUID, StaffAt] = {}
    for seat in sorted(seats, key=lambda seat: not best(seat.role)):
        chosen.setdefault(seat.partner_id, seat)
    return list(chosen.values())
