"""An order from its row, for the few statements that are SQL."""

from core.database import Row
from core.orders import snapshot
from core.orders.order import Order, OrderId
from core.orders.status import Status


def order_of(row: Row) -> Order:
    """Return an order from its row."""
    return Order(
        id=OrderId(row["id"]),
        platform_id=row["platform_id"],
        external_id=row["external_id"],
        partner_id=row["partner_id"],
        code=row["code"],
        status=Status(row["status"]),
        version=row["version"],
        revision=row["revision"],
        deliver_at=row["deliver_at"],
        ordered_at=row["ordered_at"],
        placed_at=row["placed_at"],
        asked_at=row["asked_at"],
        updated_at=row["updated_at"],
        address=row["address"],
        note=row["note"],
        items=tuple(snapshot.load_item(item) for item in row["items"]),
        fees=row["fees"],
        discount=row["discount"],
        total=row["total"],
        customer=snapshot.load_customer(row["customer"]),
        status_changed_at=row["status_changed_at"],
        status_changed_by=snapshot.load_by(row["status_changed_by"]),
        reason=snapshot.load_reason(row["reason"]) if row["reason"] else None,
        review=snapshot.load_review(row["review"]) if row["review"] else None,
        final_at=row["final_at"],
        currency=row["currency"],
    )
