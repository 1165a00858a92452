"""What operators did, to what, and why: written with the deed, in its transaction, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from core.database import Connection
from core.orders.events import Json


@dataclass(frozen=True, slots=True)
class Signed:
    """Who answers for a deed in the record: a mailbox or a name, and `console` or `cli`."""

    who: str
    via: str


async def record(
    connection: Connection,
    *,
    who: str,
    via: str,
    deed: str,
    about: str,
    now: datetime,
    about_id: UUID | None = None,
    reason: str = "",
    data: Mapping[str, Json] = MappingProxyType({}),
) -> None:
    """Write one deed down. `who` is the operator's mailbox or name, `via` `console` or `cli`.

    `deed` is a verb in the past with its object's kind ("order.confirmed", "platform.secret_renewed",
    "person.exported"); `about` names the object for people ("com-nha-lan/48274"), never a customer.
    """
    await connection.execute(
        "INSERT INTO audit (at, who, via, deed, about, about_id, reason, data)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        now,
        who,
        via,
        deed,
        about,
        about_id,
        reason,
        dict(data),
    )
