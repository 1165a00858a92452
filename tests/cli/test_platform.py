"""Platforms by an operator's hand: keys renewed, webhooks switched off and on, looked at and sent again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.clock import real_now
from core.database import Database
from core.platforms import platforms
from tests.cli.conftest import KITCHEN, Operator, place


@pytest.fixture
def pitaya(operator: Operator) -> dict[str, Any]:
    """Return what `platform add` printed of a platform without an address."""
    added: dict[str, Any] = operator.reads("platform", "add", "pitaya")
    return added


def give_address(operator: Operator) -> None:
    """Let it have an address, behind the operator's back: nothing is called here."""

    async def work(database: Database) -> None:
        await database.pool.execute("UPDATE platforms SET webhook_url = 'https://shop.example/hooks'")

    operator.with_database(work)


def opens(operator: Operator, key: str, *, after: timedelta = timedelta()) -> bool:
    """Whether a key is good, so long from now."""

    async def work(database: Database) -> bool:
        return await platforms.authenticate(key, now=real_now() + after) is not None

    return operator.with_database(work)


def deeds(operator: Operator) -> list[tuple[str, str, str, str]]:
    """Return what is on record: who, by which way, what, to which platform."""

    async def work(database: Database) -> list[tuple[str, str, str, str]]:
        rows = await database.pool.fetch("SELECT who, via, deed, about FROM audit ORDER BY id")
        return [tuple(row) for row in rows]

    return operator.with_database(work)


def test_platforms_are_listed_without_their_keys(operator: Operator, pitaya: dict[str, Any]) -> None:
    """Neither key nor secret can be read again."""
    listed = operator.reads("platform", "list")
    assert [one["name"] for one in listed["items"]] == ["pitaya"]
    shown = operator.types("platform", "show", "pitaya", "--json").stdout
    assert pitaya["api_key"] not in shown
    assert pitaya["webhook_secret"] not in shown
    assert "pitaya" in operator.types("platform", "list").stdout


def test_a_renewed_key_and_the_one_before_are_good_for_a_while(
    operator: Operator, pitaya: dict[str, Any]
) -> None:
    """The one before ends when it was said; a stranger's never begins."""
    new = operator.reads("platform", "renew-key", "pitaya", "--keep", "PT2H", "--by", "Minh")["api_key"]
    assert opens(operator, new)
    assert opens(operator, pitaya["api_key"])
    assert opens(operator, new, after=timedelta(hours=3))
    assert not opens(operator, pitaya["api_key"], after=timedelta(hours=3))
    assert deeds(operator) == [("Minh", "cli", "platform.key_renewed", "pitaya")]


def test_a_key_that_leaked_ends_at_once(operator: Operator, pitaya: dict[str, Any]) -> None:
    """--keep 0."""
    operator.reads("platform", "renew-key", "pitaya", "--keep", "0")
    assert not opens(operator, pitaya["api_key"])


def test_a_renewed_secret_is_shown_once(operator: Operator, pitaya: dict[str, Any]) -> None:
    """With the moment at which the one before ends."""
    renewed = operator.reads("platform", "renew-secret", "pitaya")
    assert renewed["webhook_secret"].startswith("whsec_")
    assert renewed["webhook_secret"] != pitaya["webhook_secret"]
    assert operator.reads("platform", "show", "pitaya")["secret_before_until"]


def test_nothing_is_kept_for_ever(operator: Operator, pitaya: dict[str, Any]) -> None:
    """A secret of before is no second secret."""
    assert "30 days" in operator.is_refused("platform", "renew-secret", "pitaya", "--keep", "P31D")


def test_a_platform_is_changed(operator: Operator, pitaya: dict[str, Any]) -> None:
    """What is not said stays; an address can be taken away."""
    give_address(operator)
    changed = operator.reads("platform", "set", "pitaya", "--scope", "own", "--no-notify-customer")
    assert (changed["scope"], changed["notify_customer"], changed["ask_review"]) == ("own", False, False)
    assert changed["webhook_url"]
    assert operator.reads("platform", "set", "pitaya", "--webhook-url", "none")["webhook_url"] is None
    assert [deed for _, _, deed, _ in deeds(operator)] == ["platform.changed"] * 2


@pytest.mark.parametrize("url", ["http://shop.example/", "https://127.0.0.1/", "https://[::1]/", "nonsense"])
def test_an_address_inside_is_refused(operator: Operator, pitaya: dict[str, Any], url: str) -> None:
    """As when a platform is added; nothing is on record."""
    operator.is_refused("platform", "set", "pitaya", "--webhook-url", url)
    assert deeds(operator) == []


def test_switched_off_and_on(operator: Operator, pitaya: dict[str, Any]) -> None:
    """With a reason, on record; what waited is due anew."""
    off = operator.reads("platform", "disable", "pitaya", "--reason", "They are moving", "--by", "Minh")
    assert off["disabled_at"]
    assert off["disabled_why"] == "They are moving"
    on = operator.reads("platform", "enable", "pitaya", "--by", "Minh")
    assert on["disabled_at"] is None
    assert [deed for _, _, deed, _ in deeds(operator)] == ["platform.disabled", "platform.enabled"]
    operator.is_refused("platform", "disable", "pitaya", exit_code=2)


def test_deliveries_and_replay(operator: Operator, kitchen: str, pitaya: dict[str, Any]) -> None:
    """What was told, page by page; one of it, or all of a time, is told again."""
    give_address(operator)
    for number in range(3):
        place(operator, f"PX-{number}")
    _all_delivered(operator)

    log = operator.reads("platform", "deliveries", "pitaya", "--limit", "2")
    assert [item["state"] for item in log["items"]] == ["delivered"] * 2
    rest = operator.reads("platform", "deliveries", "pitaya", "--cursor", log["next_cursor"])
    assert len(rest["items"]) == 1
    assert KITCHEN not in operator.types("platform", "deliveries", "pitaya").stdout

    one = log["items"][0]["id"]
    assert operator.reads("platform", "replay", "pitaya", "--webhook", one) == {"replayed": 1}
    waiting = operator.reads("platform", "deliveries", "pitaya", "--state", "waiting")
    assert [item["id"] for item in waiting["items"]] == [one]
    again = operator.reads("platform", "replay", "pitaya", "--from", "2020-01-01", "--to", "2099-12-31")
    assert again == {"replayed": 3}
    none = operator.reads("platform", "replay", "pitaya", "--from", "2020-01-01", "--to", "2020-12-31")
    assert none == {"replayed": 0}
    operator.is_refused("platform", "replay", "pitaya", exit_code=2)
    operator.is_refused("platform", "replay", "pitaya", "--webhook", str(UUID(int=7)))


def _all_delivered(operator: Operator) -> None:
    async def work(database: Database) -> None:
        await database.pool.execute("UPDATE webhooks SET state = 'delivered', delivered_at = now()")

    operator.with_database(work)


def test_a_test_needs_an_address(operator: Operator, pitaya: dict[str, Any]) -> None:
    """And is owed when there is one."""
    assert "no address" in operator.is_refused("platform", "test", "pitaya")
    give_address(operator)
    owed = operator.reads("platform", "test", "pitaya")["webhook"]
    (item,) = operator.reads("platform", "deliveries", "pitaya")["items"]
    assert (item["id"], item["type"], item["state"]) == (owed, "test", "waiting")


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["enable"],
        ["renew-key"],
        ["renew-secret"],
        ["deliveries"],
        ["test"],
        ["set", "--scope", "own"],
    ],
    ids=lambda words: words[0],
)
def test_a_platform_that_is_not_there(operator: Operator, words: list[str]) -> None:
    """One clear line."""
    command, *options = words
    assert "no platform nobody" in operator.is_refused("platform", command, "nobody", *options)
