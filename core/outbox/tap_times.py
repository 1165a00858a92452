"""How long kitchens take: from the first message that asked to the confirmation, counted by its channel."""

from collections.abc import Sequence
from typing import Final

from core import metrics
from core.database import Connection
from core.notices.kinds import NoticeKind
from core.orders.status import Status
from core.outbox.messages import OwedNotice


async def observe(connection: Connection, notices: Sequence[OwedNotice]) -> None:
    """Count the confirmations among what is routed: whoever was told hears of each, once."""
    confirmed = {notice.order.id: notice for notice in notices if notice.order and _is_confirmation(notice)}
    if not confirmed:
        return
    revisions = [notice.revision for notice in confirmed.values()]
    for row in await connection.fetch(_ASKED, list(confirmed), revisions):
        notice = confirmed[row["order_id"]]
        if notice.order and notice.order.status_changed_at >= row["asked_at"]:
            took = notice.order.status_changed_at - row["asked_at"]
            metrics.NOTICE_TO_TAP.labels(_via(notice)).observe(took.total_seconds())


def _is_confirmation(notice: OwedNotice) -> bool:
    return notice.kind is NoticeKind.COLLEAGUE_ACTED and notice.data.get("to") == Status.CONFIRMED


def _via(notice: OwedNotice) -> str:
    by = notice.data.get("by")
    return str(by.get("via")) if isinstance(by, dict) else "unknown"


_ASKED: Final = """
SELECT m.order_id, min(m.sent_at) AS asked_at
FROM unnest($1::uuid[], $2::integer[]) AS c(order_id, revision)
JOIN messages m ON m.order_id = c.order_id AND m.sent_at IS NOT NULL
JOIN notices n ON n.id = m.notice_id AND n.revision = c.revision
    AND n.kind IN ('order_new', 'order_changed', 'confirm_nudge')
GROUP BY m.order_id
"""
