"""Whoever restarts what does not work any more can ask."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from core.clock import real_now
from core.database import Database
from jobs.keepers import SWEEP
from tests.cli.conftest import Operator


class _Web(BaseHTTPRequestHandler):
    """Answers as the web process does, or as one in trouble."""

    def do_GET(self) -> None:
        """Answer `/healthz` with 200, anything else with 500."""
        self.send_response(200 if self.path == "/healthz" else 500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_web_process_that_answers_is_healthy(operator: Operator) -> None:
    """It is asked on this machine, whatever proxies the environment names."""
    operator.settings["http_proxy"] = "http://127.0.0.1:9"
    with HTTPServer(("127.0.0.1", 0), _Web) as server:
        Thread(target=server.handle_request, daemon=True).start()
        result = operator.types("healthy", "serve", "--port", str(server.server_port))
    assert (result.exit_code, result.stdout) == (0, "The web process is alive.\n")


def test_one_that_does_not_is_not(operator: Operator) -> None:
    """Nobody listens there."""
    with HTTPServer(("127.0.0.1", 0), _Web) as server:
        port = server.server_port
    assert "does not answer" in operator.is_refused("healthy", "serve", "--port", str(port))


@pytest.mark.parametrize(
    ("seconds", "status"), [(5, 0), (3600, 1), (None, 1)], ids=["now", "an hour ago", "never"]
)
def test_a_worker_is_healthy_while_it_sweeps(operator: Operator, seconds: int | None, status: int) -> None:
    """By when it last did, in real time."""

    async def sweep(database: Database) -> None:
        if seconds is not None:
            await database.pool.execute(
                "INSERT INTO heartbeats (name, at) VALUES ($1, $2)",
                SWEEP,
                real_now() - timedelta(seconds=seconds),
            )

    operator.with_database(sweep)
    assert operator.types("healthy", "worker").exit_code == status
