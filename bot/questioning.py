"""What can be asked without naming an order, by words or buttons, on every channel alike.

A new question is a line here or in `bot.asking`, its card, and its texts.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from bot.asking import REPLIES, is_private, question_of
from bot.intents import Question
from bot.owing import Owing, Told, one_per_kitchen
from bot.questions import Reply, reply
from bot.rests import Rests, of_several
from bot.tokens import ButtonToken, Purpose
from bot.web_links import WebLinks
from core.channels import Inbound
from core.database import Connection, Database
from core.orders.events import Json
from core.partners.addresses import StaffAt
from core.settings import Settings


class Questioning:
    """Owes the answers to questions; some of them have an effect."""

    def __init__(self, database: Database, owing: Owing, rests: Rests, settings: Settings) -> None:
        self._owing = owing
        self._rests = rests
        self._web = WebLinks(database, owing, settings)

    async def asked(self, inbound: Inbound, seats: Sequence[StaffAt], question: Question) -> None:
        """Answer a question of one word."""
        match question:
            case Question.HELP:
                await self._owing.owe_passive(inbound, seats, [Told(seats[0].staff_id, reply(Reply.HELP))])
            case Question.ENGLISH | Question.VIETNAMESE:
                await self._speak(inbound, seats, question.value)
            case Question.WEB:
                await self._web.asked(inbound, one_per_kitchen(seats)[0])
            case Question.RESUME:
                await self._rests.over(inbound, seats)
            case _:
                await self.told(inbound, seats, reply(REPLIES[question]))

    async def money(self, inbound: Inbound, seats: Sequence[StaffAt], data: Mapping[str, Json]) -> None:
        """Answer with money, to who asked alone; of several at one phone, to who may see it."""
        kitchens = one_per_kitchen(seats, best=lambda role: role.sees_money)
        told = [Told(seat.staff_id, data, private=True) for seat in kitchens]
        await self._owing.owe_all(inbound, of_several(told))

    async def told(self, inbound: Inbound, seats: Sequence[StaffAt], data: Mapping[str, Json]) -> None:
        """Answer for every kitchen that the person works for; of several each is named."""
        told = [Told(seat.staff_id, data) for seat in one_per_kitchen(seats)]
        await self._owing.owe_all(inbound, of_several(told))

    async def pressed(self, inbound: Inbound, seat: StaffAt, token: ButtonToken) -> None:
        """Answer a button that gives no command, for who may press it."""
        match token.purpose:
            case Purpose.PAUSE_UNTIL:
                await self._rests.until(inbound, seat, date.fromordinal(token.revision))
            case Purpose.RESUME:
                await self._rests.over(inbound, [seat])
            case Purpose.WEB:
                await self._web.asked(inbound, seat)
            case Purpose.ENGLISH:
                await self._speak(inbound, [seat], "en")
            case Purpose.VIETNAMESE:
                await self._speak(inbound, [seat], "vi")
            case _:
                told = Told(seat.staff_id, question_of(token), private=is_private(token))
                await self._owing.owe_all(inbound, [told])

    async def _speak(self, inbound: Inbound, seats: Sequence[StaffAt], locale: str) -> None:
        """Speak this language with everybody behind the address from now on."""

        async def choose(connection: Connection) -> Sequence[Told]:
            people = sorted(seat.staff_id for seat in seats)
            await connection.execute(
                "UPDATE staff SET locale = $2 WHERE id = ANY($1::uuid[])", people, locale
            )
            return [Told(seats[0].staff_id, reply(Reply.LANGUAGE))]

        await self._owing.owe(inbound, choose)
