"""What was sent about an order: every attempt, and what still waits for its first; addresses masked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.channels import AddressKind
from core.database import Connection, Pool, Row
from core.partners.addresses import masked


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a message, or a message without one; `at` is product time, UTC.

    `outcome` is None where nothing was tried: `state` and `why` tell. `cost` in đồng, for `parts` of `what`;
    where one message told of several orders it stands with one of them. `carried`: told with another order.
    """

    at: datetime
    notice: str
    person: str
    channel: str
    address: str
    state: str
    outcome: str | None
    why: str | None
    what: str | None
    parts: int | None
    cost: int | None
    receipt: str | None
    carried: bool


async def tries_of(queryable: Connection | Pool, order_id: UUID) -> list[Try]:
    """Return every attempt to tell somebody of this order, oldest message first."""
    return (await tries_of_all(queryable, [order_id]))[order_id]


async def tries_of_all(queryable: Connection | Pool, order_ids: Sequence[UUID]) -> Mapping[UUID, list[Try]]:
    """Return the same for each of these orders; the list of one that nobody was told of is empty."""
    found: dict[UUID, list[Try]] = defaultdict(list)
    for row in await queryable.fetch(_TRIES, list(order_ids)):
        found[row["order_id"]].append(_try(row))
    return found


def _try(row: Row) -> Try:
    address = masked(AddressKind(row["address_kind"]), row["address"])
    why = row["why"]
    return Try(
        at=row["at"],
        notice=row["kind"],
        person=row["name"],
        channel=row["channel"],
        address=address,
        state=row["state"],
        outcome=row["outcome"],
        # a gateway may have quoted the address it refused
        why=why.replace(row["address"], address) if why else None,
        what=row["what"],
        parts=row["parts"],
        cost=row["cost"],
        receipt=row["receipt"],
        carried=row["carried"],
    )


_TRIES: Final = """
SELECT m.order_id, coalesce(a.at, a.started_at, m.created_at) AS at, n.kind,
       coalesce(s.name, split_part(m.person, ':', 1)) AS name, m.channel, m.address_kind, m.address,
       m.state, a.outcome, coalesce(a.why, m.why) AS why, a.what, a.parts,
       CASE WHEN m.carrier_id IS NULL THEN a.cost END AS cost, m.receipt, m.carrier_id IS NOT NULL AS carried
  FROM messages m JOIN notices n ON n.id = m.notice_id
       LEFT JOIN staff s ON s.id = m.staff_id
       LEFT JOIN attempts a ON a.message_id = coalesce(m.carrier_id, m.id)
 WHERE m.order_id = ANY($1::uuid[])
 ORDER BY m.created_at, n.id, m.person, m.rung, m.id, a.id
"""
