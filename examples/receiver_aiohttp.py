"""A webhook receiver for Chốt Đơn with aiohttp and the standardwebhooks library.

Run it with the secret that `chotdon platform add` showed, and try it out with `chotdon certify`:

    WEBHOOK_SECRET=whsec_… python examples/receiver_aiohttp.py --port 9000
    chotdon certify http://127.0.0.1:9000/ --secret whsec_…

What a receiver must do stands in the order in which `hear` does it. Whatever takes long (telling a customer,
calling another service) belongs behind the answer, not before it.
"""

import argparse
import json
import os
import sqlite3
from collections.abc import Sequence

from aiohttp import web
from standardwebhooks import Webhook

MOST_BYTES = 1024 * 1024

SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (webhook_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL);
"""


class Receiver:
    """Keeps the newest version of every order that it hears of."""

    def __init__(self, secrets: Sequence[str], store: sqlite3.Connection) -> None:
        self._keys = [Webhook(secret) for secret in secrets]
        self._store = store
        store.executescript(SCHEMA)

    async def hear(self, request: web.Request) -> web.Response:
        """Take one webhook."""
        raw = await request.read()  # the bytes as they came: these are what was signed
        if not self._is_signed(raw, request):
            return web.Response(status=401)
        self._keep(request.headers["webhook-id"], json.loads(raw))
        return web.Response(status=204)

    def _is_signed(self, raw: bytes, request: web.Request) -> bool:
        """Tell whether one of our secrets signed it, and not long ago."""
        for key in self._keys:
            try:
                key.verify(raw, dict(request.headers))
            except Exception:  # noqa: BLE001, S112  (the library has no one error for what is wrong)
                continue
            return True
        return False

    def _keep(self, webhook_id: str, event: dict[str, object]) -> None:
        with self._store:  # one transaction: a webhook is heard when what it says is kept
            new = self._store.execute("INSERT OR IGNORE INTO heard VALUES (?)", (webhook_id,)).rowcount
            if not new:
                return  # sent again because our answer was lost
            if not str(event["type"]).startswith("order."):
                return  # a kitchen's pause, or something that this receiver does not know yet
            order = event["data"]
            if isinstance(order, dict) and "version" in order:
                self._keep_order(order)

    def _keep_order(self, order: dict[str, object]) -> None:
        """Keep an order, unless there is a newer version of it already: events may come late."""
        self._store.execute(
            "INSERT INTO orders VALUES (:id, :version, :document)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document"
            " WHERE excluded.version > orders.version",
            {"id": order["id"], "version": order["version"], "document": json.dumps(order)},
        )


def main() -> None:
    """Listen until Ctrl-C. While a secret is renewed, WEBHOOK_SECRET has both, with a space between."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--store", default=":memory:", help="a SQLite file")
    args = parser.parse_args()
    receiver = Receiver(os.environ["WEBHOOK_SECRET"].split(), sqlite3.connect(args.store))
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/{path:.*}", receiver.hear)
    web.run_app(app, host="127.0.0.1", port=args.port)


if __name__ == "__main__":
    main()
