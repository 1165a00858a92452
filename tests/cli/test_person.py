"""What is known of a person is told and erased at their wish; a restored database is brought into order."""

from typing import Any, Final

from core.database import Database
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.order import Reason
from tests.cli.conftest import KITCHEN, Operator, Placed, place, tap

CUSTOMER: Final = ("person", "erase", "--phone", "0909 123 456", "--reason", "asked by mail")
LAN: Final = ("person", "erase", "--phone", "0901234567", "--reason", "asked by mail")
_EVERYTHING: Final = """
SELECT string_agg(words, ' ') FROM (
    SELECT to_jsonb(o)::text FROM orders o UNION ALL SELECT to_jsonb(e)::text FROM events e
    UNION ALL SELECT to_jsonb(n)::text FROM notices n UNION ALL SELECT to_jsonb(m)::text FROM messages m
    UNION ALL SELECT to_jsonb(s)::text FROM order_search s UNION ALL SELECT to_jsonb(i)::text FROM inbox i
    UNION ALL SELECT to_jsonb(s)::text FROM staff s UNION ALL SELECT to_jsonb(a)::text FROM addresses a
    UNION ALL SELECT to_jsonb(a)::text FROM audit a UNION ALL SELECT to_jsonb(r)::text FROM reach r
) AS texts(words)
"""

_CUSTOMERS: Final = """
SELECT string_agg(external_id || ': ' || (customer ->> 'name'), ', ' ORDER BY external_id) FROM orders
"""


def value(operator: Operator, query: str) -> Any:
    """Return one value of the database."""

    async def work(database: Database) -> Any:
        return await database.pool.fetchval(query)

    return operator.with_database(work)


def readable(operator: Operator, *words: str) -> list[str]:
    """Return which of these words can still be read anywhere."""
    text = value(operator, _EVERYTHING)
    return [word for word in words if word in text]


def cancelled(operator: Operator, order: Placed) -> None:
    """Let Lan cancel the order."""
    tap(operator, CancelOrder(order.id, Reason(1, "Hết món")))


def test_a_customer_is_told_everything(operator: Operator, order: Placed) -> None:
    """Every order with what happened to it; that it was asked for is on record, without the phone."""
    told = operator.reads("person", "export", "--phone", "0909123456", "--by", "Minh")
    assert [each["code"] for each in told["customer"]] == [order.code]
    assert told["customer"][0]["customer"]["email"] == "an@example.com"
    assert [event["type"] for event in told["customer"][0]["events"]] == ["order.placed"]
    assert told["staff"] == []
    record = value(operator, "SELECT to_jsonb(a)::text FROM audit a WHERE deed = 'person.exported'")
    assert "Minh" in record
    assert "909123456" not in record


def test_by_mail_too(operator: Operator, order: Placed) -> None:
    """In whatever case it is written."""
    told = operator.reads("person", "export", "--email", "AN@example.com")
    assert [each["code"] for each in told["customer"]] == [order.code]


def test_a_member_is_told_what_they_did(operator: Operator, order: Placed) -> None:
    """Where they work, how they are reached, and every deed."""
    tap(operator, ConfirmOrder(order.id))
    (lan,) = operator.reads("person", "export", "--phone", "0901234567")["staff"]
    assert (lan["name"], lan["role"], lan["partner"]) == ("Lan", "owner", "Cơm Nhà Lan")
    assert [known["value"] for known in lan["addresses"]] == ["+84901234567"]
    assert [(deed["type"], deed["order"]) for deed in lan["deeds"]] == [("order.confirmed", order.code)]


def test_a_customer_is_erased(operator: Operator, order: Placed) -> None:
    """From a closed order at once, everywhere; the record has a reason and no phone."""
    cancelled(operator, order)
    told = operator.reads(*CUSTOMER, "--yes", "--by", "Minh")
    assert told == {"erased": True, "orders": 1, "left": [], "members": 0}
    assert readable(operator, "909123456", "an@example.com", "Công ty ABC", "12 Lê Lợi", "cổng sau") == []
    assert readable(operator, "asked by mail", "person.erased", "Cơm gà")


def test_nothing_is_erased_without_yes(operator: Operator, order: Placed) -> None:
    """What would be done is told."""
    cancelled(operator, order)
    result = operator.types(*CUSTOMER)
    assert result.exit_code == 0
    assert "would be erased: 1" in result.stdout
    assert "--yes" in result.stdout
    assert readable(operator, "909123456")


def test_an_open_order_keeps_its_customer(operator: Operator, order: Placed) -> None:
    """It is named, the exit status tells of it, and the closed one is erased all the same."""
    closed = place(operator, "PX-2")
    cancelled(operator, closed)
    told = operator.reads(*CUSTOMER, "--yes", exit_code=3)
    assert told == {"erased": True, "orders": 1, "left": [order.named], "members": 0}
    assert value(operator, _CUSTOMERS) == "PX-1: Công ty ABC, PX-2: •••"


def test_a_member_is_erased(operator: Operator, order: Placed) -> None:
    """Gone from the kitchen, called "Đã xoá" where their deeds are shown; id and role stay."""
    operator.reads("staff", "add", KITCHEN, "--name", "Hoa", "--role", "owner")
    tap(operator, ConfirmOrder(order.id))
    assert operator.reads(*LAN, "--yes")["members"] == 1
    assert readable(operator, "901234567", '"Lan"') == []
    event = operator.reads("order", "show", order.named)["events"][-1]
    assert (event["type"], event["by"]["name"]) == ("order.confirmed", "Đã xoá")
    assert (
        value(operator, "SELECT role FROM staff WHERE name = 'Đã xoá' AND removed_at IS NOT NULL") == "owner"
    )


def test_the_last_owner_is_not_erased(operator: Operator, order: Placed) -> None:
    """A kitchen needs one: nothing happens."""
    assert "last owner" in operator.is_refused(*LAN, "--yes")
    assert readable(operator, "901234567")


def test_who_is_not_known(operator: Operator, kitchen: str) -> None:
    """One line; neither is nobody named, nor somebody twice."""
    assert "Nobody is known" in operator.is_refused("person", "export", "--phone", "0909999999")
    operator.is_refused("person", "export", exit_code=2)
    operator.is_refused("person", "export", "--phone", "0909999999", "--email", "a@b.vn", exit_code=2)


def test_a_restored_database_hides_nothing(operator: Operator, order: Placed) -> None:
    """Rows of a cluster that had counted further lie ahead of this one, until they are set right."""

    async def restore(database: Database) -> None:
        await database.pool.execute("UPDATE orders SET changed_in = '9000000000'")
        await database.pool.execute("UPDATE events SET made_in = '9000000000'")

    operator.with_database(restore)
    behind = "SELECT count(*) FROM {} WHERE {} < pg_snapshot_xmin(pg_current_snapshot())"
    assert value(operator, behind.format("orders", "changed_in")) == 0
    assert operator.reads("restored") == {"orders": 1, "events": 1, "partner_events": 0}
    assert value(operator, behind.format("orders", "changed_in")) == 1
    assert value(operator, behind.format("events", "made_in")) == 1
    assert operator.reads("restored") == {"orders": 0, "events": 0, "partner_events": 0}
