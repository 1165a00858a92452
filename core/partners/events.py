"""What happened to a kitchen, as platforms are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from core.orders.events import Json
from core.partners.addresses import Queryable


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """One event of a kitchen; `number` rises with each. `data` is what platforms get, whole."""

    type: str
    number: int
    data: Mapping[str, Json]


async def numbered(queryable: Queryable, partner_id: UUID, number: int) -> PartnerEvent | None:
    """Return a kitchen's event by its number."""
    row = await queryable.fetchrow(
        "SELECT type, number, data FROM partner_events WHERE partner_id = $1 AND number = $2",
        partner_id,
        number,
    )
    return PartnerEvent(row["type"], row["number"], row["data"]) if row else None
