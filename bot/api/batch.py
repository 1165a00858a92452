"""Many orders in one request: each is placed as a single one is, and has an answer of its own.

The body is split before any order in it is looked at, and orders are looked at and placed some at a time:
neither one bad order nor a large batch is in the way of anybody else. See docs/decisions/0029.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.api import bodies
from bot.api.calls import Call
from bot.api.faults import Fault, Faulty
from bot.api.limits import count
from bot.api.models import MOST_IN_BATCH
from bot.api.placing import Kitchens, Placing, status_of, understood
from bot.api.problems import KINDS, Problem, document_of, problem_of
from bot.api.shapes import document_of as order_document
from bot.keys import SETTINGS
from core import inbox
from core.database import AWAY
from core.errors import Conflict, NoFreeCode, RuleError, Unavailable
from core.orders.answers import Answer
from core.orders.as_they_were import Version, as_of_each
from core.orders.queries import Told

MOST_BYTES: Final = 2 * 1024 * 1024
#: How many orders of batches wait in the ledger at once, whoever sends them: a tap is behind these at most.
AT_ONCE: Final = 50

#: Batches place their orders in turns.
TURNS: Final = web.AppKey("batch_turns", asyncio.Semaphore)


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    orders: msgspec.Raw


@dataclass(slots=True)
class _Item:
    """One order of a batch: as it came, as it was understood, and what became of it."""

    index: int
    raw: bytes
    content: Any = None
    placing: Placing | None = None
    outcome: Answer | BaseException | None = None


@dataclass(slots=True)
class _Batch:
    """A batch on its way; `key` names it where the platform gave it a name."""

    call: Call
    items: Sequence[_Item]
    key: str | None
    kitchens: Kitchens
    digests: list[bytes] = field(default_factory=list)
    is_stuck: bool = False


async def place(call: Call) -> web.Response:
    """Place up to 500 orders; 200 with a result for each of them, in order."""
    key = call.inbox_key
    raw = await bodies.read(call.request, most=MOST_BYTES)
    items = [_Item(index, member) for index, member in enumerate(_members(raw))]
    count(call.request, call.platform.id, orders=len(items))
    batch = _Batch(call, items, key, Kitchens(call.database))
    await _read(batch)
    replayed = await _came_before(batch)
    results = [result async for group in _groups(batch) for result in await _placed(batch, group)]
    if not replayed:
        await _keep(batch)
    return web.Response(
        body=msgspec.json.encode({"results": results}),
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"} if replayed else {},
    )


def _members(raw: bytes) -> list[bytes]:
    """Return the orders of a batch, each as it came; raises Problem or Faulty for what is no batch."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        listed = bytes(msgspec.json.decode(raw, type=_Sent).orders)
        found = msgspec.json.decode(listed, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise Faulty(Fault((), 'must be {"orders": […]} and nothing else')) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("malformed", detail="This is not JSON.") from None
    except RecursionError:
        raise Problem("malformed", detail="The JSON is nested too deeply.") from None
    if not 0 < len(found) <= MOST_IN_BATCH:
        raise Faulty(Fault(("orders",), f"must be 1 to {MOST_IN_BATCH} orders"))
    if not re.fullmatch(rb'\s*\{\s*"orders"\s*:\s*', raw[: raw.index(listed)]):
        raise Problem("malformed", detail="A name stands twice in one object.")
    return [bytes(member) for member in found]


async def _read(batch: _Batch) -> None:
    for item in batch.items:
        await asyncio.sleep(0)  # others have their turn between two orders
        try:
            item.content = _content(item.raw)
        except Problem as problem:
            item.outcome = problem
        if batch.key:
            batch.digests.append(hashlib.sha256(_spelled(item)).digest())


def _spelled(item: _Item) -> bytes:
    """Return what tells an order from another; how its JSON was laid out makes no difference."""
    if item.outcome is not None:
        return item.raw
    try:
        return json.dumps(item.content, sort_keys=True).encode()
    except RecursionError:  # deeper than any order: it will be refused
        return item.raw


def _content(raw: bytes) -> Any:
    if len(raw) > bodies.MOST_BYTES:
        raise Problem("too_large")
    return bodies.parsed(raw)


async def _came_before(batch: _Batch) -> bool:
    """Tell whether this batch is a repeat; raises Conflict where its key was another one's."""
    if batch.key is None:
        return False
    kept = await inbox.fingerprint_of(batch.call.database, batch.key)
    if kept is not None and kept != _fingerprint(batch):
        raise Conflict("idempotency_key_reused")
    return kept is not None


async def _keep(batch: _Batch) -> None:
    """Bind the key to this batch, if anything of it was placed: a refused body does not use a key up."""
    if batch.key and any(isinstance(item.outcome, Answer) for item in batch.items):
        await inbox.keep(batch.call.database, batch.key, _fingerprint(batch))


def _fingerprint(batch: _Batch) -> bytes:
    return hashlib.sha256(b"orders:batch" + b"".join(batch.digests)).digest()


async def _groups(batch: _Batch) -> AsyncIterator[list[_Item]]:
    """Yield orders to be placed together: of one external id one, so that the first of them wins."""
    group: list[_Item] = []
    names: set[str] = set()
    for item in batch.items:
        await _understand(batch, item)
        name = item.placing.command.external_id if item.placing else ""
        if len(group) == AT_ONCE or name in names:
            yield group
            group, names = [], set()
        group.append(item)
        names |= {name} - {""}
    yield group


async def _understand(batch: _Batch, item: _Item) -> None:
    if item.outcome is not None:
        return
    await asyncio.sleep(0)
    call = batch.call
    try:
        item.placing = await understood(
            item.content, platform=call.platform, kitchens=batch.kitchens, now=call.now
        )
    except Faulty as faulty:
        item.outcome = faulty


async def _placed(batch: _Batch, group: Sequence[_Item]) -> list[dict[str, Any]]:
    """Place a group, and return what is told of each of its orders."""
    async with batch.call.request.config_dict[TURNS]:
        await asyncio.gather(*(_place(batch, item, item.placing) for item in group if item.placing))
    batch.is_stuck = batch.is_stuck or any(isinstance(item.outcome, Unavailable) for item in group)
    answers = [item.outcome for item in group if isinstance(item.outcome, Answer)]
    told = await as_of_each(
        batch.call.database,
        [(answer.order_id, answer.version) for answer in answers if answer.order_id and answer.version],
    )
    return [_result(batch, item, told) for item in group]


async def _place(batch: _Batch, item: _Item, placing: Placing) -> None:
    if batch.is_stuck:  # the rest would only wait as long as these did, one group after the other
        item.outcome = Unavailable()
        return
    named = batch.key is not None
    try:
        item.outcome = await batch.call.ledger.submit(
            placing.command,
            actor=batch.call.actor,
            key=f"{batch.key}\n{item.index}" if named else None,
            fingerprint=batch.digests[item.index] if named else None,
        )
    except RuleError as error:
        item.outcome = await placing.refused(error)
    except (NoFreeCode, *AWAY) as error:
        item.outcome = error


def _result(batch: _Batch, item: _Item, told: Mapping[Version, Told]) -> dict[str, Any]:
    answer = item.outcome
    if isinstance(answer, Answer) and answer.order_id and answer.version:
        order = told.get((answer.order_id, answer.version))
        if order:
            return {"index": item.index, "status": status_of(answer), "order": order_document(order)}
    problem = problem_of(answer if isinstance(answer, BaseException) else Unavailable())
    base_url = batch.call.request.config_dict[SETTINGS].base_url
    return {
        "index": item.index,
        "status": KINDS[problem.code].status,
        "problem": document_of(problem, base_url=base_url),
    }
