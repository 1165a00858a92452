"""An operator has a kitchen asked once more, beside the ladder; product time."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import audit, ids
from core.audit import Signed
from core.database import Connection
from core.notices.kinds import NoticeKind
from core.orders.status import Status
from core.schedule import Reach

#: Whoever was asked a moment ago is not asked again, whichever operator wants it.
NOT_WITHIN: Final = timedelta(minutes=5)


async def nudge(connection: Connection, order_id: UUID, *, signed: Signed, now: datetime) -> UUID | None:
    """Ask everybody who may confirm, on their next channel; return the notice that is owed.

    None where the order waits no more, or was asked for by an operator within five minutes. Call it inside a
    transaction.
    """
    row = await connection.fetchrow(_LOCK, order_id)
    if row is None or row["status"] != Status.PENDING or now > row["deliver_at"]:
        return None
    if await connection.fetchval(_ASKED, order_id, now - NOT_WITHIN):
        return None
    notice_id, data = ids.new(), {"reach": Reach.ALL_WHO_ACT.value, "loud": True}
    await connection.execute(
        _OWE,
        notice_id,
        order_id,
        NoticeKind.CONFIRM_NUDGE.value,
        f"operator:{now.isoformat()}",
        row["revision"],
        data,
        now,
    )
    await audit.record(
        connection,
        who=signed.who,
        via=signed.via,
        deed="order.nudged",
        about=row["named"],
        about_id=order_id,
        now=now,
    )
    return notice_id


_LOCK: Final = """
SELECT o.status, o.revision, o.deliver_at, p.code || '/' || o.code AS named
  FROM orders o JOIN partners p ON p.id = o.partner_id WHERE o.id = $1 FOR NO KEY UPDATE OF o
"""
_ASKED: Final = f"""
SELECT true FROM notices WHERE order_id = $1 AND kind = '{NoticeKind.CONFIRM_NUDGE}'
   AND occasion LIKE 'operator:%' AND owed_at > $2
"""  # noqa: S608  (our own words)
_OWE: Final = """
INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
