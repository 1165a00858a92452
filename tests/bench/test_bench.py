"""The benchmark itself, in a size that says nothing of speed: everything starts, is measured, and ends."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import pgbench
from bench.archive import must_fit
from bench.figures import Aim, Figure, percentile, shown, table
from bench.load import Connection, Load, pack, unpack
from bench.load import run as run_load
from bench.promptness import first_calls
from bench.stage import Failed

ROOT = Path(__file__).parents[2]
READ = (
    *("ds", "ds_waiting", "search_dish", "search_customer", "search_code"),
    *("page_to_do", "page_all", "page_search"),
)
FIGURES = {
    "tap.rows",
    *(f"tap.{connections}.{name}" for connections in (8, 32) for name in ("rate", "p50", "p99")),
    *("place.batch.rate", "place.batch.ratio"),
    *("place.rate", "place.p99", "cards.rate", "prompt.rate", "prompt.p50", "prompt.p99", "prompt.max"),
    *(f"webhooks.{name}" for name in ("rate", "last", "p50", "cancels")),
    *(f"sweep.{what}.{name}" for what in ("idle", "due") for name in ("few", "many", "ratio")),
    *(f"trouble.{what}.{name}" for what in ("calm", "hang", "ratio") for name in ("p50", "p99")),
    *("memory.web", "memory.worker"),
    *(f"read.{what}.{name}" for what in READ for name in ("few", "many", "ratio")),
    *(f"board.{what}.p99" for what in ("page", "far", "silent", "counts", "version")),
}
ANCHOR = {"pgbench.tps", "pgbench.latency", "tap.8.ratio", "tap.32.ratio"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the smallest run kept, together with what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    kept, temporary = folder / "bench.json", folder / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "bench", "--size=smoke", f"--json={kept}"]
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(kept.read_text()), "printed": done.stdout, "temporary": temporary}


@pytest.mark.timeout(300)
def test_every_figure_is_measured(run: dict[str, Any]) -> None:
    """All figures are there, each a number above nothing, and each in the table."""
    figures = {figure["key"]: figure for figure in run["figures"]}
    assert set(figures) == FIGURES | (ANCHOR if pgbench.find() else set())
    assert all(figure["value"] > 0 for figure in figures.values())
    assert all(figure["what"] in run["printed"] for figure in figures.values())


@pytest.mark.timeout(300)
def test_a_tap_writes_what_it_owes(run: dict[str, Any]) -> None:
    """Inbox, order, event, two notices, a webhook, two timers planned and two killed."""
    [rows] = [figure for figure in run["figures"] if figure["key"] == "tap.rows"]
    assert rows["value"] == 10


@pytest.mark.timeout(300)
def test_nothing_is_left_behind(run: dict[str, Any]) -> None:
    """Neither a file nor a process of the run outlives it."""
    left = str(run["temporary"])
    assert list(run["temporary"].iterdir()) == []
    assert not [process for process in psutil.process_iter() if _works_in(process, left)]


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        return str(process.cwd()).startswith(folder)
    except (psutil.Error, OSError):
        return False


def test_the_anchor_is_looked_for_where_debian_puts_it() -> None:
    """What is found is a program; on the path it comes first."""
    found, on_path = pgbench.find(), shutil.which("pgbench")
    assert found is None or found.name == "pgbench"
    assert on_path is None or found == Path(on_path)


def test_a_missed_aim_shows() -> None:
    """The table tells an aim that is met from one that is not."""
    text = table(
        [
            Figure("a", "taps ÷ pgbench", 0.95, "", (Aim.AT_LEAST, 0.8)),
            Figure("b", "memory", 151.0, "MB", (Aim.AT_MOST, 150.0), runs=(149.0, 153.0)),
        ]
    )
    assert re.search(r"taps ÷ pgbench +0\.95 +≥ 0\.8 met$", text, re.MULTILINE)
    assert re.search(r"memory +151 MB +≤ 150 MISSED +149 … 153$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("value", "text"), [(7512.4, "7,512"), (99.96, "100"), (0.8123, "0.812"), (3.0, "3")]
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    """Large numbers are whole, small ones have three significant digits."""
    assert shown(value) == text


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The 99th of a hundred is the second largest, the 50th of three the middle one."""
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([5.0], 0.99) == 5.0


def test_requests_come_out_as_they_were_packed() -> None:
    """Whatever bytes they hold."""
    requests = [b"POST / HTTP/1.1\r\n\r\n", b"", b"\x00" * 300]
    assert list(unpack(pack(requests))) == requests


def test_the_first_call_about_an_order_counts() -> None:
    """Two kitchens may have orders of one code; of two calls about one order the earlier one counts."""
    calls = [
        (3.0, "lan", "Đơn 48273 mới, chờ bạn xác nhận"),
        (2.0, "lan@example.com", "Đơn 48273 mới, chờ bạn xác nhận"),
        (1.0, "lan", "Đơn 48273 vẫn chờ bạn xác nhận"),
        (9.0, "hoa", "Đơn 48273 mới, chờ bạn xác nhận"),
    ]
    assert first_calls(calls) == {
        ("lan", "48273"): 1.0,
        ("lan@example.com", "48273"): 2.0,
        ("hoa", "48273"): 9.0,
    }


async def test_what_is_answered_503_is_sent_again_and_its_time_goes_on() -> None:
    """A server that is busy once gets the same request again; the answer's seconds hold the wait."""
    heard: list[bytes] = []

    async def busy_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for status in (b"503 Busy", b"201 Created"):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(busy_once, "127.0.0.1", 0)
    load = Load(deque([b"POST / HTTP/1.1\r\n\r\n"]), keep_bodies=True, left=1)
    loop = asyncio.get_running_loop()
    transport, connection = await loop.create_connection(
        lambda: Connection(load), *server.sockets[0].getsockname()
    )
    try:
        await run_load(load, [connection], rate=0.0, within=20.0)
    finally:
        transport.abort()
        server.close()
    assert (load.again, dict(load.statuses), load.bodies) == (1, {"201": 1}, ["{}"])
    assert len(heard) == 2
    assert load.took[0] >= 0.2


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    """Before anything is made, and by name; what fits is not."""
    must_fit(tmp_path, 1)
    with pytest.raises(Failed, match=re.escape(str(tmp_path))):
        must_fit(tmp_path, 10**12)
