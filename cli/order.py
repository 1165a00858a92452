"""Orders, by an operator's hand."""

import getpass
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import click

from bot.api.shapes import document_of, order_document
from cli.arguments import WHEN
from cli.finding import Listed, Wanted, listed_orders, order_named
from cli.office import Office, run
from cli.printing import as_json_option, facts, money, show, table
from core.actors import operator
from core.audit import Signed
from core.errors import NotFound, RuleError
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.events import Event, Json
from core.orders.models import OrderRow
from core.orders.order import By, OrderId, Reason
from core.orders.queries import Told, as_of
from core.orders.status import Status
from core.partners.words import name_of

_MOST: Final = 200
_LONGEST_REASON: Final = 500
_MOMENT: Final = "%H:%M %d/%m/%Y"


@click.group()
def order() -> None:
    """Orders. ORDER is an order's id, or PARTNER/CODE."""


@order.command("list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in Status]),
    help="Several may be given.",
)
@click.option("--partner", metavar="CODE", help="Orders of this partner.")
@click.option("--from", "from_", type=WHEN, help="Delivered from then on: RFC 3339 or a day.")
@click.option("--to", type=WHEN, help="Delivered until then; a day is meant whole.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@as_json_option
def list_orders(
    *,
    statuses: tuple[str, ...],
    partner: str | None,
    from_: date | datetime | None,
    to: date | datetime | None,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List orders, newest delivery first.

    Example: chotdon order list --partner com-nha-lan --status pending --from 2026-11-23
    """

    async def work(office: Office) -> Listed:
        return await listed_orders(
            office.database,
            Wanted(frozenset(map(Status, statuses)), partner, from_, to),
            default_zone=office.settings.timezone,
            cursor=cursor,
            limit=limit,
        )

    listed = run(work)
    documents = [
        _without_events(order_document(each.order, (), zone=each.zone, partner_code=each.partner_code))
        for each in listed.orders
    ]
    document = {"items": documents, "next_cursor": listed.next_cursor}
    show(document, lambda: _lines(listed), as_json=as_json)


@order.command("show")
@click.argument("named", metavar="ORDER")
@as_json_option
def show_order(named: str, *, as_json: bool) -> None:
    """Show an order with everything that happened to it.

    Example: chotdon order show com-nha-lan/48273
    """

    async def work(office: Office) -> Told:
        return await _told(await order_named(named))

    told = run(work)
    show(document_of(told), lambda: _whole(told), as_json=as_json)


_by_option: Final = click.option("--by", metavar="NAME", help="Who acts; your user name by default.")
_reason_option: Final = click.option("--reason", help="Why, in words; for cancel a number from 1 to 6 too.")


@order.command("confirm")
@click.argument("named", metavar="ORDER")
@_reason_option
@_by_option
@as_json_option
def confirm_order(named: str, *, reason: str | None, by: str | None, as_json: bool) -> None:
    """Confirm an order for its partner.

    Example: chotdon order confirm com-nha-lan/48273 --reason "Lan called" --by Minh
    """
    why = _reason(reason)
    _act(named, lambda order_id: ConfirmOrder(order_id, reason=why), Status.CONFIRMED, by, as_json=as_json)


@order.command("cancel")
@click.argument("named", metavar="ORDER")
@_reason_option
@_by_option
@as_json_option
def cancel_order(named: str, *, reason: str | None, by: str | None, as_json: bool) -> None:
    """Cancel an order, also a confirmed one; the customer and all platforms are told.

    Example: chotdon order cancel com-nha-lan/48273 --reason "Bếp mất điện"
    """
    why = _reason(reason)
    if why is None:
        raise click.UsageError("Cancelling asks for --reason: words, or a number from 1 to 6.")
    _act(named, lambda order_id: CancelOrder(order_id, why), Status.CANCELLED, by, as_json=as_json)


@order.command("complete")
@click.argument("named", metavar="ORDER")
@_reason_option
@_by_option
@as_json_option
def complete_order(named: str, *, reason: str | None, by: str | None, as_json: bool) -> None:
    """Say that an order was delivered, for its partner.

    Example: chotdon order complete com-nha-lan/48273 --reason "Customer confirmed by phone"
    """
    why = _reason(reason)
    _act(named, lambda order_id: CompleteOrder(order_id, reason=why), Status.COMPLETED, by, as_json=as_json)


def _act(
    named: str, command: Callable[[OrderId], Command], wanted: Status, by: str | None, *, as_json: bool
) -> None:
    """Give a command as an operator; exit with 1 unless the order is then as wanted."""
    name = name_of_operator(by)

    async def work(office: Office) -> tuple[Answer, Told]:
        row = await order_named(named)
        async with office.ledger() as ledger:
            answer = await ledger.submit(
                command(OrderId(row.id)),
                actor=operator(name),
                key=f"operator:{uuid4()}",
                signed=Signed(name, "cli"),
            )
        return answer, await _told(row)

    answer, told = run(work)
    document = {"outcome": answer.kind.value, "order": document_of(told)}
    show(document, lambda: _ended(answer, told), as_json=as_json)
    if answer.status is not wanted:
        raise click.exceptions.Exit(1)


def name_of_operator(by: str | None) -> str:
    """Return the name an operator acts under, on record for ever."""
    try:
        return name_of(getpass.getuser() if by is None else by)
    except (KeyError, OSError):  # a process without a user name
        raise click.UsageError("Say who you are with --by.") from None
    except RuleError:
        raise click.UsageError("--by takes a name of 1 to 120 printable characters.") from None


def _reason(text: str | None) -> Reason | None:
    """Return a reason of the short list for its number, else the operator's words."""
    if text is None:
        return None
    words = " ".join(text.split())
    if words.isascii() and words.isdigit() and len(words) == 1:
        try:
            return reason_of(int(words))
        except RuleError:
            raise click.UsageError("Reasons are 1 to 6, or words.") from None
    if not 0 < len(words) <= _LONGEST_REASON or not words.isprintable():
        raise click.UsageError(f"--reason takes 1 to {_LONGEST_REASON} printable characters.")
    return Reason(None, words)


async def _told(row: OrderRow) -> Told:
    told = await as_of(row.id)
    if told is None:
        raise NotFound("no_such_order", order=str(row.id))
    return told


def _without_events(document: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in document.items() if name != "events"}


def _lines(listed: Listed) -> str:
    rows = [
        (
            f"{each.partner_code}/{each.order.code}",
            each.order.status.value,
            f"{each.order.deliver_at.astimezone(each.zone):{_MOMENT}}",
            money(each.order.total),
            each.order.external_id,
            each.order.id,
        )
        for each in listed.orders
    ]
    page = table(("ORDER", "STATUS", "DELIVERY", "TOTAL", "EXTERNAL ID", "ID"), rows)
    return page + (f"\nMore: --cursor {listed.next_cursor}" if listed.next_cursor else "")


def _whole(told: Told) -> str:
    order, zone = told.order, told.zone
    about = {
        "order": f"{told.partner_code}/{order.code}",
        "id": order.id,
        "external id": order.external_id,
        "status": f"{order.status.value}, {_by(order.status_changed_by, order.status_changed_at, zone)}",
        "reason": order.reason.text if order.reason else None,
        "delivery": f"{order.deliver_at.astimezone(zone):{_MOMENT}}",
        "total": money(order.total),
        "address": order.address,
        "customer": ", ".join(
            filter(None, (order.customer.name, order.customer.phone, order.customer.email))
        ),
        "note": order.note or None,
        "review": f"{order.review.rating}/5 {order.review.comment}" if order.review else None,
    }
    dishes = table(
        ("DISH", "QUANTITY", "PRICE", "NOTE"),
        [(item.name, item.quantity, money(item.unit_price), item.note or None) for item in order.items],
    )
    return "\n\n".join((facts(about), dishes, _history(told)))


def _history(told: Told) -> str:
    rows = [
        (
            f"{event.at.astimezone(told.zone):{_MOMENT}}",
            event.type.value.removeprefix("order."),
            event.by.name,
            event.by.via.value,
            _why(event),
        )
        for event in told.events
    ]
    return table(("WHEN", "WHAT", "WHO", "VIA", "WHY"), rows)


def _why(event: Event) -> str | None:
    reason = event.data.get("reason")
    return str(reason["text"]) if isinstance(reason, dict) else None


def _ended(answer: Answer, told: Told) -> str:
    """Return what became of a command, and who had settled it before."""
    named = f"{told.partner_code}/{told.order.code}"
    state = told.order.status.value
    by = _by(told.order.status_changed_by, told.order.status_changed_at, told.zone)
    match answer.kind:
        case AnswerKind.DONE:
            return f"{named} is {state} now."
        case AnswerKind.TOO_EARLY if answer.not_before:
            return f"{named} can be completed from {answer.not_before.astimezone(told.zone):{_MOMENT}} on."
        case _:
            return f"{named} is {state} already, {by}."


def _by(by: By, at: datetime, zone: ZoneInfo) -> str:
    return f"by {by.name} at {at.astimezone(zone):{_MOMENT}} ({by.via.value})"
