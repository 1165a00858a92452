"""`WEB`: a one-time link into the kitchen's pages, for who asked alone.

A link must not stand in an SMS (unless it may), so there it goes to a chat or mailbox of the same person.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.asking import VIA
from bot.owing import Owing, Told
from bot.questions import Reply, reply
from core.channels import Address, AddressKind, ChannelName, Inbound
from core.database import Connection, Database
from core.orders.events import Json
from core.partners import one_time_links
from core.partners.addresses import StaffAt
from core.partners.one_time_links import LIFE, LinkPurpose
from core.settings import Settings

#: docs/facts.md#zalo-windows: so long after somebody wrote an account may write to them.
_ZALO_HEARS_FOR: Final = timedelta(days=7)
_ELSEWHERE: Final[Mapping[AddressKind, ChannelName]] = MappingProxyType(
    {
        AddressKind.ZALO_USER: ChannelName.ZALO,
        AddressKind.TELEGRAM_CHAT: ChannelName.TELEGRAM,
        AddressKind.EMAIL: ChannelName.EMAIL,
    }
)


class WebLinks:
    """Makes links and owes them, in one transaction."""

    def __init__(self, database: Database, owing: Owing, settings: Settings) -> None:
        self._database = database
        self._owing = owing
        self._sms_links = settings.sms_links
        switched = {
            AddressKind.ZALO_USER: settings.zalo_is_on,
            AddressKind.TELEGRAM_CHAT: settings.telegram_is_on,
            AddressKind.EMAIL: settings.email_is_on,
        }
        self._on = [kind.value for kind, is_on in switched.items() if is_on]

    async def asked(self, inbound: Inbound, seat: StaffAt) -> None:
        """Owe this person a link that signs in, where links may stand."""

        async def choose(connection: Connection) -> Sequence[Told]:
            if inbound.channel is not ChannelName.SMS or self._sms_links:
                return [Told(seat.staff_id, await self._link(connection, inbound, seat), private=True)]
            to = await self._elsewhere(connection, seat.staff_id)
            if to is None:
                return [Told(seat.staff_id, reply(Reply.WEB_SENT))]
            link = await self._link(connection, inbound, seat, to)
            sent = reply(Reply.WEB_SENT, where=_ELSEWHERE[to.kind])
            return [Told(seat.staff_id, sent), Told(seat.staff_id, link, to=to)]

        await self._owing.owe(inbound, choose)

    async def _link(
        self, connection: Connection, inbound: Inbound, seat: StaffAt, to: Address | None = None
    ) -> Mapping[str, Json]:
        now = self._database.clock.now()
        link_id = await one_time_links.issue(
            connection,
            seat.staff_id,
            LinkPurpose.LOGIN,
            via=VIA[inbound.channel].value,
            now=now,
            address=to or inbound.sender,
        )
        until = now + LIFE[LinkPurpose.LOGIN]
        return reply(Reply.WEB, link=link_id, until=until.isoformat())

    async def _elsewhere(self, connection: Connection, staff_id: UUID) -> Address | None:
        """Return this person's own chat or mailbox that works best."""
        since = self._database.clock.now() - _ZALO_HEARS_FOR
        row = await connection.fetchrow(_BEST, staff_id, self._on, since)
        return Address(AddressKind(row["kind"]), row["value"]) if row else None


# An address that failed last, or a Zalo that cannot be written to, comes after those that work.
_BEST: Final = """
SELECT a.kind, a.value FROM addresses a
WHERE a.staff_id = $1 AND a.ended_at IS NULL AND a.kind = ANY($2::text[])
    AND NOT (a.kind = 'telegram_chat' AND a.value LIKE '-%')
ORDER BY EXISTS (SELECT 1 FROM reach r WHERE r.address = a.value AND r.failed_at IS NOT NULL),
    a.kind = 'zalo_user' AND (a.heard_at IS NULL OR a.heard_at < $3),
    array_position($2::text[], a.kind), a.added_at
LIMIT 1
"""
