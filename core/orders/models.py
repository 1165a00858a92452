"""Orders, their events and timers as rows, for reading. Only the ledger writes them."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from core.orders.order import Order
from core.orders.rows import order_of


class OrderRow(Model):
    """An order."""

    id = fields.UUIDField(primary_key=True)
    platform: Any = fields.ForeignKeyField("core.PlatformRow", related_name="orders")
    platform_id: UUID
    external_id = fields.TextField()
    partner: Any = fields.ForeignKeyField("core.PartnerRow", related_name="orders")
    partner_id: UUID
    code = fields.TextField()
    status = fields.TextField()
    version = fields.IntField()
    revision = fields.IntField()
    deliver_at = fields.DatetimeField()
    ordered_at = fields.DatetimeField()
    placed_at = fields.DatetimeField()
    asked_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    address = fields.TextField()
    note = fields.TextField()
    items: Any = fields.JSONField()
    fees = fields.BigIntField()
    discount = fields.BigIntField()
    total = fields.BigIntField()
    currency = fields.TextField()
    customer: Any = fields.JSONField()
    status_changed_at = fields.DatetimeField()
    status_changed_by: Any = fields.JSONField()
    reason: Any = fields.JSONField(null=True)
    review: Any = fields.JSONField(null=True)
    final_at = fields.DatetimeField(null=True)
    fingerprint = fields.BinaryField()

    class Meta:
        table = "orders"

    def to_order(self) -> Order:
        """Return the row as the rules see it."""
        return order_of({name: getattr(self, name) for name in self._meta.db_fields})


class EventRow(Model):
    """One thing that happened to an order; `snapshot` is the whole order as of it."""

    id = fields.UUIDField(primary_key=True)
    order: Any = fields.ForeignKeyField("core.OrderRow", related_name="events")
    order_id: UUID
    version = fields.IntField()
    type = fields.TextField()
    at = fields.DatetimeField()
    by: Any = fields.JSONField()
    data: Any = fields.JSONField()
    snapshot: Any = fields.JSONField()

    class Meta:
        table = "events"


class TimerRow(Model):
    """Something due later for an order."""

    id = fields.UUIDField(primary_key=True)
    order: Any = fields.ForeignKeyField("core.OrderRow", related_name="timers")
    order_id: UUID
    kind = fields.TextField()
    step = fields.TextField()
    due_at = fields.DatetimeField()
    state = fields.TextField()

    class Meta:
        table = "timers"
