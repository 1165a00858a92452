"""Buttons of ZBS templates: a tap names our message and a label, and stands for whom the message was for.

docs/facts.md#zbs-quick-replies: it may come before the send is answered, more than once, and for
another button later. What it does is bound to the order as the message told of it.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from bot.intents import Verb
from bot.owing import Owing, Told
from bot.questions import Reply, reply
from core import metrics
from core.actors import Via
from core.channels import Address, AddressKind, ChannelName, Inbound, Replied
from core.database import Database
from core.errors import Misconfigured
from core.ledger import Ledger, StaffRef
from core.orders.commands import Command, CompleteOrder, ConfirmOrder
from core.orders.order import OrderId

_DEEDS: Final = {"confirm": Verb.CONFIRM, "cancel": Verb.CANCEL, "complete": Verb.COMPLETE}


def deeds_of(setting: Mapping[str, object]) -> dict[str, Verb]:
    """Read the setting ZALO_QUICK_REPLIES: label of a button → confirm, cancel or complete.

    Raises Misconfigured with every fault.
    """
    faults = [
        f"CHOTDON_ZALO_QUICK_REPLIES: {label} must be confirm, cancel or complete"
        for label, deed in setting.items()
        if not isinstance(deed, str) or deed not in _DEEDS
    ]
    if faults:
        raise Misconfigured(*faults)
    return {_folded(label): _DEEDS[str(deed)] for label, deed in setting.items()}


@dataclass(frozen=True, slots=True)
class _Answered:
    """The message that a tap answers: whose it was, where it went, what it was about."""

    staff_id: UUID
    order_id: OrderId
    revision: int
    address: Address
    tells_of_many: bool


class QuickReplies:
    """Does what people tap on templates. `by_sms` is whether phones can be answered at all."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        owing: Owing,
        *,
        deeds: Mapping[str, Verb],
        by_sms: bool,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._owing = owing
        self._deeds = deeds
        self._by_sms = by_sms

    async def tapped(self, inbound: Inbound, replied: Replied) -> None:
        """Act in the name of whom the message was for, and owe the answer to the phone it went to.

        A tap by a label that means nothing here, or on a message we do not know, is counted.
        """
        verb = self._deeds.get(_folded(replied.label))
        if verb is None:
            metrics.INBOUND.labels(inbound.channel.value, "unknown label").inc()
            return
        answered = await self._find(inbound.channel, replied)
        if answered is None:
            metrics.INBOUND.labels(inbound.channel.value, "unknown message").inc()
            return
        await self._act(inbound, answered, verb)

    async def _act(self, inbound: Inbound, answered: _Answered, verb: Verb) -> None:
        command = None if answered.tells_of_many else _command(verb, answered)
        if command is None:
            await self._ask_back(inbound, answered, verb)
            return
        await self._ledger.submit(
            command,
            actor=StaffRef(answered.staff_id, Via.ZALO, answered.address),
            key=inbound.key,
            reply_to=answered.address if self._is_answered(answered) else None,
        )

    async def _ask_back(self, inbound: Inbound, answered: _Answered, verb: Verb) -> None:
        """Ask for the reason, or which order was meant; nothing is done."""
        if not self._is_answered(answered) or not await self._is_theirs(answered):
            return
        which = reply(Reply.WHICH, verb=verb)
        reasons = reply(Reply.REASONS, order_id=answered.order_id)
        told = Told(answered.staff_id, which if answered.tells_of_many else reasons)
        await self._owing.owe_all(replace(inbound, sender=answered.address), [told])

    def _is_answered(self, answered: _Answered) -> bool:
        """Whether the answer can go where the message went: a phone takes it by SMS."""
        return self._by_sms or answered.address.kind is not AddressKind.PHONE

    async def _is_theirs(self, answered: _Answered) -> bool:
        """Whether the person is still staff, and reached there."""
        address = answered.address
        return bool(
            await self._database.pool.fetchval(_THEIRS, answered.staff_id, address.kind.value, address.value)
        )

    async def _find(self, channel: ChannelName, replied: Replied) -> _Answered | None:
        """Return the message; by our own name for it also while its send waits for an answer."""
        keys = [UUID(key) for key in replied.keys if _is_uuid(key)]
        row = await self._database.pool.fetchrow(_FIND, channel.value, keys, list(replied.ids))
        if row is None:
            return None
        return _Answered(
            row["staff_id"],
            OrderId(row["order_id"]),
            row["revision"],
            Address(AddressKind(row["address_kind"]), row["address"]),
            row["tells_of_many"],
        )


def _command(verb: Verb, answered: _Answered) -> Command | None:
    """Return the command that a tap gives; None for a cancellation, whose reason is still to be asked for."""
    if verb is Verb.CONFIRM:
        return ConfirmOrder(answered.order_id, answered.revision)
    if verb is Verb.COMPLETE:
        return CompleteOrder(answered.order_id, answered.revision)
    return None


def _folded(label: str) -> str:
    """Return a label as it is compared: the portal, Zalo and the setting may write one letter in two ways."""
    return unicodedata.normalize("NFC", label).strip().casefold()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


_FIND: Final = """
SELECT m.staff_id, m.order_id, n.revision, m.address_kind, m.address,
    coalesce(cardinality(m.orders_told), 0) > 1 AS tells_of_many
FROM messages m JOIN notices n ON n.id = m.notice_id
WHERE m.channel = $1 AND (m.id = ANY($2::uuid[]) OR m.gateway_id = ANY($3::text[]))
    AND m.staff_id IS NOT NULL AND m.order_id IS NOT NULL
ORDER BY m.id = ANY($2::uuid[]) DESC LIMIT 1
"""
_THEIRS: Final = """
SELECT true FROM staff s JOIN addresses a ON a.staff_id = s.id
WHERE s.id = $1 AND s.removed_at IS NULL AND a.kind = $2 AND a.value = $3 AND a.ended_at IS NULL
"""
