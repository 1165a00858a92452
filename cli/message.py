"""What was sent about an order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

from cli.finding import order_named
from cli.office import Office, run
from cli.printing import as_json_option, show, table
from core.channels import AddressKind
from core.database import Row
from core.partners.addresses import masked
from core.partners.models import PartnerRow

_MOMENT: Final = "%d/%m %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a message, or a message that waits for its first; `address` is masked."""

    at: datetime
    notice: str
    person: str
    channel: str
    address: str
    state: str
    outcome: str | None
    why: str | None
    cost: int | None
    receipt: str | None


@click.group()
def message() -> None:
    """What was sent about an order."""


@message.command("list")
@click.option("--order", "named", required=True, metavar="ORDER", help="The order's id, or PARTNER/CODE.")
@as_json_option
def list_messages(named: str, *, as_json: bool) -> None:
    """List every attempt to tell somebody of an order, oldest first; addresses are masked.

    Example: chotdon message list --order com-nha-lan/48273
    """

    async def work(office: Office) -> tuple[list[Try], ZoneInfo]:
        order = await order_named(named)
        rows = await office.database.pool.fetch(_TRIES, order.id)
        partner = await PartnerRow.get(id=order.partner_id).only("timezone")
        return [_try(row) for row in rows], ZoneInfo(partner.timezone)

    tries, zone = run(work)
    show({"items": [_document(each, zone) for each in tries]}, lambda: _table(tries, zone), as_json=as_json)


def _try(row: Row) -> Try:
    address = masked(AddressKind(row["address_kind"]), row["address"])
    why = row["why"]
    return Try(
        at=row["at"],
        notice=row["kind"],
        person=row["name"],
        channel=row["channel"],
        address=address,
        state=row["state"],
        outcome=row["outcome"],
        # a gateway may have quoted the address it refused
        why=why.replace(row["address"], address) if why else None,
        cost=row["cost"],
        receipt=row["receipt"],
    )


def _document(each: Try, zone: ZoneInfo) -> dict[str, object]:
    return {
        "at": each.at.astimezone(zone).isoformat(),
        "notice": each.notice,
        "person": each.person,
        "channel": each.channel,
        "address": each.address,
        "state": each.state,
        "outcome": each.outcome,
        "why": each.why,
        "cost": each.cost,
        "receipt": each.receipt,
    }


def _table(tries: Iterable[Try], zone: ZoneInfo) -> str:
    rows = [
        (
            f"{each.at.astimezone(zone):{_MOMENT}}",
            each.notice,
            each.person,
            each.channel,
            each.address,
            each.outcome or each.state,
            each.cost,
            each.receipt,
            each.why,
        )
        for each in tries
    ]
    headers = ("WHEN", "NOTICE", "PERSON", "CHANNEL", "ADDRESS", "OUTCOME", "COST", "RECEIPT", "WHY")
    return table(headers, rows)


_TRIES: Final = """
SELECT coalesce(a.started_at, m.created_at) AS at, n.kind,
       coalesce(s.name, split_part(m.person, ':', 1)) AS name, m.channel, m.address_kind, m.address,
       m.state, a.outcome, coalesce(a.why, m.why) AS why, a.cost, m.receipt
  FROM messages m JOIN notices n ON n.id = m.notice_id
       LEFT JOIN staff s ON s.id = m.staff_id LEFT JOIN attempts a ON a.message_id = m.id
 WHERE m.order_id = $1
 ORDER BY m.created_at, n.id, m.person, m.rung, m.id, a.id
"""
