import asyncio
import contextlib
import gzip
import json
from typing import Any, Final
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api.bodies import MOST_BYTES, parsed
from bot.api.faults import Body, Fault, Faulty, checked
from bot.api.models import Cancellation, OrderChange, OrderIn, ReviewIn
from bot.api.problems import Problem
from core.database import Database
from core.ledger import Ledger
from tests.bot.api.conftest import ORDERS, Caller, Heard

Http = TestClient[web.Request, web.Application]


async def _send(shop: Caller, data: bytes, **headers: str) -> Heard:
    return await shop.call("POST", ORDERS, data=data, headers=headers)


# --- who calls ----------------------------------------------------------------------------------


NO_KEYS: Final = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic cdk_x",
    "Bearer " + "k" * 5000,
    "Bearer c\xf3d\xe9",
    "cdk_x",
)


@pytest.mark.parametrize("path", [ORDERS, "/api/v1/settlements", f"{ORDERS}/1"])
async def test_without_a_key_nothing_is_told(http: Http, path: str) -> None:
    """401 with the challenge, as a problem document."""
    for authorization in NO_KEYS:
        headers = {"Authorization": authorization} if authorization is not None else {}
        async with http.get(path, headers=headers) as answer:
            problem = await answer.json()

        assert (answer.status, problem["code"]) == (401, "unauthorized"), authorization
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.content_type == "application/problem+json"


async def test_the_scheme_may_be_written_in_any_case(http: Http, shop: Caller) -> None:
    """RFC 9110: schemes have no case."""
    async with http.get(ORDERS, headers={"Authorization": f"bearer {shop.keys.api_key}"}) as answer:
        assert answer.status == 200


async def test_the_webhook_secret_is_no_key(http: Http, shop: Caller) -> None:
    """Only the API key opens the API."""
    headers = {"Authorization": f"Bearer {shop.keys.webhook_secret}"}

    async with http.get(ORDERS, headers=headers) as answer:
        assert answer.status == 401


async def test_unknown_addresses_and_methods_are_problems_too(shop: Caller) -> None:
    """A client that reads problem documents never meets a page."""
    missing = await shop.call("GET", "/api/v1/menus")
    wrong = await shop.call("DELETE", ORDERS)

    assert (missing.status, missing.body["code"]) == (404, "not_found")
    assert (wrong.status, wrong.body["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, HEAD, POST"


async def test_answers_stay_out_of_caches(shop: Caller, order: dict[str, Any]) -> None:
    """Orders carry people's phones."""
    for heard in (await shop.place(order), await shop.list(), await shop.list(limit="0")):
        assert heard.headers["Cache-Control"] == "no-store"
        assert heard.headers["X-Content-Type-Options"] == "nosniff"


async def test_head_is_get_without_a_body(shop: Caller, order: dict[str, Any]) -> None:
    """HEAD never changes anything either."""
    order_id = await shop.placed(order)

    heard = await shop.call("HEAD", f"{ORDERS}/{order_id}")

    assert (heard.status, heard.raw) == (200, b"")


# --- bodies -------------------------------------------------------------------------------------


NOT_JSON: Final = [
    b"",
    b"{",
    b"nonsense",
    b'{"total": NaN}',
    b'{"total": Infinity}',
    b'{"total": -Infinity}',
    b'{"total": 1, "total": 2}',
    b'{"customer": {"name": "a", "name": "b"}}',
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"total": ' + b"9" * 5_000 + b"}",
    b'{"note": "\xff\xfe"}',
    '{"note": "Cơm"}'.encode("utf-16"),
    b'{"\\ud800": 1}',
    b'{"note": "\x01"}',
    b"{'note': 'x'}",
    b'{"note": "x",}',
]


async def test_what_is_not_json_is_400(shop: Caller) -> None:
    """What readers would disagree about is not read."""
    for raw in NOT_JSON:
        heard = await _send(shop, raw)

        assert (heard.status, heard.body["code"]) == (400, "malformed"), raw[:40]
        assert heard.body["detail"]


async def test_a_body_is_an_object(shop: Caller) -> None:
    """JSON, but not an order."""
    for raw in (b"[]", b"null", b"1", b'"x"', b"1e999", b"true"):
        heard = await _send(shop, raw)

        assert (heard.status, set(heard.faults)) == (422, {()}), raw


async def test_a_byte_order_mark_is_let_pass(shop: Caller, order: dict[str, Any]) -> None:
    """Some programs cannot help it."""
    assert (await _send(shop, json.dumps(order).encode("utf-8-sig"))).status == 201


OTHER_TYPES: Final = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin-1",
    "multipart/form-data; boundary=x",
    "jibberish",
    "",
)


async def test_another_type_is_415(shop: Caller, order: dict[str, Any]) -> None:
    """Also where the body would be readable."""
    for kind in OTHER_TYPES:
        heard = await _send(shop, json.dumps(order).encode(), **{"Content-Type": kind})

        assert (heard.status, heard.body["code"]) == (415, "unsupported_media_type"), kind


async def test_a_compressed_body_is_415(shop: Caller, order: dict[str, Any]) -> None:
    """A small body may hide a large one."""
    raw = gzip.compress(json.dumps(order).encode())

    heard = await _send(shop, raw, **{"Content-Encoding": "gzip"})

    assert heard.status == 415


async def test_a_body_has_its_size(shop: Caller, order: dict[str, Any]) -> None:
    """256 kB pass, one byte more does not, announced or not."""
    raw = json.dumps(order).encode()
    full = raw + b" " * (MOST_BYTES - len(raw))

    async def dripping() -> Any:
        for _ in range(MOST_BYTES // 1024 + 1):
            yield b" " * 1024

    announced = await _send(shop, full + b" ")
    dripped = await shop.call("POST", ORDERS, data=dripping())

    assert (announced.status, announced.body["code"]) == (413, "too_large")
    assert (dripped.status, dripped.body["code"]) == (413, "too_large")
    assert (await _send(shop, full)).status == 201


async def test_a_body_that_breaks_off_harms_nobody(shop: Caller, http: Http) -> None:
    """The next caller is served."""
    assert http.port
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    writer.write(
        f"POST {ORDERS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.keys.api_key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
    )
    await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert await reader.read() == b""

    assert (await shop.list()).status == 200


HOSTILE: Final[Any] = [
    ({"note": "a\u0000b"}, ("note",)),
    ({"note": "\ud800"}, ("note",)),
    ({"note": "a" * 2001}, ("note",)),
    ({"address": "\n\t "}, ("address",)),
    ({"external_id": "a\nb"}, ("external_id",)),
    ({"external_id": "a" * 201}, ("external_id",)),
    ({"external_id": 7}, ("external_id",)),
    ({"currency": "USD"}, ("currency",)),
    ({"items": []}, ("items",)),
    ({"items": {}}, ("items",)),
    ({"fees": -1}, ("fees",)),
    ({"fees": 1.0}, ("fees",)),
    ({"fees": 10**30}, ("fees",)),
    ({"deliver_at": "2026-11-23T11:30:00"}, ("deliver_at",)),
    ({"deliver_at": "2026-11-23"}, ("deliver_at",)),
    ({"deliver_at": "0001-01-01T00:00:00+14:00"}, ("deliver_at",)),
    ({"deliver_at": "9999-12-31T23:59:59-14:00"}, ("deliver_at",)),
    ({"deliver_at": "2026-02-30T00:00:00Z"}, ("deliver_at",)),
    ({"deliver_at": "2026-11-23T11:30:00+99:99"}, ("deliver_at",)),
    ({"deliver_at": "２０２６-11-23T11:30:00Z"}, ("deliver_at",)),
    ({"deliver_at": 1_795_000_000}, ("deliver_at",)),
    ({"customer": "An"}, ("customer",)),
    ({"customer": {"name": "An", "phone": "+84 909 123"}}, ("customer", "phone")),
    ({"customer": {"name": "An", "email": "an@example.com\nBcc: x@example.com"}}, ("customer", "email")),
    ({"x" * 5000: 1}, ("x" * 100,)),
]


async def test_a_hostile_part_is_told_by_its_place(shop: Caller, order: dict[str, Any]) -> None:
    """And never repeated in the answer."""
    for changes, loc in HOSTILE:
        heard = await _send(shop, json.dumps({**order, **changes}).encode())

        assert heard.status == 422, heard.raw
        assert loc in heard.faults
        assert len(heard.raw) < 2_000


async def test_as_many_dishes_as_allowed(shop: Caller, order: dict[str, Any]) -> None:
    """200 dishes at the highest price and count: the total is exact; one dish more is refused."""
    dish = {"name": "Yến", "quantity": 10_000, "unit_price": 1_000_000_000}
    total = 200 * 10_000 * 1_000_000_000

    heard = await shop.place({**order, "items": [dish] * 200, "total": total})
    more = await shop.place({**order, "external_id": "PX-2", "items": [dish] * 201, "total": 0})

    assert (heard.status, heard.body["total"]) == (201, total)
    assert ("items",) in more.faults


async def test_thousands_of_faults_are_not_all_told(shop: Caller, order: dict[str, Any]) -> None:
    """An answer is not larger than its question."""
    heard = await shop.place({**order, **{f"x{n}": n for n in range(5_000)}})

    assert (heard.status, len(heard.body["errors"])) == (422, 100)


@pytest.mark.parametrize("path", [ORDERS, "/api/v1/settlements", f"{ORDERS}/{UUID(int=1)}"])
async def test_without_the_database_everybody_is_asked_to_come_back(
    shop: Caller, database: Database, path: str
) -> None:
    """503 with Retry-After, no stack trace."""
    async with database.pool.acquire() as elsewhere, elsewhere.transaction():
        await elsewhere.execute("LOCK TABLE platforms IN ACCESS EXCLUSIVE MODE")
        heard = await shop.call("GET", path)

    assert (heard.status, heard.body["code"]) == (503, "unavailable")
    assert int(heard.headers["Retry-After"]) > 0
    assert b"Traceback" not in heard.raw


async def test_a_ledger_that_is_busy_or_gone_is_told(
    shop: Caller, ledger: Ledger, order: dict[str, Any]
) -> None:
    """503 with Retry-After: the same key finds the answer later, if there is one."""
    await ledger.__aexit__(None, None, None)

    heard = await shop.place(order, key="abc-1")

    assert (heard.status, heard.body["code"]) == (503, "unavailable")
    assert int(heard.headers["Retry-After"]) > 0


async def test_a_fault_of_ours_is_a_problem_document(shop: Caller, database: Database) -> None:
    """500 without a stack trace: here a kitchen's zone that is none."""
    await database.pool.execute(
        "INSERT INTO partners (id, code, name, timezone, created_at)"
        " VALUES (gen_random_uuid(), 'lan', 'Lan', 'Sao/Hoả', now())"
    )

    heard = await shop.list(partner="lan")

    assert (heard.status, heard.body["code"]) == (500, "internal")
    assert heard.body.keys() == {"type", "title", "status", "code"}


# --- by chance ----------------------------------------------------------------------------------

_text = st.text(st.characters(exclude_categories=()), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=20,
)
_names = st.sampled_from(
    [
        "external_id",
        "partner",
        "deliver_at",
        "ordered_at",
        "customer",
        "address",
        "note",
        "items",
        "fees",
        "total",
    ]
)
_bodies = st.dictionaries(_names | _text, _json, max_size=12)


def _faults(content: Any, model: Any) -> tuple[Fault, ...] | None:
    """Return what is told of a body; None when it is not even read."""
    try:
        found = parsed(json.dumps(content).encode())
        checked(model, found, Body(names=frozenset(found)))
    except Faulty as faulty:
        return faulty.faults
    except Problem:
        return None
    return ()


@given(_bodies, st.sampled_from([OrderIn, OrderChange, Cancellation, ReviewIn]))
def test_any_json_is_a_body_or_has_faults(content: Any, model: Any) -> None:
    """Nothing else is ever raised, and faults can be written down as UTF-8."""
    faults = _faults(content, model) or ()

    for fault in faults:
        assert json.dumps([fault.loc, fault.msg], ensure_ascii=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_malformed(raw: bytes) -> None:
    """Nothing else is ever raised."""
    with contextlib.suppress(Problem):
        parsed(raw)


_answered = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@_answered
@given(changes=_bodies, method=st.sampled_from(["POST", "PATCH"]), keep=st.booleans())
async def test_the_server_never_fails(
    shop: Caller, order: dict[str, Any], changes: Any, method: str, keep: bool
) -> None:
    """Whatever is posted or patched is answered below 500."""
    placed = await shop.place(order)
    path = ORDERS if method == "POST" else f"{ORDERS}/{placed.body['id']}"
    body = {**order, **changes} if keep else changes

    heard = await shop.call(method, path, data=json.dumps(body).encode())

    assert heard.status < 500, heard.raw


@_answered
@given(
    params=st.dictionaries(
        st.sampled_from(["status", "from", "to", "cursor", "limit", "partner"]) | _text, _text
    )
)
async def test_no_question_makes_it_fail(shop: Caller, params: Any) -> None:
    """Whatever is asked is answered below 500."""
    clean = {
        name.encode("utf-8", "replace").decode(): text.encode("utf-8", "replace").decode()
        for name, text in params.items()
    }
    for path in (ORDERS, "/api/v1/settlements"):
        heard = await shop.call("GET", path, params=clean)
        assert heard.status < 500, heard.raw
