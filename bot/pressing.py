"""Buttons: whose they are, and what pressing them does. A card that was forwarded shows, never acts."""

from bot.asking import NOBODY, command_of
from bot.hearing import heard
from bot.intents import Why
from bot.naming import submit
from bot.owing import Owing, Told, one_per_kitchen
from bot.questioning import Questioning
from bot.questions import Reply, reply
from bot.tokens import ButtonToken, Signer
from core import inbox, metrics
from core.channels import Inbound
from core.database import Database
from core.errors import Malformed, Untrusted
from core.ledger import Ledger
from core.orders import lookups
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import Command


class Pressing:
    """Takes in pressed buttons."""

    def __init__(
        self, database: Database, ledger: Ledger, signer: Signer, owing: Owing, questioning: Questioning
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._signer = signer
        self._owing = owing
        self._questioning = questioning

    async def pressed(self, inbound: Inbound, payload: str) -> Answer | None:
        """Do what a button says; return what a command did."""
        try:
            token = self._signer.read_button(payload)
        except (Untrusted, Malformed) as error:
            metrics.REJECTED.labels(inbound.channel.value, error.reason).inc()
            data = reply(Reply.UNCLEAR, why=Why.NOT_UNDERSTOOD)
            await self._owing.owe_unless_in_group(inbound, await heard(self._database, inbound), data)
            return None
        command = command_of(token)
        if inbound.group:
            return await self._in_group(inbound, token, command)
        if command is None:
            await self._asked(inbound, token)
            return None
        return await self._commanded(inbound, token, command)

    async def _in_group(self, inbound: Inbound, token: ButtonToken, command: Command | None) -> Answer | None:
        """Act in the name of who pressed: anybody of the kitchen may, whoever the card was made for."""
        placed = await lookups.by_id(token.order_id) if token.order_id != NOBODY else None
        seats = one_per_kitchen(await heard(self._database, inbound))
        theirs = [seat for seat in seats if placed is None or seat.partner_id == placed.order.partner_id]
        if not theirs:
            metrics.INBOUND.labels(inbound.channel.value, "stranger").inc()
            return Answer(AnswerKind.FORBIDDEN, None, token.purpose.name.lower(), why="not_linked")
        if command:
            return await submit(self._ledger, inbound, theirs[0].staff_id, command)
        if not await inbox.is_known(self._database, inbound.key):
            await self._questioning.pressed(inbound, theirs[0], token)
        return None

    async def _commanded(self, inbound: Inbound, token: ButtonToken, command: Command) -> Answer:
        """Act in the name of whom the button was made for; the ledger checks that this is their address."""
        answer = await submit(self._ledger, inbound, token.staff_id, command)
        if answer.kind is AnswerKind.FORBIDDEN and answer.why == "not_linked":
            await self._show_forwarded(inbound, token)
        return answer

    async def _asked(self, inbound: Inbound, token: ButtonToken) -> None:
        if await inbox.is_known(self._database, inbound.key):
            return
        seats = await heard(self._database, inbound)
        own = next((seat for seat in seats if seat.staff_id == token.staff_id), None)
        if own:
            await self._questioning.pressed(inbound, own, token)
        elif token.order_id != NOBODY:
            await self._show_forwarded(inbound, token)

    async def _show_forwarded(self, inbound: Inbound, token: ButtonToken) -> None:
        """Show a colleague the order of a card that was made for somebody else: it never acts."""
        placed = await lookups.by_id(token.order_id)
        seats = one_per_kitchen(await heard(self._database, inbound))
        shown = [seat for seat in seats if placed and seat.partner_id == placed.order.partner_id]
        told = [Told(seat.staff_id, reply(Reply.DETAILS, order_id=token.order_id)) for seat in shown]
        if told:
            await self._owing.owe_all(inbound, told, key=f"{inbound.key}:shown")
