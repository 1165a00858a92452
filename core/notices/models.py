"""What is owed and what became of it, as rows, for reading. Only the ledger and the outbox write them."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class NoticeRow(Model):
    """Something owed to somebody, once per order, kind and occasion."""

    id = fields.UUIDField(primary_key=True)
    order_id = fields.UUIDField(null=True)
    kind = fields.TextField()
    occasion = fields.TextField()
    revision = fields.IntField()
    data: Any = fields.JSONField()
    owed_at = fields.DatetimeField()
    state = fields.TextField()
    why = fields.TextField(null=True)

    class Meta:
        table = "notices"


class MessageRow(Model):
    """One notice on one channel to one address."""

    id = fields.UUIDField(primary_key=True)
    notice: Any = fields.ForeignKeyField("core.NoticeRow", related_name="messages")
    notice_id: UUID
    order_id = fields.UUIDField(null=True)
    leg = fields.TextField()
    person = fields.TextField()
    staff_id = fields.UUIDField(null=True)
    channel = fields.TextField()
    address_kind = fields.TextField()
    address = fields.TextField()
    rung = fields.IntField()
    state = fields.TextField()
    tries = fields.IntField()
    next_at = fields.DatetimeField(null=True)
    gateway_id = fields.TextField(null=True)
    receipt = fields.TextField(null=True)
    why = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    edits = fields.TextField(null=True)

    class Meta:
        table = "messages"


class AttemptRow(Model):
    """One call to a gateway; `cost` in đồng, for `parts` of `what`."""

    id = fields.BigIntField(primary_key=True)
    message: Any = fields.ForeignKeyField("core.MessageRow", related_name="attempts")
    message_id: UUID
    started_at = fields.DatetimeField()
    outcome = fields.TextField()
    why = fields.TextField(null=True)
    cost = fields.IntField(null=True)
    what = fields.TextField(null=True)
    parts = fields.IntField(null=True)
    at = fields.DatetimeField(null=True)

    class Meta:
        table = "attempts"


class WebhookRow(Model):
    """One event owed to one platform; `of_partner`: the event of a kitchen, whose id is `order_id`."""

    id = fields.UUIDField(primary_key=True)
    event: Any = fields.ForeignKeyField("core.EventRow", related_name="webhooks")
    event_id: UUID
    order_id = fields.UUIDField()
    version = fields.IntField()
    platform: Any = fields.ForeignKeyField("core.PlatformRow", related_name="webhooks")
    platform_id: UUID
    state = fields.TextField()
    tries = fields.IntField()
    next_at = fields.DatetimeField()
    last_status = fields.IntField(null=True)
    why = fields.TextField(null=True)
    delivered_at = fields.DatetimeField(null=True)
    of_partner = fields.BooleanField(default=False)

    class Meta:
        table = "webhooks"
