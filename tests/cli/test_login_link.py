"""Links that operators make: to sign in, and to invite."""

from datetime import datetime, timedelta

import pytest

from bot.tokens import Signer
from core.database import Database
from core.partners import one_time_links
from core.partners.one_time_links import LinkPurpose, OneTimeLink
from tests.cli.conftest import SECRET, Operator

BLOCKS = set("█▀▄ ")


def link_of(operator: Operator, url: str, purpose: LinkPurpose) -> OneTimeLink | None:
    """Return what an address leads to."""
    token = url.rpartition("/")[2]

    async def work(database: Database) -> OneTimeLink | None:
        link_id = Signer([SECRET]).read_one_time(token)
        return await one_time_links.look(database.pool, link_id, purpose, now=database.clock.now())

    return operator.with_database(work)


@pytest.mark.parametrize(
    ("options", "name"), [((), "Lan"), (("--staff", "hoa"), "Hoa")], ids=["owner", "named"]
)
def test_a_link_signs_somebody_in(
    operator: Operator, kitchen: str, options: tuple[str, ...], name: str
) -> None:
    """The owner unless somebody else is named; for a quarter of an hour, in the kitchen's time."""
    operator.settings.update(CHOTDON_BASE_URL="https://don.example")
    operator.reads("staff", "add", kitchen, "--name", "Hoa", "--role", "cashier")
    told = operator.reads("login-link", kitchen, *options)
    assert told.keys() == {"url", "expires_at"}
    assert told["url"].startswith("https://don.example/login/")
    link = link_of(operator, told["url"], LinkPurpose.LOGIN)
    assert link is not None
    assert (link.staff.name, link.via) == (name, "operator")
    until = datetime.fromisoformat(told["expires_at"])
    assert until.utcoffset() == timedelta(hours=7)
    assert abs(until - link.expires_at) < timedelta(seconds=1)


def test_people_read_whose_link_it_is(operator: Operator, kitchen: str) -> None:
    """The name, until when, and the address on a line of its own."""
    first, address = operator.types("login-link", kitchen).stdout.splitlines()
    assert first.startswith("Lan, until ")
    assert address.startswith("http://127.0.0.1:8080/login/")


def test_nobody_of_that_name(operator: Operator, kitchen: str) -> None:
    """The refusal names who there is."""
    assert "there are: Lan" in operator.is_refused("login-link", kitchen, "--staff", "Ai")
    assert "there are: Lan" in operator.is_refused("staff", "invite", kitchen, "--name", "Ai")
    assert "no partner" in operator.is_refused("login-link", "bep-ai")


def test_somebody_is_invited(operator: Operator, kitchen: str) -> None:
    """For a week."""
    told = operator.reads("staff", "invite", kitchen, "--name", "LAN")
    link = link_of(operator, told["url"], LinkPurpose.INVITE)
    assert link is not None
    assert link.staff.name == "Lan"
    assert link.expires_at - link.made_at == timedelta(days=7)
    assert link_of(operator, told["url"], LinkPurpose.LOGIN) is None


def test_the_terminal_shows_a_qr_code(operator: Operator, kitchen: str) -> None:
    """As blocks, narrow enough for eighty columns, with the address beneath."""
    lines = operator.types("staff", "invite", kitchen, "--name", "Lan").stdout.splitlines()
    drawn = [line for line in lines if line and set(line) <= BLOCKS]
    assert 20 <= len(drawn) <= 40
    assert max(map(len, drawn)) <= 79
    address = next(line for line in lines if "/invite/" in line)
    assert link_of(operator, address, LinkPurpose.INVITE) is not None
