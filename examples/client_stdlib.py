"""A client of Chốt Đơn's API with nothing but Python's own library: it places, changes, and catches up.

    export CHOTDON_KEY=cdk_…
    python examples/client_stdlib.py --base http://127.0.0.1:8080 place orders.json
    python examples/client_stdlib.py --base http://127.0.0.1:8080 note ORDER "Gọi trước 10 phút"
    python examples/client_stdlib.py --base http://127.0.0.1:8080 catch-up --after place.txt

`call` is what matters: the same request with the same Idempotency-Key until there is an answer, so that
nothing is placed twice and nothing is lost.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

WITHIN = 10  # seconds for one try
TRIES = 8
FIRST_WAIT = 0.25  # seconds; each wait is twice the one before
LONGEST_WAIT = 300.0  # seconds, whatever is asked for
TRIED_AGAIN = {408, 429, 500, 502, 503, 504}
IN_BATCH = 500


@dataclass(frozen=True)
class Answer:
    """What came back; `etag` names the version of the order in it."""

    status: int
    body: Any
    etag: str


class Refused(Exception):
    """The service said no; `body["code"]` says why, and trying again does not help."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body.get('code')}: {answer.body.get('title')}")
        self.answer = answer


class Client:
    """Calls the API with a platform's key."""

    def __init__(self, base: str, key: str) -> None:
        self._base = f"{base}/api/v1"
        self._key = key

    def call(self, method: str, path: str, body: object = None, *, if_match: str = "") -> Answer:
        """Return the answer, after as many tries as it takes; raises Refused for a no."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())  # the same for every try of this call
        if if_match:
            headers["If-Match"] = if_match
        data = json.dumps(body).encode() if body is not None else None
        for number in range(TRIES):
            request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310
            try:
                return _sent(request)
            except urllib.error.HTTPError as error:
                answer = _answer(error.code, error.headers, error.read())
                if error.code not in TRIED_AGAIN or number == TRIES - 1:
                    raise Refused(answer) from None
                time.sleep(_wait(error.headers.get("Retry-After"), number))
            except OSError:  # no answer: it may have been done, and the key finds out
                if number == TRIES - 1:
                    raise
                time.sleep(FIRST_WAIT * 2**number)
        raise AssertionError("the last try returns or raises")

    def place(self, orders: Sequence[Mapping[str, object]]) -> Iterator[dict[str, Any]]:
        """Yield a result for each order."""
        for start in range(0, len(orders), IN_BATCH):
            answer = self.call("POST", "/orders:batch", {"orders": orders[start : start + IN_BATCH]})
            yield from answer.body["results"]

    def note(self, order_id: str, text: str) -> Answer:
        """Add to an order's note what nobody else may overwrite unseen."""
        while True:
            seen = self.call("GET", f"/orders/{order_id}")
            note = f"{seen.body['note']}\n{text}".strip()
            try:
                return self.call("PATCH", f"/orders/{order_id}", {"note": note}, if_match=seen.etag)
            except Refused as refused:
                if refused.answer.body["code"] != "version_mismatch":
                    raise

    def events(self, after: str) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield what happened after an event, each with where to go on from."""
        more = True
        while more:
            page = self.call("GET", f"/events?after={after}" if after else "/events").body
            for event in page["items"]:
                yield event, event["id"]
            after, more = page["next_after"] or after, page["has_more"]


def _wait(asked: str | None, number: int) -> float:
    """Return how many seconds to wait: what was asked for, which a proxy may write as a date, or ours."""
    return min(float(asked), LONGEST_WAIT) if asked and asked.isdecimal() else FIRST_WAIT * 2**number


def _sent(request: urllib.request.Request) -> Answer:
    with urllib.request.urlopen(request, timeout=WITHIN) as answer:  # noqa: S310  (the address is ours)
        return _answer(answer.status, answer.headers, answer.read())


def _answer(status: int, headers: Message, raw: bytes) -> Answer:
    body = json.loads(raw) if raw.startswith(b"{") else {}
    return Answer(status, body, headers.get("ETag") or "")


def main() -> int:
    """Do what is asked; 1 if any order was refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8080")
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("place").add_argument("file", type=Path, help="a JSON list of orders")
    note = deeds.add_parser("note")
    note.add_argument("order")
    note.add_argument("text")
    deeds.add_parser("catch-up").add_argument("--after", type=Path, required=True, help="keeps the place")
    args = parser.parse_args()
    client = Client(args.base, os.environ["CHOTDON_KEY"])
    if args.deed == "place":
        return _place(client, json.loads(args.file.read_text("utf-8")))
    if args.deed == "note":
        print(client.note(args.order, args.text).body["note"])
        return 0
    return _catch_up(client, args.after)


def _place(client: Client, orders: Sequence[Mapping[str, object]]) -> int:
    refused = 0
    for order, result in zip(orders, client.place(orders), strict=True):
        if "order" in result:
            print(order.get("external_id"), result["order"]["id"], result["order"]["code"])
        else:
            refused += 1
            print(order.get("external_id"), json.dumps(result["problem"]), file=sys.stderr)
    return 1 if refused else 0


def _catch_up(client: Client, place: Path) -> int:
    """Print what happened since the last time, and keep the place after each event that was dealt with."""
    for event, here in client.events(place.read_text("utf-8").strip() if place.exists() else ""):
        print(event["type"], event["data"].get("id") or event["data"].get("partner"))
        place.write_text(here, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
