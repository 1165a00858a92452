"""What was sent about an order."""

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

import click

from cli.finding import order_named
from cli.office import Office, run
from cli.printing import as_json_option, show, table
from core.outbox.history import Try, tries_of
from core.partners.models import PartnerRow

_MOMENT: Final = "%d/%m %H:%M:%S"


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
        tries = await tries_of(office.database.pool, order.id)
        partner = await PartnerRow.get(id=order.partner_id).only("timezone")
        return tries, ZoneInfo(partner.timezone)

    tries, zone = run(work)
    show({"items": [_document(each, zone) for each in tries]}, lambda: _table(tries, zone), as_json=as_json)


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
        "what": each.what,
        "parts": each.parts,
        "cost": each.cost,
        "receipt": each.receipt,
        "carried": each.carried,
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
            each.parts,
            each.cost,
            each.receipt,
            each.why,
        )
        for each in tries
    ]
    headers = ("WHEN", "NOTICE", "PERSON", "CHANNEL", "ADDRESS", "OUTCOME", "PARTS", "COST", "RECEIPT", "WHY")
    return table(headers, rows)
