"""When nothing of a notice can reach anybody: the operators are owed a word."""

from datetime import datetime
from uuid import UUID

from core import ids
from core.database import Connection
from core.notices.kinds import RULES, Audience, NoticeKind
from core.orders.order import Order


async def tell_undeliverable(
    connection: Connection, notice_id: UUID, kind: NoticeKind, order: Order | None, now: datetime
) -> None:
    """Owe the operators a notice that one failed, once; not about what is theirs, an answer or a courtesy."""
    rule = RULES[kind]
    if rule.courtesy or rule.audience in {Audience.OPERATORS, Audience.PERSON, Audience.TOLD}:
        return
    await connection.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        ids.new(),
        order.id if order else None,
        NoticeKind.UNDELIVERABLE.value,
        str(notice_id),
        order.revision if order else 0,
        {"notice": kind.value},
        now,
    )
