import json
from datetime import timedelta
from uuid import uuid4

import pytest
import redis

from core import ids
from core.database import Database
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.order import Reason
from jobs.queues import QueueName
from tests.cli.conftest import KITCHEN, Operator, Placed, place, tap


def status(operator: Operator, order: Placed) -> str:
    """Return where the order stands."""
    return str(operator.reads("order", "show", order.named)["status"])


def test_an_operator_confirms_for_the_partner(operator: Operator, order: Placed) -> None:
    """The order is confirmed by the operator's name, with the reason on record."""
    told = operator.reads("order", "confirm", order.named, "--reason", "Lan gọi điện", "--by", "Minh")
    assert told["outcome"] == "done"
    assert told["order"]["status"] == "confirmed"
    assert told["order"]["status_changed_by"] == {"channel": "operator", "name": "Minh"}
    event = told["order"]["events"][-1]
    assert (event["type"], event["data"]["reason"]["text"]) == ("order.confirmed", "Lan gọi điện")


def test_who_acts_is_on_record_without_saying_so(operator: Operator, order: Placed) -> None:
    """Without --by it is whoever is signed in on this machine."""
    told = operator.reads("order", "confirm", str(order.id))
    assert told["order"]["status_changed_by"]["name"]


def test_an_operator_cancels_what_a_partner_cannot(operator: Operator, order: Placed) -> None:
    """A confirmed order is cancelled by the operators' hand, with words for everybody."""
    tap(operator, ConfirmOrder(order.id))
    told = operator.reads("order", "cancel", order.named, "--reason", "Bếp mất điện", "--by", "Minh")
    assert told["order"]["status"] == "cancelled"
    assert told["order"]["reason"] == {"code": None, "text": "Bếp mất điện"}


def test_a_reason_may_be_a_number(operator: Operator, order: Placed) -> None:
    """The short list is the operators', too."""
    told = operator.reads("order", "cancel", order.named, "--reason", "2")
    assert told["order"]["reason"] == {"code": 2, "text": "Quá tải"}


def test_cancelling_asks_for_a_reason(operator: Operator, order: Placed) -> None:
    """Without one nothing happens."""
    assert "--reason" in operator.is_refused("order", "cancel", order.named, exit_code=2)
    assert status(operator, order) == "pending"


@pytest.mark.parametrize("reason", ["7", "0", " ", "x" * 501, "a\0b", "\ud800"])
def test_a_reason_is_a_reason(operator: Operator, order: Placed, reason: str) -> None:
    """Nonsense is not put on record."""
    operator.is_refused("order", "cancel", order.named, "--reason", reason, exit_code=2)
    assert status(operator, order) == "pending"


def test_whoever_was_first_wins(operator: Operator, order: Placed) -> None:
    """An operator who comes too late hears who had settled it, and fails."""
    tap(operator, CancelOrder(order.id, Reason(1, "Hết món")))
    late = operator.types("order", "confirm", order.named)
    assert late.exit_code == 1
    assert f"{order.named} is cancelled already, by Lan at " in late.stdout
    assert operator.reads("order", "confirm", order.named, exit_code=1)["outcome"] == "state"


def test_what_is_so_already_is_no_failure(operator: Operator, order: Placed) -> None:
    """Confirming twice says so, and a script may go on."""
    operator.reads("order", "confirm", order.named, "--by", "Minh")
    again = operator.types("order", "confirm", order.named, "--by", "Mai")
    assert again.exit_code == 0
    assert "is confirmed already, by Minh" in again.stdout


def test_completing_too_early_says_from_when(operator: Operator, order: Placed) -> None:
    """An order for tomorrow is not complete today."""
    operator.reads("order", "confirm", order.named)
    early = operator.types("order", "complete", order.named)
    assert early.exit_code == 1
    assert "can be completed from" in early.stdout


def test_an_order_is_completed_when_it_is_time(operator: Operator, kitchen: str) -> None:
    """An hour before delivery it may be."""
    order = place(operator, after=timedelta(minutes=30))
    operator.reads("order", "confirm", order.named)
    assert operator.reads("order", "complete", order.named)["order"]["status"] == "completed"


@pytest.mark.parametrize(
    "named",
    [
        "",
        "x",
        "00000000-0000-0000-0000-000000000000",
        f"{KITCHEN}/",
        f"{KITCHEN}/00000",
        f"{KITCHEN}/x",
        "n/12345",
    ],
)
def test_what_is_no_order_is_said_to_be_none(operator: Operator, kitchen: str, named: str) -> None:
    """Whatever is asked for, it is an order or it is said that it is none."""
    assert f"There is no order {named}." in operator.is_refused("order", "show", named)


@pytest.mark.parametrize("named", ["Cơm/12345", "\ud800/12345", "a\0b/12345"])
def test_a_strange_partner_is_no_accident(operator: Operator, kitchen: str, named: str) -> None:
    """What no partner's code can be is told as such."""
    assert "A partner's code is" in operator.is_refused("order", "show", named)


def test_a_shown_order_tells_its_story_and_steers_no_terminal(operator: Operator, order: Placed) -> None:
    """Everything that happened is there; control characters from outside are not."""
    tap(operator, ConfirmOrder(order.id))
    shown = operator.types("order", "show", order.named).stdout
    for part in (
        "confirmed, by Lan at",
        "Cơm gà",
        "900.000 đ",
        "Công ty ABC, +84909123456",
        "placed",
        "pitaya",
    ):
        assert part in shown
    assert "\x1b" not in shown
    assert "\x1b" not in operator.types("order", "show", order.named, "--json").stdout


def test_orders_are_listed_by_delivery_and_paged_by_key(operator: Operator, kitchen: str) -> None:
    """Two pages of two hold four orders, newest delivery first, none twice."""
    placed = [place(operator, f"PX-{days}", after=timedelta(days=days)) for days in (3, 1, 4, 2)]
    first = operator.reads("order", "list", "--limit", "2")
    second = operator.reads("order", "list", "--limit", "2", "--cursor", first["next_cursor"])
    codes = [order["code"] for page in (first, second) for order in page["items"]]
    assert codes == [placed[at].code for at in (2, 0, 3, 1)]
    assert second["next_cursor"] is None
    assert "events" not in first["items"][0]


def test_the_list_is_filtered(operator: Operator, order: Placed) -> None:
    """By status, by partner, by day of delivery."""
    operator.reads("partner", "add", "--code", "bep-me", "--name", "Bếp Mẹ")
    day = operator.reads("order", "show", order.named)["deliver_at"][:10]

    def found(*words: str) -> int:
        return len(operator.reads("order", "list", *words)["items"])

    assert found("--status", "pending", "--status", "confirmed", "--partner", KITCHEN) == 1
    assert found("--status", "confirmed") == 0
    assert found("--partner", "bep-me") == 0
    assert found("--partner", KITCHEN, "--from", day, "--to", day) == 1
    assert found("--to", "2020-01-01") == 0
    assert found("--from", "0001-01-01", "--to", "9999-12-31") == 1


@pytest.mark.parametrize("cursor", ["x", "!!", "", "AAAA", "ô", "\ud800"])
def test_a_made_up_cursor_is_refused(operator: Operator, kitchen: str, cursor: str) -> None:
    """Only what was printed as a cursor is one."""
    assert "no cursor" in operator.is_refused("order", "list", "--cursor", cursor)


def test_people_read_where_the_next_page_starts(operator: Operator, kitchen: str) -> None:
    """The table ends with the words for more."""
    for number in range(2):
        place(operator, f"PX-{number}")
    lines = operator.types("order", "list", "--limit", "1").stdout.splitlines()
    assert lines[0].split()[:3] == ["ORDER", "STATUS", "DELIVERY"]
    assert lines[-1].startswith("More: --cursor ")


def told(operator: Operator, order: Placed) -> None:
    """Put a message on record that a gateway refused, and one that waits."""

    async def work(database: Database) -> None:
        notice_id = await database.pool.fetchval("SELECT id FROM notices WHERE order_id = $1", order.id)
        now = database.clock.now()
        message_id = ids.new()
        for each, rung, state in ((message_id, 0, "failed"), (ids.new(), 1, "waiting")):
            await database.pool.execute(
                "INSERT INTO messages (id, notice_id, order_id, leg, person, channel, address_kind, address,"
                " rung, state, next_at, created_at)"
                " VALUES ($1, $2, $3, 'email', 'customer', 'email', 'email', $7, $4, $5, $6, $6)",
                each,
                notice_id,
                order.id,
                rung,
                state,
                now,
                "an@example.com",
            )
        await database.pool.execute(
            "INSERT INTO attempts (message_id, try, started_at, took, outcome, why, cost)"
            " VALUES ($1, 1, $2, $3, 'no_such_recipient', '550 <an@example.com> unknown', 300)",
            message_id,
            now,
            timedelta(seconds=1),
        )

    operator.with_database(work)


def test_messages_are_listed_with_masked_addresses(operator: Operator, order: Placed) -> None:
    """Every attempt is there with its end, and nobody's address, not even in a gateway's words."""
    told(operator, order)
    result = operator.types("message", "list", "--order", order.named, "--json")
    failed, waiting = json.loads(result.stdout)["items"]
    assert (failed["channel"], failed["address"], failed["outcome"]) == (
        "email",
        "a•••@example.com",
        "no_such_recipient",
    )
    assert (failed["cost"], failed["why"], failed["notice"]) == (
        300,
        "550 <a•••@example.com> unknown",
        "order_new",
    )
    assert (waiting["state"], waiting["outcome"], waiting["person"]) == ("waiting", None, "customer")
    table = operator.types("message", "list", "--order", str(order.id)).stdout
    assert "an@example.com" not in result.stdout + table


def test_messages_of_no_order_are_none(operator: Operator, kitchen: str) -> None:
    """An unknown order is said to be unknown, not to have no messages."""
    assert "There is no order" in operator.is_refused("message", "list", "--order", str(uuid4()))


def test_the_worker_is_woken(operator: Operator, order: Placed) -> None:
    """Whoever is owed something because of an operator need not wait for the sweep."""
    operator.reads("order", "confirm", order.named)
    with redis.Redis.from_url(operator.redis_url) as client:
        assert client.zcard(QueueName.ROUTE) == 1


def test_without_redis_an_operator_acts_all_the_same(operator: Operator, order: Placed) -> None:
    """What is owed stays owed; the worker finds it when Redis is back."""
    operator.redis_url = "redis://127.0.0.1:1/0"
    assert operator.reads("order", "confirm", order.named)["outcome"] == "done"

    async def owed(database: Database) -> int:
        count = "SELECT count(*) FROM notices WHERE state = 'owed' AND kind = 'order_confirmed'"
        return int(await database.pool.fetchval(count))

    assert operator.with_database(owed) == 1


def test_a_database_that_is_away_is_said_to_be(operator: Operator) -> None:
    """One line, no stack trace."""
    operator.database_url = "postgres://nobody@127.0.0.1:1/none"
    assert "The database cannot be reached" in operator.is_refused("order", "list")


def test_a_database_without_a_schema_says_what_to_run(operator: Operator) -> None:
    """Whoever forgot `migrate` is told its name."""

    async def empty(database: Database) -> None:
        await database.pool.execute("DROP SCHEMA public CASCADE")
        await database.pool.execute("CREATE SCHEMA public")

    operator.with_database(empty)
    assert "chotdon migrate" in operator.is_refused("order", "list")
