"""Whatever anybody sends, malformed, hostile or too large: a clear refusal, nothing lost, no stack trace."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.app import build
from sandbox.platform import FakePlatform
from sandbox.zalo import Delivery
from sandbox.zalo import signature as signature_of
from tests.stories.world import OPERATORS, Placed, Somebody, World

SAMPLES: Final = Path(__file__).parents[1] / "zalo_oa" / "samples"
EVENTS: Final = sorted(
    path.stem for path in SAMPLES.glob("webhook-*.json") if '"event_name"' in path.read_text("utf-8")
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")

#: What may stand in the place of a token, an id or a code, percent-encoded.
PARTS: Final = (
    "x",
    "%00",
    "%ff%fe",
    "%ED%A0%80",
    "..%2f..%2fetc%2fpasswd",
    "%F0%9F%8D%97",
    "%27%3B--",
    "%0d%0aSet-Cookie:%20a=b",
    "%7B%7B7*7%7D%7D",
    "0199a000-0000-7000-8000-00000000000a",
    "0" * 36,
    "-" * 200,
    "a" * 4_000,
)
BODIES: Final = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"0",
    b"\x00" * 100,
    b"\xff\xfe\x00",
    b'{"note": "\\u0000", "reason": "\\u0000", "comment": "\\u0000"}',
    b'{"note": "\\ud800", "reason": "\\udfff", "rating": 5}',
    b'{"total": NaN, "rating": Infinity}',
    b'{"rating": 1e999, "total": 99999999999999999999999999}',
    b'{"rating": 5, "rating": 1}',
    b"[" * 60_000,
    b'{"a":' * 30_000,
    b"nonce=%00&reason=9&note=%ff",
    b"nonce=" + b"x" * 30_000,
    b"a=1&" * 2_000,
    b"x" * 300_000,
)
TYPES: Final = (
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain; charset=utf-7",
    "multipart/form-data; boundary=x",
    "",
)
QUERIES: Final = (
    "limit=0&cursor=%00",
    "limit=99999999999999999999&from=x&to=%ff",
    "cursor=" + "A" * 3_000,
    "status=%ED%A0%80&partner=%00",
    "updated_after=9999-99-99&from=0000-00-00&to=2026-02-30&partner=com-nha-lan",
    "from=9999-12-31&to=9999-12-31&partner=com-nha-lan",
    "from=0001-01-01&to=0001-01-01&partner=com-nha-lan",
    "answered=confirm.%00&answered=x",
)
_TRACES: Final = re.compile(r"Traceback|File \"|asyncpg|tortoise|aiohttp/|line \d+, in ", re.ASCII)


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer."""

    status: int
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody on the internet, with a platform's key in hand where one is needed."""

    session: aiohttp.ClientSession
    url: str

    async def sends(self, method: str, path: str, body: bytes = b"", **headers: str) -> Heard:
        """Send exactly this."""
        url = URL(self.url + path, encoded=True)
        given = {name.replace("_", "-"): value for name, value in headers.items() if value}
        async with self.session.request(
            method, url, data=body or None, headers=given, allow_redirects=False
        ) as answer:
            return Heard(answer.status, await answer.text(errors="replace"), dict(answer.headers))


@pytest.fixture
async def stranger(world: World) -> AsyncIterator[Stranger]:
    """Yield somebody who sends what comes to mind."""
    async with aiohttp.ClientSession() as session:
        yield Stranger(session, world.url)
    await asyncio.sleep(
        0.25
    )  # a body that was refused half-way leaves a connection that takes a moment to end


class _NoQueues:
    """No way to a worker: this application is only asked for its routes."""

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Wake nobody."""

    async def is_up(self) -> bool:
        """Say that nobody is there."""
        return False


def _routes(world: World) -> list[tuple[str, str]]:
    """Return every route of the web process that answers at once: its method and its pattern."""
    app = build(world.settings, world.database, world.ledger, _NoQueues(), ways=world.service.delivery.ways)
    found = {
        (route.method, route.resource.canonical)
        for resource in app.router.resources()
        for route in _of(resource)
        if route.resource is not None and not route.resource.canonical.endswith("/live")  # never ends
    }
    return sorted(found)


def _is_refused(heard: Heard) -> bool:
    """Whether nothing was done: who is not signed in is led to where one signs in."""
    sign_in = ("/login", "/ops/login")
    return heard.status >= 400 or (heard.status == 303 and heard.headers["Location"].startswith(sign_in))


def _of(resource: web.AbstractResource) -> Iterator[web.AbstractRoute]:
    yield from resource


def _filled(pattern: str, part: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: part, pattern)


def _is_clear(heard: Heard, what: object) -> None:
    assert heard.status < 500, (what, heard)
    assert not _TRACES.search(heard.body), (what, heard.body[:500])


# --- every route ---------------------------------------------------------------------------------------


async def test_every_route_takes_every_method_and_every_name(world: World, stranger: Stranger) -> None:
    """Below 500, and without a word of how we are built."""
    patterns = {pattern for _, pattern in _routes(world)}
    for pattern, method, part in itertools.product(sorted(patterns), METHODS, PARTS):
        if "{" not in pattern and part != PARTS[0]:
            continue
        path = _filled(pattern, part)
        _is_clear(await stranger.sends(method, path), (method, path[:200]))


async def test_every_route_takes_every_body(
    world: World, stranger: Stranger, platform: FakePlatform, rice: Placed, lan: Somebody
) -> None:
    """Also behind a good key and a good link; what is too large is called so."""
    link = await _link(world, lan)
    for (method, pattern), body, kind in itertools.product(_routes(world), BODIES, TYPES):
        if method not in {"POST", "PATCH"}:
            continue
        path = _filled(pattern, rice.id if pattern.startswith("/api") else link)
        key = f"Bearer {platform._api_key}" if pattern.startswith("/api") else ""
        heard = await stranger.sends(method, path, body, Content_Type=kind, Authorization=key)
        _is_clear(heard, (method, pattern, body[:60], kind))
        assert _is_refused(heard) or not body or "/confirm" in pattern or "/complete" in pattern, (
            method,
            pattern,
            body[:60],
            heard.status,
        )
    assert (await platform.show(rice.id)).body["version"] == 1
    await world.settles()
    world.operators.gets("trục trặc")  # of all the bad signatures


async def _link(world: World, lan: Somebody) -> str:
    """Return the token of Lan's page about an order."""
    order = await world.order()
    await lan.phone.sees(order.code)
    link = lan.mail.gets(order.code).link("Xem chi tiết đơn hàng")
    return link.rpartition("/o/")[2].partition("#")[0]


async def test_every_list_takes_every_query(
    world: World, stranger: Stranger, platform: FakePlatform, lan: Somebody
) -> None:
    """Faults of a query are told, days that do not exist too."""
    link = await _link(world, lan)
    key = f"Bearer {platform._api_key}"
    for (method, pattern), query in itertools.product(_routes(world), QUERIES):
        if method == "GET":
            path = f"{_filled(pattern, link)}?{query}"
            _is_clear(await stranger.sends("GET", path, Authorization=key), path[:200])


async def test_head_is_get_without_a_body(
    world: World, stranger: Stranger, platform: FakePlatform, rice: Placed, lan: Somebody
) -> None:
    """On every route that can be got, but for the two that eSMS acts by."""
    link = await _link(world, lan)
    key = f"Bearer {platform._api_key}"
    for method, pattern in _routes(world):
        if method != "GET" or pattern.startswith("/webhooks/sms/esms/"):
            continue
        path = _filled(pattern, rice.id if pattern.startswith("/api") else link)
        got = await stranger.sends("GET", path, Authorization=key)
        head = await stranger.sends("HEAD", path, Authorization=key)
        assert head.status == got.status, pattern
        assert head.body == ""
        assert head.headers.get("Content-Type") == got.headers.get("Content-Type"), pattern


async def test_a_body_that_is_too_large_is_called_so(
    world: World, stranger: Stranger, platform: FakePlatform
) -> None:
    """413 at every door, before anybody reads it."""
    huge = b'{"note": "' + b"x" * 400_000 + b'"}'
    key = f"Bearer {platform._api_key}"
    api = await stranger.sends(
        "POST", "/api/v1/orders", huge, Content_Type="application/json", Authorization=key
    )
    hook = await stranger.sends("POST", "/webhooks/zalo", huge, X_ZEvent_Signature="mac=00")

    assert (api.status, hook.status) == (413, 413)
    assert json.loads(api.body)["code"] == "too_large"


async def test_every_page_has_the_headers_of_a_safe_page(
    world: World, stranger: Stranger, lan: Somebody, platform: FakePlatform
) -> None:
    """Pages, refusals of pages, and what does not exist."""
    link = await _link(world, lan)
    for path in ("/", f"/o/{link}", "/o/x", "/nowhere", f"/o/{link}/confirm", "/api/docs", "/" + "a" * 3_000):
        heard = await stranger.sends("GET", path)
        policy = heard.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe-inline" not in policy, path
        assert heard.headers["Referrer-Policy"] == "no-referrer", path
        assert heard.headers["Cache-Control"] == "no-store", path
        assert heard.headers["X-Content-Type-Options"] == "nosniff", path


async def test_a_form_from_elsewhere_does_nothing(
    world: World, stranger: Stranger, lan: Somebody, platform: FakePlatform
) -> None:
    """Another site's form, the nonce of another order's page, none at all."""
    rice, other = f"/o/{await _link(world, lan)}", f"/o/{await _link(world, lan)}"
    nonce, others = await _nonce(stranger, rice), await _nonce(stranger, other)
    form = "application/x-www-form-urlencoded"

    evil = await stranger.sends(
        "POST", f"{rice}/confirm", nonce, Content_Type=form, Origin="https://evil.example"
    )
    foreign = await stranger.sends("POST", f"{rice}/confirm", others, Content_Type=form)
    without = await stranger.sends("POST", f"{rice}/confirm", b"x=1", Content_Type=form)

    assert (evil.status, foreign.status, without.status) == (403, 403, 403)
    assert await world.database.pool.fetchval("SELECT max(version) FROM orders") == 1


async def _nonce(stranger: Stranger, page: str) -> bytes:
    found = re.search(r'name="nonce" value="([^"]+)"', (await stranger.sends("GET", page)).body)
    assert found
    return f"nonce={quote(found[1])}".encode()


# --- Zalo's webhook --------------------------------------------------------------------------------------


def _as_ours(content: Any, world: World) -> Any:
    """Return a sample as it would come to our app and our account."""
    match content:
        case dict():
            return {name: _as_ours(value, world) for name, value in content.items()}
        case list():
            return [_as_ours(value, world) for value in content]
        case "388613280878808645" | "388613280879808645" | "2893352839501541173":
            return world.zalo.oa_id
        case _:
            return content


@pytest.mark.parametrize("name", EVENTS)
async def test_every_sample_of_the_vendor_is_taken(world: World, lan: Somebody, name: str) -> None:
    """Signed, it is answered 200, as it stands and as it would be ours."""
    raw = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    for event in (raw, _as_ours(raw, world)):
        if not str(event.get("timestamp")).isdigit():
            event["timestamp"] = "1787209817225"
        event["app_id"] = world.zalo.app_id
        assert (await world.zalo.post(event)).status == 200, event


async def _signed(world: World, raw: bytes, timestamp: str) -> Delivery:
    mac = signature_of(world.zalo.app_id, raw, timestamp, world.zalo.oa_secret)
    return await world.zalo.postman.post_raw(
        raw, {"X-ZEvent-Signature": mac, "Content-Type": "application/json"}
    )


def _strange_events(world: World) -> Iterator[bytes]:
    told: dict[str, Any] = {
        "app_id": world.zalo.app_id,
        "sender": {"id": "1"},
        "recipient": {"id": world.zalo.oa_id},
        "event_name": "user_send_text",
        "message": {"text": "HN", "msg_id": "m1"},
        "timestamp": "1787209817225",
    }
    values: tuple[Any, ...] = (
        None,
        7,
        True,
        [],
        {},
        "",
        "\x00",
        "x" * 50_000,
        {"id": None},
        {"id": "\x00"},
        -1,
    )
    for part, value in itertools.product(told, values):
        if part != "timestamp":
            yield json.dumps({**told, part: value}).encode()
    for text in (
        "\x00" * 50,
        "XN " * 20_000,
        "#cd:" + "A" * 5_000,
        "#cd:",
        "LK " + "9" * 10_000,
        "\u202e",
        "ＸＮ",
    ):
        yield json.dumps({**told, "message": {"text": text, "msg_id": "m2"}}).encode()
    yield json.dumps(told).encode().replace(b'"HN"', b'"\\ud800"')
    yield json.dumps(told).encode().replace(b'"HN"', b"[" * 90 + b"]" * 90)
    yield json.dumps(told).encode().replace(b'"HN"', b"1e999")


async def test_strange_but_signed_events_are_taken_and_forgotten(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """A genuine event that cannot be read is answered 200: else Zalo repeats it without end."""
    for raw in _strange_events(world):
        delivery = await _signed(world, raw, "1787209817225")
        assert delivery.status == 200, (raw[:200], delivery)

    assert (await rice.shown())["version"] == 1


@pytest.mark.parametrize("body", BODIES[1:-1], ids=range(len(BODIES) - 2))
async def test_bytes_that_are_no_event_are_refused(world: World, body: bytes) -> None:
    """There is no time in them that the signature could be of."""
    delivery = await _signed(world, body, "1787209817225")

    assert delivery.status in {200, 401}, delivery
    assert not _TRACES.search(delivery.body)


async def test_the_consoles_probe_is_answered(world: World) -> None:
    """An unsigned empty object, posted when the address is saved."""
    assert (await world.zalo.probe()).status == 200


async def test_events_of_another_account_or_app_do_nothing(world: World, lan: Somebody, rice: Placed) -> None:
    """Well signed, and not for us."""
    person = lan.phone.person
    told: dict[str, object] = {
        "sender": {"id": person.user_id},
        "event_name": "user_send_text",
        "message": {"text": "xn", "msg_id": "m3"},
    }
    assert (await world.zalo.post({**told, "recipient": {"id": "111"}})).status == 200
    ours = {**told, "recipient": {"id": world.zalo.oa_id}, "app_id": "222"}
    assert (await world.zalo.post(ours)).status in {200, 401}
    await world.settles()

    assert (await rice.shown())["status"] == "pending"


async def test_bad_signatures_are_counted_and_ten_alarm_the_operators(
    world: World, stranger: Stranger, lan: Somebody, rice: Placed
) -> None:
    """401 each, nothing done; one mail for the lot of them."""
    button = lan.phone.person.received[-1].button("Xác nhận đơn hàng")
    assert button is not None
    told = {
        "app_id": world.zalo.app_id,
        "sender": {"id": lan.phone.person.user_id},
        "recipient": {"id": world.zalo.oa_id},
        "event_name": "user_send_text",
        "message": {"text": button.target, "msg_id": "m4"},
        "timestamp": "1787209817225",
    }
    before = await _rejected(stranger)
    signatures = ["mac=" + "0" * 64, "mac=", "", "0" * 64, "mac=é", "mac=" + "f" * 5_000, "MAC=x", "x"]
    for number in range(12):
        mac = signatures[number % len(signatures)]
        headers = {"X-ZEvent-Signature": mac} if mac else {}
        delivery = await world.zalo.postman.post_raw(json.dumps(told).encode(), headers)
        assert delivery.status == 401, (mac, delivery)
    await world.settles()

    assert await _rejected(stranger) == before + 12
    assert (await rice.shown())["status"] == "pending"
    await world.mailbox.arrives(OPERATORS, "trục trặc", within=5)
    world.operators.gets("chữ ký")


async def _rejected(stranger: Stranger) -> float:
    line = 'chotdon_webhook_rejected_total{channel="zalo",reason="signature"} '
    text = (await stranger.sends("GET", "/metrics")).body
    return sum(float(row.removeprefix(line)) for row in text.splitlines() if row.startswith(line))


async def test_after_all_that_the_service_serves(
    world: World, stranger: Stranger, platform: FakePlatform, lan: Somebody
) -> None:
    """Half-sent requests, slow ones and floods leave room for an order."""
    host, port = world.url.removeprefix("http://").split(":")
    slow = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
    for _, writer in slow:
        writer.write(b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    flood = [stranger.sends("GET", "/o/" + quote("é" * n)) for n in range(200)]
    answers = await asyncio.gather(*flood)

    rice = await world.order()

    assert {answer.status for answer in answers} <= {404}
    await lan.phone.sees(rice.code)
    lan.mail.gets(rice.code)
    for _, writer in slow:
        writer.close()
