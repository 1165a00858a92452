"""Orders named in words: found by code, or the only one that can be meant; else the answer asks which.

What is done goes through the ledger; nothing here decides whether it may be done.
"""

from collections.abc import Sequence
from uuid import UUID

from bot.asking import VIA
from bot.cards.view import Desk
from bot.intents import GivenReason, Unclear, Verb, Why
from bot.owing import Owing, Told, one_per_kitchen
from bot.questions import Reply, reply
from bot.replying import fitting
from core.batch.free_codes import CODE_RESTS
from core.channels import Inbound
from core.database import Database
from core.ledger import Ledger, StaffRef
from core.orders import codes, lookups
from core.orders.answers import Answer
from core.orders.commands import AnswerReview, CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.lookups import Placed
from core.orders.order import OrderId
from core.partners.addresses import StaffAt


class Naming:
    """Acts on orders that somebody named in words, or asks back."""

    def __init__(self, database: Database, ledger: Ledger, owing: Owing, desk: Desk) -> None:
        self._database = database
        self._ledger = ledger
        self._owing = owing
        self._desk = desk

    async def the_only_one(self, inbound: Inbound, seats: list[StaffAt], verb: Verb) -> None:
        """Act on the order that a verb without a code can only mean; ask which, where there are more."""
        partners = [seat.partner_id for seat in one_per_kitchen(seats)]
        fit = await fitting(verb, partners, self._desk, self._database.clock.now())
        if len(fit) == 1:
            await self._act(inbound, _seat_for(seats, fit[0]), verb, fit[0], None)
            return
        concerned = {placed.order.partner_id for placed in fit}
        asked = [seat for seat in one_per_kitchen(seats) if not fit or seat.partner_id in concerned]
        await self._ask_which(inbound, asked, verb)

    async def _ask_which(self, inbound: Inbound, seats: Sequence[StaffAt], verb: Verb) -> None:
        """Ask which order is meant; a phone that answers "OK" by itself is not asked for ever."""
        told = [Told(seat.staff_id, reply(Reply.WHICH, verb=verb)) for seat in seats]
        await self._owing.owe_passive(inbound, seats, told)

    async def of_code(
        self, inbound: Inbound, seats: list[StaffAt], verb: Verb, code: str, reason: GivenReason | None
    ) -> None:
        """Act on the order of this code, unless the sender is locked for wrong ones."""
        if await self._owing.is_locked(inbound.sender):
            return
        found = await lookups.by_code({seat.partner_id for seat in seats}, code)
        if not found:
            await self._wrong_code(inbound, seats, code, Why.WRONG_CODE)
        elif len(found) == 1:
            await self._act(inbound, _seat_for(seats, found[0]), verb, found[0], reason)
        else:  # two kitchens of one person have an order of this code: show both
            told = [
                Told(_seat_for(seats, placed).staff_id, reply(Reply.DETAILS, order_id=placed.order.id))
                for placed in found
            ]
            await self._owing.owe_all(inbound, told)

    async def thanked(self, inbound: Inbound, seats: list[StaffAt], code: str, words: str) -> bool:
        """Answer the review of the order of this code; return whether there is one, of one kitchen alone."""
        if await self._owing.is_locked(inbound.sender):
            return False
        found = await lookups.by_code({seat.partner_id for seat in seats}, code)
        if len(found) != 1 or found[0].order.review is None:
            return False
        seat = _seat_for(seats, found[0])
        await submit(self._ledger, inbound, seat.staff_id, AnswerReview(found[0].order.id, words))
        return True

    async def _act(
        self, inbound: Inbound, seat: StaffAt, verb: Verb, placed: Placed, reason: GivenReason | None
    ) -> None:
        command = _typed_command(verb, placed.order.id, reason)
        if command:
            await submit(self._ledger, inbound, seat.staff_id, command)
            return
        asked = Reply.REASONS if verb is Verb.CANCEL else Reply.DETAILS
        await self._owing.owe_all(inbound, [Told(seat.staff_id, reply(asked, order_id=placed.order.id))])

    async def unclear(self, inbound: Inbound, seats: list[StaffAt], unclear: Unclear) -> None:
        """Ask back about words that are not clear; a stranger's talk in a group is not answered."""
        if unclear.why is Why.WHICH_ORDER:
            await self._ask_which(inbound, one_per_kitchen(seats), Verb.CANCEL)
        elif unclear.typed is None:
            await self._owing.owe_unless_in_group(inbound, seats, reply(Reply.UNCLEAR, why=unclear.why))
        elif not await self._owing.is_locked(inbound.sender):
            await self._ask_back(inbound, seats, unclear.typed, unclear.why)

    async def _ask_back(self, inbound: Inbound, seats: list[StaffAt], typed: str, why: Why) -> None:
        """Show the order that was named where there is one; nothing is done."""
        partners = {seat.partner_id for seat in seats}
        found = await lookups.by_code(partners, typed) if codes.is_valid(typed) else []
        if found:
            data = reply(Reply.MEANT, why=why, typed=typed, order_id=found[0].order.id)
            told = Told(_seat_for(seats, found[0]).staff_id, data)
            await self._owing.owe_passive(inbound, seats, [told])
        elif len(typed) == codes.LENGTH:
            await self._wrong_code(inbound, seats, typed, Why.WRONG_CODE)
        else:
            await self._owing.owe_passive(inbound, seats, [await self._suggested(seats, typed, why)])

    async def _wrong_code(self, inbound: Inbound, seats: list[StaffAt], typed: str, why: Why) -> None:
        await self._owing.owe_for_wrong_code(inbound, await self._suggested(seats, typed, why))

    async def _suggested(self, seats: list[StaffAt], typed: str, why: Why) -> Told:
        """Return the answer to a code that is nobody's: with the one that is a slip away, if there is one."""
        partners = {seat.partner_id for seat in seats}
        since = self._database.clock.now() - CODE_RESTS
        near = codes.suggest(typed, await lookups.codes_in_use(partners, since=since))
        found = await lookups.by_code(partners, near) if near else []
        if found:
            data = reply(Reply.MEANT, why=why, typed=typed, order_id=found[0].order.id)
            return Told(_seat_for(seats, found[0]).staff_id, data)
        kind = Reply.NO_SUCH_CODE if why is Why.WRONG_CODE else Reply.UNCLEAR
        return Told(seats[0].staff_id, reply(kind, typed=typed, why=why))


async def submit(ledger: Ledger, inbound: Inbound, staff_id: UUID, command: Command) -> Answer:
    """Give a command in somebody's name; its answer goes to where it came from."""
    return await ledger.submit(
        command,
        actor=StaffRef(staff_id, VIA[inbound.channel], inbound.sender),
        key=inbound.key,
        reply_to=inbound.answer_to,
        hold=inbound.answer_within,
        edits=inbound.pressed_on,
    )


def _typed_command(verb: Verb, order_id: OrderId, reason: GivenReason | None) -> Command | None:
    """Return the command that words give; None where they only look, or a reason is still to be asked for."""
    if verb is Verb.CONFIRM:
        return ConfirmOrder(order_id)
    if verb is Verb.COMPLETE:
        return CompleteOrder(order_id)
    if verb is Verb.CANCEL and reason:
        return CancelOrder(order_id, reason_of(reason.code, reason.words))
    return None


def _seat_for(seats: Sequence[StaffAt], placed: Placed) -> StaffAt:
    return next(seat for seat in one_per_kitchen(seats) if seat.partner_id == placed.order.partner_id)
