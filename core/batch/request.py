"""A command on its way into the ledger."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from core.actors import Actor, Via
from core.audit import Signed
from core.channels import Address
from core.orders.answers import Answer
from core.orders.commands import Command


@dataclass(frozen=True, slots=True)
class StaffRef:
    """A staff member, looked up inside the transaction: still there, and the owner of `address`."""

    staff_id: UUID
    via: Via
    address: Address | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A command on its way, with who gives it and where the answer goes.

    `hold` is how long (real time) whoever took it in may carry the answer in a reply of its own; `edits` is
    what the gateway calls the message whose place the answer takes. An operator's is `signed` for the record.
    """

    command: Command
    actor: Actor | StaffRef
    key: str | None
    fingerprint: bytes | None
    reply_to: Address | None
    hold: timedelta | None
    edits: str | None
    answered: "asyncio.Future[Answer]" = field(repr=False)
    signed: Signed | None = None
