"""Partners, their staff, and the addresses at which staff are reached, as rows."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class PartnerRow(Model):
    """A kitchen. `quiet_from`, `quiet_to` and `sheet_at` are times of its day."""

    id = fields.UUIDField(primary_key=True)
    code = fields.TextField()
    name = fields.TextField()
    locale = fields.TextField(default="vi")
    timezone = fields.TextField(default="Asia/Ho_Chi_Minh")
    quiet_from: Any = fields.TimeField(null=True)
    quiet_to: Any = fields.TimeField(null=True)
    sheet_at: Any = fields.TimeField(null=True)
    paused_until = fields.DatetimeField(null=True)
    next_sheet_at = fields.DatetimeField(null=True)
    codes_drawn = fields.IntField(default=0)
    created_at = fields.DatetimeField()

    class Meta:
        table = "partners"


class StaffRow(Model):
    """Somebody who works there; `position` is the order in which they were added (made by the database)."""

    id = fields.UUIDField(primary_key=True)
    partner: Any = fields.ForeignKeyField("core.PartnerRow", related_name="staff")
    partner_id: UUID
    name = fields.TextField()
    role = fields.TextField()
    notify = fields.BooleanField(default=False)
    locale = fields.TextField(null=True)
    added_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "staff"


class AddressRow(Model):
    """One way to reach a staff member; `heard_at`: when it last wrote to us, `ended_at`: dead since then."""

    id = fields.UUIDField(primary_key=True)
    staff: Any = fields.ForeignKeyField("core.StaffRow", related_name="addresses")
    staff_id: UUID
    kind = fields.TextField()
    value = fields.TextField()
    heard_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    added_at = fields.DatetimeField()

    class Meta:
        table = "addresses"


class LinkCodeRow(Model):
    """A one-time code by which a staff member proves that a chat address is theirs."""

    id = fields.UUIDField(primary_key=True)
    staff: Any = fields.ForeignKeyField("core.StaffRow", related_name="link_codes")
    staff_id: UUID
    channel = fields.TextField()
    code_hash = fields.BinaryField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)
    invite_id = fields.UUIDField(null=True)

    class Meta:
        table = "link_codes"


class PlatformRow(Model):
    """A system that takes orders from customers and places them here."""

    id = fields.UUIDField(primary_key=True)
    name = fields.TextField()
    api_key_hash = fields.BinaryField()
    api_key_hash_before = fields.BinaryField(null=True)
    api_key_before_until = fields.DatetimeField(null=True)
    webhook_url = fields.TextField(null=True)
    webhook_secret = fields.TextField()
    notify_customer = fields.BooleanField(default=True)
    scope = fields.TextField(default="all")
    ask_review = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()

    class Meta:
        table = "platforms"
