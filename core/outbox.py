"""Told at least once: notices become messages, messages are claimed, tried and settled.

A claim is a lease in real time, longer than any gateway's timeout. A message whose claim was lost
twice (a worker died each time, perhaps after sending) is not tried again on that channel.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core import alarms, ids
from core.actors import Role
from core.batch import order_of
from core.channels import (
    Address,
    AddressKind,
    ChannelName,
    NoSuchRecipient,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from core.database import Connection, Database, Row
from core.notices.kinds import RULES, Audience, NoticeKind, Way, is_obsolete
from core.notices.outgoing import Outgoing, PartnerFacts, StaffFacts
from core.notices.routing import Kitchen, Leg, Person, Reaches, legs_for_staff, next_leg
from core.orders import snapshot
from core.orders.order import Order

#: Longer than the 5 s that any call to a gateway may take, with room for our own writes.
LEASE: Final = timedelta(seconds=20)
_LOST_AT_MOST: Final = 2
#: After an unclear outcome: how long a receipt may take before the next channel takes over.
RECEIPT_WITHIN: Final = timedelta(minutes=1)
#: Tries of one channel while another one could take over: all within the minute.
_SOON: Final = (timedelta(seconds=10), timedelta(seconds=30))
#: Where no other way is left: patience with a gateway that is down, a day in all.
_PATIENT: Final = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    *[timedelta(hours=1)] * 23,
)


@dataclass(frozen=True, slots=True)
class Ways:
    """How messages can leave here: the order of chats, what reaches whom, where operators are."""

    chat_order: Sequence[ChannelName]
    reaches: Callable[[ChannelName, Address, str, datetime], bool]
    operator_emails: Sequence[str]

    def at(self, now: datetime) -> Reaches:
        """Return `reaches` as of one moment."""
        return lambda channel, address, kind: self.reaches(channel, address, kind, now)


@dataclass(frozen=True, slots=True)
class Due:
    """A message that can be tried now; `tries` names the try, so that one try is queued once."""

    id: UUID
    channel: ChannelName
    tries: int


@dataclass(frozen=True, slots=True)
class _Notice:
    id: UUID
    kind: NoticeKind
    revision: int
    data: Mapping[str, Any]
    order: Order | None


# --- from notices to messages -----------------------------------------------------------------


async def route(
    database: Database, ways: Ways, *, notice_ids: Sequence[UUID] | None = None, most: int = 100
) -> list[Due]:
    """Turn owed notices into messages; return those that can be tried now.

    Drops notices whose order has moved on. Notices that another worker is routing are passed over.
    """
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        rows = await connection.fetch(_CLAIM_NOTICES, notice_ids, most)
        if not rows:
            return []
        orders = await _orders(connection, [row["order_id"] for row in rows if row["order_id"]])
        notices = [_notice(row, orders) for row in rows]
        kitchens = await _kitchens(connection, notices)
        messages: list[dict[str, Any]] = []
        ends: list[tuple[UUID, str, str | None]] = []
        for notice in notices:
            legs, why = _legs(notice, kitchens, ways, now)
            messages += [_message_row(notice, leg, now) for leg in legs]
            ends.append((notice.id, "routed" if legs else "dropped", why))
            if not legs and why == _NO_WAY:
                await _undeliverable(connection, notice.id, notice.kind, notice.order, now)
        await connection.execute(_INSERT_MESSAGES, messages)
        await connection.execute(_END_NOTICES, *map(list, zip(*ends, strict=True)))
    return [Due(UUID(row["id"]), ChannelName(row["channel"]), 0) for row in messages]


_NO_WAY: Final = "no way to reach anybody"


def _notice(row: Row, orders: Mapping[UUID, Order]) -> _Notice:
    order_id = row["order_id"]
    return _Notice(
        row["id"], NoticeKind(row["kind"]), row["revision"], row["data"], orders[order_id] if order_id else None
    )


async def _orders(connection: Connection, order_ids: Sequence[UUID]) -> dict[UUID, Order]:
    if not order_ids:
        return {}
    rows = await connection.fetch("SELECT * FROM orders WHERE id = ANY($1::uuid[])", order_ids)
    return {row["id"]: order_of(row) for row in rows}


def _legs(
    notice: _Notice, kitchens: Mapping[UUID, Kitchen], ways: Ways, now: datetime
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
        legs = legs_for_staff(
            notice.kind,
            notice.data,
            kitchens[order.id] if order else Kitchen((), {}),
            chat_order=ways.chat_order,
            reaches=ways.at(now),
        )
    quiet = audience in {Audience.TOLD, Audience.OPERATORS} or notice.data.get("reach") == "next_staff"
    return legs, None if legs or quiet else _NO_WAY


_CHANNEL_OF: Final = {
    AddressKind.ZALO_USER: ChannelName.ZALO,
    AddressKind.TELEGRAM_CHAT: ChannelName.TELEGRAM,
    AddressKind.PHONE: ChannelName.SMS,
    AddressKind.EMAIL: ChannelName.EMAIL,
}


def _answer_legs(notice: _Notice) -> tuple[Leg, ...]:
    to, staff_id = notice.data["to"], notice.data.get("staff_id")
    address = Address(AddressKind(to["kind"]), to["value"])
    staff = UUID(staff_id) if staff_id else None
    person = f"staff:{staff_id}" if staff_id else f"stranger:{address.value}"
    return (Leg(Way.CHAT, person, staff, _CHANNEL_OF[address.kind], address),)


def _operator_legs(notice: _Notice, ways: Ways, now: datetime) -> tuple[Leg, ...]:
    addresses = [Address(AddressKind.EMAIL, email) for email in ways.operator_emails]
    return tuple(
        Leg(Way.EMAIL, f"operator:{address.value}", None, ChannelName.EMAIL, address)
        for address in addresses
        if ways.reaches(ChannelName.EMAIL, address, notice.kind, now)
    )


def _customer_legs(notice: _Notice, ways: Ways, now: datetime) -> tuple[Leg, ...]:
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


async def _kitchens(connection: Connection, notices: Sequence[_Notice]) -> dict[UUID, Kitchen]:
    """Return, by order id, the people of its partner and who was told of it so far."""
    orders = {notice.order.id: notice.order for notice in notices if notice.order}
    if not orders:
        return {}
    people = await _people(connection, [order.partner_id for order in orders.values()])
    rows = await connection.fetch(_TOLD, list(orders))
    told: dict[UUID, dict[UUID, list[ChannelName]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        told[row["order_id"]][row["staff_id"]].append(ChannelName(row["channel"]))
    return {
        order_id: Kitchen(people[order.partner_id], told[order_id]) for order_id, order in orders.items()
    }


async def _people(connection: Connection, partner_ids: Sequence[UUID]) -> Mapping[UUID, list[Person]]:
    rows = await connection.fetch(_PEOPLE, partner_ids)
    people: dict[UUID, list[Person]] = defaultdict(list)
    for row in rows:
        people[row["partner_id"]].append(_person(row))
    return people


def _person(row: Row) -> Person:
    addresses = tuple(
        Address(AddressKind(kind), value, datetime.fromisoformat(heard) if heard else None)
        for kind, value, heard in row["addresses"] or ()
    )
    return Person(row["id"], row["name"], Role(row["role"]), row["notify"], addresses)


def _message_row(notice: _Notice, leg: Leg, now: datetime, *, rung: int = 0) -> dict[str, Any]:
    return {
        "id": str(ids.new()),
        "notice_id": str(notice.id),
        "order_id": str(notice.order.id) if notice.order else None,
        "leg": leg.way.value,
        "person": leg.person,
        "staff_id": str(leg.staff_id) if leg.staff_id else None,
        "channel": leg.channel.value,
        "address_kind": leg.address.kind.value,
        "address": leg.address.value,
        "rung": rung,
        "next_at": now.isoformat(),
        "created_at": now.isoformat(),
    }


# --- claiming ---------------------------------------------------------------------------------


async def due(database: Database, *, most: int = 500) -> list[Due]:
    """Return messages that could be tried now, the longest waiting first; claims nothing."""
    rows = await database.pool.fetch(_DUE, database.clock.now(), real_now(), most)
    return [Due(row["id"], ChannelName(row["channel"]), row["tries"]) for row in rows]


async def claim(database: Database, message_id: UUID) -> Outgoing | None:
    """Take a message for LEASE, or return None when it is not to be tried (any more, or by us).

    A message of an order that has moved on is dropped here. One that `must_give_way` is not to be
    sent: the caller hands it to `give_way`.
    """
    now = database.clock.now()
    row = await database.pool.fetchrow(_CLAIM, message_id, now, real_now(), real_now() + LEASE)
    if row is None:
        return None
    outgoing = _outgoing(row)
    order = outgoing.order
    if order and is_obsolete(
        outgoing.kind, order.status, revision=outgoing.revision, revision_now=order.revision
    ):
        await drop(database, outgoing.id, "moved on")
        return None
    return outgoing


def _partner_facts(partner: Mapping[str, Any]) -> PartnerFacts:
    zone = ZoneInfo(partner["timezone"])
    return PartnerFacts(UUID(partner["id"]), partner["code"], partner["name"], partner["locale"], zone)


def _staff_facts(staff: Mapping[str, Any], partner: Mapping[str, Any]) -> StaffFacts:
    locale = staff["locale"] or partner["locale"]
    return StaffFacts(UUID(staff["id"]), staff["name"], Role(staff["role"]), locale)


def must_give_way(outgoing: Outgoing) -> bool:
    """Whether it may have reached its person already: no receipt came in time, or workers died over it."""
    return outgoing.was == "unclear" or outgoing.lost >= _LOST_AT_MOST


async def drop(database: Database, message_id: UUID, why: str) -> None:
    """Put on record that a message is not sent any more, and why."""
    await database.pool.execute(
        "UPDATE messages SET state = 'dropped', why = $2, leased_until = NULL, next_at = NULL WHERE id = $1",
        message_id,
        why,
    )


def _outgoing(row: Row) -> Outgoing:
    order = snapshot.load(row["the_order"]) if row["the_order"] else None
    partner, staff = row["partner"], row["staff"]
    return Outgoing(
        id=row["id"],
        notice_id=row["notice_id"],
        kind=NoticeKind(row["kind"]),
        occasion=row["occasion"],
        revision=row["revision"],
        data=row["data"],
        channel=ChannelName(row["channel"]),
        address=Address(AddressKind(row["address_kind"]), row["address"], row["heard_at"]),
        order=order,
        partner=_partner_facts(partner) if partner["id"] else None,
        platform_name=row["platform_name"] or "",
        staff=_staff_facts(staff, partner) if staff["id"] else None,
        tries=row["tries"],
        way=row["leg"],
        person=row["person"],
        was=row["was"],
        lost=row["lost"],
    )


# --- settling ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to a gateway: when (real time, UTC), how long, how it ended, what it cost in đồng."""

    started_at: datetime
    took: timedelta
    outcome: Outcome
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """What a message becomes; `gives_way` hands its person to the next channel."""

    state: str
    next_at: datetime | None = None
    why: str | None = None
    gateway_id: str | None = None
    gives_way: bool = False


async def settle(database: Database, ways: Ways, outgoing: Outgoing, attempt: Attempt) -> list[Due]:
    """Put an attempt on record with what follows from it; return messages that can be tried now."""
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await _record(connection, outgoing, attempt)
        outcome = attempt.outcome
        if isinstance(outcome, Refused) and outcome.alarm:
            name = f"{outgoing.channel.value}: {outcome.alarm}"
            await alarms.raise_(connection, name, outcome.why, now=now)
        following = None
        if _may_need_next(outgoing, outcome):
            following = await _next_leg(connection, outgoing, ways, now)
        end = _end(outgoing, outcome, now, has_next=following is not None)
        await _end_message(connection, outgoing.id, end, now)
        if not end.gives_way:
            return []
        return await _hand_over(connection, outgoing, following, now)


async def give_way(database: Database, ways: Ways, outgoing: Outgoing) -> list[Due]:
    """Let the next channel take over from a message that may or may not have arrived.

    Where there is no next channel it is tried once more, so that its person gets at most two copies.
    """
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        following = await _next_leg(connection, outgoing, ways, now)
        if following is None and outgoing.tries <= _LOST_AT_MOST and outgoing.lost < _LOST_AT_MOST:
            await _end_message(connection, outgoing.id, _End("waiting", now, "no receipt"), now)
            return [Due(outgoing.id, outgoing.channel, outgoing.tries)]
        await _end_message(connection, outgoing.id, _End("unclear", None, "no receipt"), now)
        if following is None:
            return []
        return await _hand_over(connection, outgoing, following, now)


def _may_need_next(outgoing: Outgoing, outcome: Outcome) -> bool:
    if isinstance(outcome, NoSuchRecipient | Refused):
        return True
    return isinstance(outcome, TryLater) and outgoing.tries > len(_SOON)


def _end(outgoing: Outgoing, outcome: Outcome, now: datetime, *, has_next: bool) -> _End:
    match outcome:
        case Sent() if outcome.receipt_within:
            return _End("unclear", now + outcome.receipt_within, gateway_id=outcome.id)
        case Sent():
            return _End("sent", gateway_id=outcome.id)
        case Unclear():
            return _End("unclear", now + RECEIPT_WITHIN, outcome.why)
        case TryLater():
            return _end_later(outgoing, outcome, now, has_next=has_next)
        case NoSuchRecipient() | Refused():
            return _End("failed", None, outcome.why, gives_way=True)


def _end_later(outgoing: Outgoing, outcome: TryLater, now: datetime, *, has_next: bool) -> _End:
    waits = _SOON if has_next else _PATIENT
    if outgoing.tries > len(waits):
        return _End("failed", None, outcome.why, gives_way=True)
    wait = max(waits[outgoing.tries - 1], outcome.after or timedelta())
    return _End("waiting", now + wait, outcome.why)


async def _record(connection: Connection, outgoing: Outgoing, attempt: Attempt) -> None:
    outcome = attempt.outcome
    await connection.execute(
        "INSERT INTO attempts (message_id, try, started_at, took, outcome, why, cost)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        outgoing.id,
        outgoing.tries,
        attempt.started_at,
        attempt.took,
        OUTCOME_NAMES[type(outcome)],
        None if isinstance(outcome, Sent) else outcome.why,
        attempt.cost,
    )


OUTCOME_NAMES: Final[Mapping[type[Outcome], str]] = {
    Sent: "sent",
    NoSuchRecipient: "no_such_recipient",
    TryLater: "try_later",
    Refused: "refused",
    Unclear: "unclear",
}


async def _end_message(connection: Connection, message_id: UUID, end: _End, now: datetime) -> None:
    """Write the state, unless a receipt has told meanwhile that it arrived."""
    await connection.execute(
        _END_MESSAGE,
        message_id,
        end.state,
        end.next_at,
        end.why,
        end.gateway_id,
        now if end.gateway_id or end.state == "sent" else None,
    )


async def _next_leg(connection: Connection, outgoing: Outgoing, ways: Ways, now: datetime) -> Leg | None:
    audience = RULES[outgoing.kind].audience
    if outgoing.way != Way.CHAT or audience not in {Audience.RECIPIENTS, Audience.LADDER}:
        return None
    if outgoing.partner is None or outgoing.staff is None:
        return None
    people = await _people(connection, [outgoing.partner.id])
    person = next((p for p in people[outgoing.partner.id] if p.id == outgoing.staff.id), None)
    if person is None:
        return None
    tried = await connection.fetch(_TRIED, outgoing.notice_id, outgoing.person)
    return next_leg(
        outgoing.kind,
        person,
        [(ChannelName(row["channel"]), row["address"]) for row in tried],
        chat_order=ways.chat_order,
        reaches=ways.at(now),
    )


async def _hand_over(
    connection: Connection, outgoing: Outgoing, following: Leg | None, now: datetime
) -> list[Due]:
    if following is None:
        await _notice_may_have_failed(connection, outgoing, now)
        return []
    notice = _Notice(outgoing.notice_id, outgoing.kind, outgoing.revision, outgoing.data, outgoing.order)
    rung = await connection.fetchval(_NEXT_RUNG, outgoing.notice_id, outgoing.way, outgoing.person)
    row = _message_row(notice, following, now, rung=rung)
    await connection.execute(_INSERT_MESSAGES, [row])
    return [Due(UUID(row["id"]), following.channel, 0)]


async def _notice_may_have_failed(connection: Connection, outgoing: Outgoing, now: datetime) -> None:
    """When nothing of a notice can reach anybody any more, say so to the operators."""
    alive = await connection.fetchval(
        "SELECT count(*) FROM messages WHERE notice_id = $1 AND state IN ('waiting', 'sent', 'unclear')",
        outgoing.notice_id,
    )
    if alive:
        return
    await connection.execute(
        "UPDATE notices SET state = 'failed', why = 'every way failed' WHERE id = $1", outgoing.notice_id
    )
    await _undeliverable(connection, outgoing.notice_id, outgoing.kind, outgoing.order, now)


async def _undeliverable(
    connection: Connection, notice_id: UUID, kind: NoticeKind, order: Order | None, now: datetime
) -> None:
    if RULES[kind].audience in {Audience.OPERATORS, Audience.PERSON, Audience.TOLD}:
        return
    await connection.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        ids.new(),
        order.id if order else None,
        NoticeKind.UNDELIVERABLE.value,
        str(notice_id),
        order.revision if order else 0,
        {"notice": kind.value},
        now,
    )


# --- receipts ---------------------------------------------------------------------------------

_RANK: Final = {ReceiptKind.FAILED: 1, ReceiptKind.DELIVERED: 2, ReceiptKind.SEEN: 3}


async def receipt(database: Database, channel: ChannelName, told: Receipt) -> int:
    """Take down how far messages came; only ever forward. Returns how many messages it concerned."""
    keys = [UUID(key) for key in told.keys if _is_uuid(key)]
    rows = await database.pool.fetch(
        _RECEIPT, channel.value, list(told.ids), keys, told.kind.value, _RANK[told.kind]
    )
    return len(rows)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


# --- SQL --------------------------------------------------------------------------------------

_CLAIM_NOTICES: Final = """
SELECT id, order_id, kind, revision, data FROM notices
WHERE state = 'owed' AND ($1::uuid[] IS NULL OR id = ANY($1))
ORDER BY owed_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_PEOPLE: Final = """
SELECT s.id, s.partner_id, s.name, s.role, s.notify,
    (SELECT jsonb_agg(jsonb_build_array(a.kind, a.value, a.heard_at) ORDER BY a.added_at, a.id)
     FROM addresses a WHERE a.staff_id = s.id AND a.ended_at IS NULL) AS addresses
FROM staff s WHERE s.partner_id = ANY($1::uuid[]) AND s.removed_at IS NULL ORDER BY s.position
"""

_TOLD: Final = """
SELECT order_id, staff_id, channel FROM messages
WHERE order_id = ANY($1::uuid[]) AND staff_id IS NOT NULL AND state IN ('waiting', 'sent', 'unclear')
ORDER BY created_at, id
"""

_INSERT_MESSAGES: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at)
SELECT id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    'waiting', next_at, created_at
FROM jsonb_populate_recordset(NULL::messages, $1::jsonb)
ON CONFLICT DO NOTHING
"""

_END_NOTICES: Final = """
UPDATE notices n SET state = e.state, why = e.why
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS e(id, state, why) WHERE n.id = e.id
"""

_DUE: Final = """
SELECT id, channel, tries FROM messages
WHERE state IN ('waiting', 'unclear') AND next_at <= $1 AND (leased_until IS NULL OR leased_until < $2)
ORDER BY next_at LIMIT $3
"""

_CLAIM: Final = """
WITH mine AS (
    SELECT id, state AS was FROM messages
    WHERE id = $1 AND state IN ('waiting', 'unclear') AND next_at <= $2
        AND (leased_until IS NULL OR leased_until < $3)
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE messages m SET leased_until = $4, tries = m.tries + 1,
        lost = m.lost + (m.leased_until IS NOT NULL)::int
    FROM mine WHERE m.id = mine.id
    RETURNING m.*, mine.was
)
SELECT c.id, c.notice_id, n.kind, n.occasion, n.revision, n.data, c.channel, c.leg, c.person,
    c.address_kind, c.address, c.tries, c.was, c.lost, a.heard_at,
    to_jsonb(o) - 'fingerprint' - 'changed_in' AS the_order, pl.name AS platform_name,
    jsonb_build_object('id', p.id, 'code', p.code, 'name', p.name, 'locale', p.locale,
        'timezone', p.timezone) AS partner,
    jsonb_build_object('id', s.id, 'name', s.name, 'role', s.role, 'locale', s.locale) AS staff
FROM claimed c JOIN notices n ON n.id = c.notice_id
LEFT JOIN orders o ON o.id = c.order_id
LEFT JOIN platforms pl ON pl.id = o.platform_id
LEFT JOIN staff s ON s.id = c.staff_id
LEFT JOIN partners p ON p.id = coalesce(o.partner_id, s.partner_id)
LEFT JOIN addresses a ON a.staff_id = c.staff_id AND a.kind = c.address_kind AND a.value = c.address
"""

_END_MESSAGE: Final = """
UPDATE messages SET
    state = CASE WHEN receipt IN ('delivered', 'seen') THEN 'sent' ELSE $2 END,
    next_at = CASE WHEN receipt IN ('delivered', 'seen') THEN NULL ELSE $3 END,
    why = $4, gateway_id = coalesce($5, gateway_id), sent_at = coalesce($6, sent_at), leased_until = NULL
WHERE id = $1
"""

_TRIED: Final = "SELECT channel, address FROM messages WHERE notice_id = $1 AND person = $2 AND leg = 'chat'"

_NEXT_RUNG: Final = """
SELECT coalesce(max(rung) + 1, 0) FROM messages WHERE notice_id = $1 AND leg = $2 AND person = $3
"""

_RECEIPT: Final = """
UPDATE messages SET receipt = $4,
    state = CASE WHEN $5 >= 2 AND state = 'unclear' THEN 'sent' ELSE state END,
    next_at = CASE WHEN $5 >= 2 AND state = 'unclear' THEN NULL ELSE next_at END
WHERE channel = $1 AND (gateway_id = ANY($2::text[]) OR id = ANY($3::uuid[]))
    AND coalesce(array_position(ARRAY['failed', 'delivered', 'seen'], receipt), 0) < $5
RETURNING id
"""
