"""A webhook receiver for Chốt Đơn with nothing but Python's own library.

    WEBHOOK_SECRET=whsec_… python examples/receiver_stdlib.py --port 9000
    chotdon certify http://127.0.0.1:9000/ --secret whsec_…

`is_signed` is all that Standard Webhooks asks of a receiver, to be written in any language.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST_BYTES = 1024 * 1024
TOLERANCE = 5 * 60  # seconds that the sender's clock and ours may differ

SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (webhook_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL);
"""


def is_signed(secrets: Sequence[str], headers: Mapping[str, str], raw: bytes, *, now: float) -> bool:
    """Tell whether one of our secrets signed these bytes, and not long ago."""
    webhook_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    if not webhook_id or not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode() + raw
    given = [text.encode() for text in headers.get("webhook-signature", "").split()]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        if any(hmac.compare_digest(right, one) for one in given):
            return True
    return False


class Store:
    """The newest version of every order; requests come in several threads, the store has one at a time."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(path, check_same_thread=False)
        self._rows.executescript(SCHEMA)

    def keep(self, webhook_id: str, event: dict[str, object]) -> None:
        """Keep what a webhook says, once; both or neither are on record."""
        with self._lock, self._rows:
            new = self._rows.execute("INSERT OR IGNORE INTO heard VALUES (?)", (webhook_id,)).rowcount
            order = event.get("data")
            if new and str(event.get("type")).startswith("order.") and isinstance(order, dict):
                self._keep_order(order)

    def _keep_order(self, order: dict[str, object]) -> None:
        """Keep an order, unless there is a newer version of it already: events may come late."""
        if "version" not in order:
            return
        self._rows.execute(
            "INSERT INTO orders VALUES (:id, :version, :document)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document"
            " WHERE excluded.version > orders.version",
            {"id": order["id"], "version": order["version"], "document": json.dumps(order)},
        )


class Receiver(ThreadingHTTPServer):
    """Listens on this machine; put a proxy that speaks https in front of it."""

    request_queue_size = 128

    def __init__(self, port: int, secrets: Sequence[str], store: Store) -> None:
        super().__init__(("127.0.0.1", port), Hearing)
        self.secrets = secrets
        self.store = store


class Hearing(BaseHTTPRequestHandler):
    """One webhook."""

    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Verify, keep, answer: in this order."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.close_connection = True
            self._answer(413)
            return
        raw = self.rfile.read(length)
        headers = {name.lower(): text for name, text in self.headers.items()}
        if not is_signed(self.server.secrets, headers, raw, now=time.time()):
            self._answer(401)
            return
        self.server.store.keep(headers["webhook-id"], json.loads(raw))
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: bodies and addresses do not belong into logs."""


def main() -> None:
    """Listen until Ctrl-C. While a secret is renewed, WEBHOOK_SECRET has both, with a space between."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--store", default=":memory:", help="a SQLite file")
    args = parser.parse_args()
    with Receiver(args.port, os.environ["WEBHOOK_SECRET"].split(), Store(args.store)) as receiver:
        receiver.serve_forever()


if __name__ == "__main__":
    main()
