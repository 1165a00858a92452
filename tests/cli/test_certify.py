"""`chotdon certify`: the example receivers pass, and a receiver fails what it gets wrong and nothing else."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner
from standardwebhooks import Webhook

from cli.certification import SCENARIOS, Outcome, certify
from cli.main import chotdon
from jobs.webhook_calls import open_session
from tests.bot.sms.smsc import free_port

SECRET: Final = "whsec_" + base64.b64encode(b"certified" * 3).decode()
EXAMPLES: Final = Path(__file__).parents[2] / "examples"

Answer = Callable[[web.Request, bytes], Awaitable[int]]


@asynccontextmanager
async def _receiver(answer: Answer) -> AsyncIterator[str]:
    """Listen with a receiver that answers so, and yield where."""

    async def hear(request: web.Request) -> web.Response:
        return web.Response(status=await answer(request, await request.read()))

    app = web.Application(client_max_size=1024 * 1024)
    app.router.add_post("/hooks", hear)
    async with TestServer(app) as server:
        yield str(server.make_url("/hooks"))


async def _certified(answer: Answer, **only: Any) -> list[Outcome]:
    async with _receiver(answer) as url, open_session(allow_private=True) as session:
        return await certify(session, url, SECRET, **only)


def _failed(outcomes: list[Outcome]) -> set[str]:
    return {outcome.name for outcome in outcomes if not outcome.passed}


def _is_signed(request: web.Request, raw: bytes) -> bool:
    try:
        Webhook(SECRET).verify(raw, dict(request.headers))
    except Exception:  # noqa: BLE001  (the library names no one error)
        return False
    return True


async def _good(request: web.Request, raw: bytes) -> int:
    return 204 if _is_signed(request, raw) else 401


async def _trusting(request: web.Request, raw: bytes) -> int:
    return 200


async def _refusing(request: web.Request, raw: bytes) -> int:
    return 401


async def _reparsing(request: web.Request, raw: bytes) -> int:
    """Verifies what it wrote again instead of what came, laid out as we do: only a new layout tells."""
    try:
        again = json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:
        return 400
    return 200 if _is_signed(request, again) else 401


async def _timeless(request: web.Request, raw: bytes) -> int:
    """Never looks at the timestamp."""
    headers = request.headers
    signed = b".".join(
        (headers.get("webhook-id", "").encode(), headers.get("webhook-timestamp", "").encode(), raw)
    )
    right = _mac(signed)
    return 200 if right in headers.get("webhook-signature", "").split() else 401


def _one_sided(side: int) -> Answer:
    """Refuses what is five minutes old (1), or five minutes ahead (-1), and never looks at the other side."""

    async def answer(request: web.Request, raw: bytes) -> int:
        if await _timeless(request, raw) != 200:
            return 401
        age = time.time() - int(request.headers["webhook-timestamp"])
        return 401 if age * side > 300 else 200

    return answer


async def _of_one_signature(request: web.Request, raw: bytes) -> int:
    """Compares the whole header with one signature."""
    if " " in request.headers.get("webhook-signature", ""):
        return 401
    return await _good(request, raw)


async def _strict_about_types(request: web.Request, raw: bytes) -> int:
    """Knows order.placed and order.confirmed, and fails of everything else."""
    if not _is_signed(request, raw):
        return 401
    return 200 if json.loads(raw)["type"] in {"order.placed", "order.confirmed", "order.cancelled"} else 500


async def _wanting_customers(request: web.Request, raw: bytes) -> int:
    """Reads the customer of whatever comes."""
    if not _is_signed(request, raw):
        return 401
    return 200 if "customer" in json.loads(raw)["data"] else 500


async def _gone(request: web.Request, raw: bytes) -> int:
    """Says 410 to whatever it does not trust."""
    return 200 if _is_signed(request, raw) else 410


async def _redirecting(request: web.Request, raw: bytes) -> int:
    return 307 if _is_signed(request, raw) else 401


def _mac(signed: bytes) -> str:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _small() -> Answer:
    async def answer(request: web.Request, raw: bytes) -> int:
        return 413 if len(raw) > 16_384 else await _good(request, raw)

    return answer


def _once() -> Answer:
    """Refuses a webhook-id that it has."""
    heard: set[str] = set()

    async def answer(request: web.Request, raw: bytes) -> int:
        status = await _good(request, raw)
        name = request.headers.get("webhook-id", "")
        if status == 204 and name in heard:
            return 409
        heard.add(name)
        return status

    return answer


def _in_order() -> Answer:
    """Refuses an event that is older than what it has."""
    versions: dict[str, int] = {}

    async def answer(request: web.Request, raw: bytes) -> int:
        status = await _good(request, raw)
        if status != 204:
            return status
        data = json.loads(raw)["data"]
        if "version" in data and data["version"] < versions.get(data["id"], 0):
            return 409
        if "version" in data:
            versions[data["id"]] = data["version"]
        return status

    return answer


def _busy() -> Answer:
    """Takes three at once."""
    running = 0

    async def answer(request: web.Request, raw: bytes) -> int:
        nonlocal running
        running += 1
        try:
            await asyncio.sleep(0.02)
            return 503 if running > 3 else await _good(request, raw)
        finally:
            running -= 1

    return answer


_REFUSALS: Final = {name for name in SCENARIOS if name.startswith("refuses-")}
_TAKES: Final = SCENARIOS.keys() - _REFUSALS


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (_good, set()),
        (_trusting, _REFUSALS),
        (_refusing, _TAKES),
        (_redirecting, _TAKES),
        (_gone, _REFUSALS),
        (_reparsing, {"refuses-respelled-body"}),
        (_timeless, {"refuses-stale", "refuses-ahead"}),
        (_one_sided(1), {"refuses-ahead"}),
        (_one_sided(-1), {"refuses-stale"}),
        (_of_one_signature, {"takes-rotation"}),
        (_strict_about_types, {"takes-unknown-type", "takes-partner-events"}),
        (_wanting_customers, {"takes-reduced", "takes-partner-events"}),
        (_small(), {"takes-large"}),
        (_once(), {"takes-repeat"}),
        (_in_order(), {"takes-out-of-order"}),
        (_busy(), {"takes-many"}),
    ],
    ids=[
        "good", "trusting", "refusing", "redirecting", "gone", "reparsing", "timeless", "looks back",
        "looks ahead", "one signature", "strict about types", "wanting customers", "small", "once",
        "in order", "busy",
    ],
)  # fmt: skip
async def test_a_receiver_fails_what_it_gets_wrong(answer: Answer, failed: set[str]) -> None:
    """And nothing else; whatever failed says what to do."""
    outcomes = await _certified(answer)

    assert _failed(outcomes) == failed
    assert [outcome.name for outcome in outcomes] == list(SCENARIOS)
    assert all(bool(outcome.found) is bool(outcome.advice) is not outcome.passed for outcome in outcomes)


async def test_who_answers_late_has_not_answered() -> None:
    """Five seconds, as webhooks are given; the sentence says so."""

    async def late(request: web.Request, raw: bytes) -> int:
        await asyncio.sleep(6)
        return 200

    only = {"takes-good": SCENARIOS["takes-good"]}
    started = time.monotonic()
    (outcome,) = await _certified(late, scenarios=only)

    assert outcome.found == "it was not answered within 5 seconds"
    assert time.monotonic() - started < 6


async def test_where_nobody_answers_nothing_more_is_tried() -> None:
    """One refused connection is enough to know."""
    async with open_session(allow_private=True) as session:
        outcomes = await certify(session, f"http://127.0.0.1:{free_port()}/", SECRET)

    assert not any(outcome.passed for outcome in outcomes)
    assert outcomes[0].found.startswith("there was no answer")
    assert {outcome.found for outcome in outcomes[1:]} == {"it was not tried"}


# --- the command, and the examples --------------------------------------------------------------


@pytest.fixture(params=["receiver_aiohttp.py", "receiver_stdlib.py"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield where a receiver of `examples/` listens, in a process of its own."""
    port = free_port()
    command = [sys.executable, str(EXAMPLES / request.param), "--port", str(port), "--store", "orders.sqlite"]
    environment = {**os.environ, "WEBHOOK_SECRET": f"whsec_bmV4dCBzZWNyZXQgb2YgMzIgYnl0ZXMgb3Igc28= {SECRET}"}
    log = (tmp_path / "log").open("wb")
    with log, subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}/hooks"
        finally:
            process.kill()
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the receiver has ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the receiver does not listen")


def _types(*words: str, environment: dict[str, str] | None = None, said: str | None = None) -> Any:
    return CliRunner(env=environment).invoke(chotdon, ["certify", *words], input=said)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated secrets out of the checkout."""
    monkeypatch.chdir(tmp_path)


def test_the_example_receivers_are_certified(example: str, tmp_path: Path) -> None:
    """Every scenario passes, and what they keep of an order is its newest version."""
    result = _types(example, "--secret", SECRET)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"{len(SCENARIOS)} of {len(SCENARIOS)} passed"
    assert _statuses_kept(tmp_path / "orders.sqlite") == {"pending", "cancelled"}


def _statuses_kept(store: Path) -> set[str]:
    rows = sqlite3.connect(store)
    try:
        return {json.loads(document)["status"] for (document,) in rows.execute("SELECT document FROM orders")}
    finally:
        rows.close()


def test_what_failed_is_told_with_advice(example: str) -> None:
    """The receiver knows another secret: it takes nothing, and the exit code is 1."""
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    result = _types(example, environment={"CHOTDON_CERTIFY_SECRET": other})

    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "FAIL  takes a webhook with a good signature: it was answered 401",
        f"      {SCENARIOS['takes-good'].advice}",
    ]
    assert other not in result.output


def test_it_prints_json() -> None:
    """One object for each scenario, for whoever runs it in a pipeline."""
    result = _types(f"http://127.0.0.1:{free_port()}/", "--secret", SECRET, "--json")

    document = json.loads(result.stdout)
    assert (result.exit_code, document["passed"], document["failed"]) == (1, 0, len(SCENARIOS))
    assert document["scenarios"][0].keys() == {"name", "title", "passed", "found", "advice"}


def test_the_secret_is_asked_for() -> None:
    """It need not stand in the history of the shell; what is none is refused."""
    result = _types(f"http://127.0.0.1:{free_port()}/", said=f"{SECRET}\n")
    assert "FAIL  takes a webhook" in result.stdout
    assert SECRET not in result.output

    for none in ("secret", "whsec_", f"{SECRET}!", "whsec_c2hvcnQ="):
        assert "a secret looks like" in _types("http://127.0.0.1/", "--secret", none).stderr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "https://127.0.0.1/", "ftp://127.0.0.1/", "nonsense"]
)
def test_in_production_only_public_addresses_are_called(url: str) -> None:
    """What webhooks may not reach, this does not reach either."""
    environment = {
        "CHOTDON_ENV": "production",
        "CHOTDON_SECRET_KEY": "k" * 32,
        "CHOTDON_WEBHOOK_PATH_SECRET": "p" * 32,
        "CHOTDON_DATABASE_URL": "postgres://127.0.0.1/none",
        "CHOTDON_REDIS_URL": "redis://127.0.0.1/0",
        "CHOTDON_BASE_URL": "http://127.0.0.1",
    }
    result = _types(url, "--secret", SECRET, environment=environment)

    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search("Webhooks do not go there: (not https|private address|malformed)", result.stderr)
