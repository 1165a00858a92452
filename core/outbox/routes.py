"""From notices to messages: the first message for each person and way."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.channels import Address, AddressKind, ChannelName
from core.clock import real_now
from core.database import Connection, Database, Row
from core.notices.kinds import OUTDATING, RULES, Audience, NoticeKind, Way, is_obsolete
from core.notices.routing import Kitchen, Leg, edits_of, legs_for_staff
from core.orders.order import Order
from core.orders.rows import order_of
from core.outbox import tap_times
from core.outbox.failures import tell_undeliverable
from core.outbox.gathering import gather, new_alarm
from core.outbox.kitchens import kitchens_alone, kitchens_of
from core.outbox.messages import OwedNotice, insert_messages, message_row
from core.outbox.ways import Due, Ways


async def route(
    database: Database,
    ways: Ways,
    *,
    notice_ids: Sequence[UUID] | None = None,
    most: int = 100,
    held: bool = False,
) -> list[Due]:
    """Turn these owed notices into messages, or up to `most` of all; return those that can be tried now.

    Drops notices whose order has moved on. Those on hold are left alone unless the caller is whom they
    are `held` for. Notices that another worker is routing are passed over.
    Returns nothing only when nothing (else) is owed: whoever wants all calls until then.
    """
    while True:
        claimed, due = await _route_some(
            database, ways, notice_ids, len(notice_ids) if notice_ids is not None else most, held=held
        )
        if due or not claimed:
            return due


async def _route_some(
    database: Database, ways: Ways, notice_ids: Sequence[UUID] | None, most: int, *, held: bool
) -> tuple[int, list[Due]]:
    """Do so in one transaction; return how many notices it took, and the messages they became."""
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        rows = await connection.fetch(_CLAIM_NOTICES, notice_ids, most, held, real_now())
        if not rows:
            return 0, []
        orders = await _orders(connection, [row["order_id"] for row in rows if row["order_id"]])
        notices = [_notice(row, orders) for row in rows]
        outdated = [notice.order.id for notice in notices if notice.order and notice.kind in OUTDATING]
        kitchens = await kitchens_of(connection, list(orders.values()), now=now, outdated=outdated)
        kitchens |= await kitchens_alone(connection, _named_partners(rows), now=now)
        messages: list[dict[str, Any]] = []
        ends: list[tuple[UUID, str, str | None]] = []
        for notice in notices:
            legs, why = _legs(notice, kitchens, ways, now)
            quiet = _kitchen(notice, kitchens).quiet
            messages += [message_row(notice, leg, now, quiet=quiet) for leg in legs]
            ends.append((notice.id, "routed" if legs else "dropped", why))
            if not legs and why == _NO_WAY:
                await tell_undeliverable(connection, notice.id, notice.kind, notice.order, now)
        await tap_times.observe(connection, notices)
        await insert_messages(connection, messages)
        waiting = await _gather(connection, messages, notices, ways, now)
        await connection.execute(_END_NOTICES, *map(list, zip(*ends, strict=True)))
    at_once = [row for row in messages if row["next_at"] == now.isoformat() and row["id"] not in waiting]
    return len(rows), [Due(UUID(row["id"]), ChannelName(row["channel"]), 0) for row in at_once]


async def _gather(
    connection: Connection,
    messages: Sequence[Mapping[str, Any]],
    notices: Sequence[OwedNotice],
    ways: Ways,
    now: datetime,
) -> frozenset[str]:
    """Let what operators are owed wait for more of it; return the messages that do."""
    if not ways.gather:
        return frozenset()
    owed = {str(notice.id): notice for notice in notices}
    rows = [(row, owed[row["notice_id"]]) for row in messages]
    alarms = [alarm for row, notice in rows if (alarm := new_alarm(row, notice.kind, notice.data))]
    if alarms:
        await gather(connection, alarms, wait=ways.gather, now=now)
    return frozenset(str(alarm.id) for alarm in alarms)


_NO_WAY: Final = "no way to reach anybody"


def _named_partners(rows: Sequence[Row]) -> list[UUID]:
    """Return the kitchens that notices about no order concern."""
    return sorted({UUID(row["data"]["partner_id"]) for row in rows if row["data"].get("partner_id")})


def _kitchen(notice: OwedNotice, kitchens: Mapping[UUID, Kitchen]) -> Kitchen:
    partner_id = notice.data.get("partner_id")
    named = notice.order.id if notice.order else UUID(partner_id) if partner_id else None
    return kitchens.get(named, _NOBODY) if named else _NOBODY


_NOBODY: Final = Kitchen((), {})


def _notice(row: Row, orders: Mapping[UUID, Order]) -> OwedNotice:
    order_id = row["order_id"]
    return OwedNotice(
        row["id"],
        NoticeKind(row["kind"]),
        row["revision"],
        row["data"],
        orders[order_id] if order_id else None,
    )


async def _orders(connection: Connection, order_ids: Sequence[UUID]) -> dict[UUID, Order]:
    if not order_ids:
        return {}
    rows = await connection.fetch("SELECT * FROM orders WHERE id = ANY($1::uuid[])", order_ids)
    return {row["id"]: order_of(row) for row in rows}


def _legs(
    notice: OwedNotice, kitchens: Mapping[UUID, Kitchen], ways: Ways, now: datetime
) -> tuple[tuple[Leg, ...], str | None]:
    """Return the first messages of a notice, or why there are none."""
    order = notice.order
    if order and is_obsolete(
        notice.kind, order.status, revision=notice.revision, revision_now=order.revision
    ):
        return (), "moved on"
    audience = RULES[notice.kind].audience
    if audience is Audience.PERSON:
        legs = _answer_legs(notice)
    elif audience is Audience.OPERATORS:
        legs = _operator_legs(notice, ways, now)
    elif audience is Audience.CUSTOMER:
        legs = _customer_legs(notice, ways, now)
    else:
        kitchen = _kitchen(notice, kitchens)
        legs = legs_for_staff(
            notice.kind,
            notice.data,
            kitchen,
            chat_order=ways.chat_order,
            reaches=ways.at(now),
        )
        if notice.kind in OUTDATING:
            legs += edits_of(kitchen)
    return legs, None if legs or _is_courtesy(notice) else _NO_WAY


def _is_courtesy(notice: OwedNotice) -> bool:
    """Whether it is nobody's trouble when there is nobody to tell: who has no mail gets no thanks by mail."""
    rule = RULES[notice.kind]
    return (
        rule.courtesy
        or rule.audience in {Audience.TOLD, Audience.OPERATORS}
        or rule.ways == (Way.EMAIL,)
        or notice.data.get("reach") == "next_staff"
        or bool(notice.data.get("but"))  # who did it is often the only one
    )


_CHANNEL_OF: Final = {
    AddressKind.ZALO_USER: ChannelName.ZALO,
    AddressKind.TELEGRAM_CHAT: ChannelName.TELEGRAM,
    AddressKind.PHONE: ChannelName.SMS,
    AddressKind.EMAIL: ChannelName.EMAIL,
}


def _answer_legs(notice: OwedNotice) -> tuple[Leg, ...]:
    to, staff_id = notice.data["to"], notice.data.get("staff_id")
    address = Address(AddressKind(to["kind"]), to["value"])
    staff = UUID(staff_id) if staff_id else None
    person = f"staff:{staff_id}" if staff_id else f"stranger:{address.value}"
    return (Leg(Way.CHAT, person, staff, _CHANNEL_OF[address.kind], address, edits=notice.data.get("edits")),)


def _operator_legs(notice: OwedNotice, ways: Ways, now: datetime) -> tuple[Leg, ...]:
    emails = [(Way.EMAIL, Address(AddressKind.EMAIL, email)) for email in ways.operator_emails]
    chats = [(Way.CHAT, Address(AddressKind.TELEGRAM_CHAT, chat)) for chat in ways.operator_chats]
    return tuple(
        Leg(way, f"operator:{address.value}", None, _CHANNEL_OF[address.kind], address)
        for way, address in (*emails, *chats)
        if ways.reaches(_CHANNEL_OF[address.kind], address, notice.kind, now)
    )


def _customer_legs(notice: OwedNotice, ways: Ways, now: datetime) -> tuple[Leg, ...]:
    customer = notice.order.customer if notice.order else None
    if customer is None:
        return ()
    wanted = (
        (Way.EMAIL, ChannelName.EMAIL, AddressKind.EMAIL, customer.email),
        (Way.SMS, ChannelName.SMS, AddressKind.PHONE, customer.phone),
    )
    return tuple(
        Leg(way, "customer", None, channel, Address(kind, value))
        for way, channel, kind, value in wanted
        if value and ways.reaches(channel, Address(kind, value), notice.kind, now)
    )


_CLAIM_NOTICES: Final = """
SELECT id, order_id, kind, revision, data FROM notices
WHERE state = 'owed' AND ($1::uuid[] IS NULL OR id = ANY($1))
    AND ($3 OR held_until IS NULL OR held_until < $4)
ORDER BY owed_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""


_END_NOTICES: Final = """
UPDATE notices n SET state = e.state, why = e.why
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS e(id, state, why) WHERE n.id = e.id
"""
