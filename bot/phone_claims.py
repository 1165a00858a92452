"""A phone that somebody shares in a chat is a claim: the code that proves it goes to that phone by SMS.

Who shares a phone of nobody's hears the same words: nobody learns here whose phones a kitchen has. Where
the gateway vouches for it (Telegram, for a person's own), the chat is linked at once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot.owing import one_per_kitchen, sender_of
from bot.questions import Reply, reply
from core import inbox
from core.channels import Address, AddressKind, ChannelName, Inbound, SharedPhone
from core.database import Connection, Database
from core.orders.events import Json
from core.partners import addresses, linking, wrong_tries
from core.partners.addresses import StaffAt
from core.partners.wrong_tries import Limit
from core.waking import Wake, wake_worker

_HOUR: Final = timedelta(hours=1)
#: A phone gets at most three codes in an hour, whoever asks for them.
PER_PHONE: Final = Limit("phone_claimed", 3, _HOUR, _HOUR)
#: A sender is answered five times in an hour.
PER_SENDER: Final = Limit("phone_claims", 5, _HOUR, _HOUR)


class PhoneClaims:
    """Takes in phones that people share. `by_sms` is whether codes can leave at all."""

    def __init__(self, database: Database, wake: Wake, *, link_key: bytes, by_sms: bool) -> None:
        self._database = database
        self._wake = wake
        self._link_key = link_key
        self._by_sms = by_sms

    async def shared(self, inbound: Inbound, body: SharedPhone) -> None:
        """Take in a phone that somebody shared, as far as it is to be believed."""
        if body.is_own:
            await self._once(inbound, lambda connection: self._link(connection, inbound, body.phone))
        elif inbound.channel is ChannelName.TELEGRAM:  # somebody else's contact proves nothing
            await self._once(inbound, lambda connection: self._tell(connection, inbound, Reply.OTHERS_PHONE))
        else:
            await self.claimed(inbound, body.phone)

    async def claimed(self, inbound: Inbound, phone: str) -> None:
        """Owe the claimed phone a code, if it is staff's, and the chat a word of what comes next; once."""

        async def answers(connection: Connection) -> Sequence[UUID]:
            told = await self._answer(connection, inbound)
            return [told, *await self._code(connection, inbound, Address(AddressKind.PHONE, phone))]

        await self._once(inbound, answers)

    async def _once(
        self, inbound: Inbound, answers: Callable[[Connection], Awaitable[Sequence[UUID]]]
    ) -> None:
        """Owe these answers once, unless this sender has had as many as there may be."""
        written: list[UUID] = []

        async def effect(connection: Connection) -> Mapping[str, Json]:
            if await self._may(connection, PER_SENDER, inbound.sender):
                written.extend(await answers(connection))
            return {"told": len(written)}

        await inbox.once(self._database, inbound.key, effect, now=self._database.clock.now())
        await wake_worker(self._wake, written)

    async def _link(self, connection: Connection, inbound: Inbound, phone: str) -> Sequence[UUID]:
        """Link the chat to whoever has this phone, one person of each kitchen, and say who they are."""
        now = self._database.clock.now()
        seats = one_per_kitchen(await addresses.staff_at(connection, Address(AddressKind.PHONE, phone)))
        for seat in seats:
            await linking.link(connection, seat.staff_id, inbound.sender, now=now)
        if not seats:
            return await self._tell(connection, inbound, Reply.NOBODYS_PHONE)
        return [
            await self._owe(
                connection, f"{inbound.key}#{number}", inbound.sender, seat.staff_id, reply(Reply.LINKED)
            )
            for number, seat in enumerate(seats)
        ]

    async def _tell(self, connection: Connection, inbound: Inbound, kind: Reply) -> Sequence[UUID]:
        return [await self._owe(connection, f"{inbound.key}#0", inbound.sender, None, reply(kind))]

    async def _answer(self, connection: Connection, inbound: Inbound) -> UUID:
        """Say what comes next; without SMS, how else a chat is linked."""
        told = reply(Reply.CODE_SENT if self._by_sms else Reply.HOW_TO_LINK)
        return await self._owe(connection, f"{inbound.key}#0", inbound.sender, None, told)

    async def _code(self, connection: Connection, inbound: Inbound, phone: Address) -> Sequence[UUID]:
        """Owe the phone one code for all kitchens that its owner works for."""
        seats = one_per_kitchen(await addresses.staff_at(connection, phone)) if self._by_sms else []
        if not seats or not await self._may(connection, PER_PHONE, phone):
            return ()
        told = await self._told(connection, seats)
        return [await self._owe(connection, f"{inbound.key}#1", phone, seats[0].staff_id, told)]

    async def _told(self, connection: Connection, seats: Sequence[StaffAt]) -> Mapping[str, Json]:
        """Return the answer that carries a new code; the notice keeps it after it has died."""
        people, now = [seat.staff_id for seat in seats], self._database.clock.now()
        code = await linking.issue_code(connection, people, ChannelName.ZALO, key=self._link_key, now=now)
        return reply(Reply.LINK_CODE, text=code.text)

    async def _may(self, connection: Connection, limit: Limit, who: Address) -> bool:
        """Count one more, unless there were as many as there may be."""
        now = self._database.clock.now()
        return await wrong_tries.is_one_more(connection, limit, sender_of(who), now=now)

    async def _owe(
        self, connection: Connection, key: str, to: Address, staff_id: UUID | None, told: Mapping[str, Json]
    ) -> UUID:
        now = self._database.clock.now()
        return await inbox.owe_answer(connection, key=key, to=to, staff_id=staff_id, data=told, now=now)
