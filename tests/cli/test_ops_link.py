"""The link that lets an operator in where no mail can leave."""

from datetime import datetime

from bot.tokens import Signer
from core.database import Database
from core.operators import links
from tests.cli.conftest import SECRET, Operator

MINH = "minh@chotdon.vn"


def owner_of(operator: Operator, url: str) -> str | None:
    """Return whom an address signs in."""
    token = url.rpartition("/")[2]

    async def work(database: Database) -> str | None:
        link_id = Signer([SECRET]).read_one_time(token)
        return await links.look(database.pool, link_id, operators=(MINH,), now=database.clock.now())

    return operator.with_database(work)


def test_an_operator_gets_a_link_and_it_is_on_record(operator: Operator) -> None:
    """For a quarter of an hour, in any spelling of the mailbox."""
    operator.settings.update(CHOTDON_OPERATOR_EMAILS=MINH, CHOTDON_BASE_URL="https://don.example")
    told = operator.reads("ops-link", "Minh@ChotDon.vn")
    assert told["email"] == MINH
    assert told["url"].startswith("https://don.example/ops/login/")
    assert datetime.fromisoformat(told["expires_at"]).utcoffset() is not None
    assert owner_of(operator, told["url"]) == MINH

    async def record(database: Database) -> list[tuple[str, str, str]]:
        rows = await database.pool.fetch("SELECT via, deed, about FROM audit")
        return [tuple(row) for row in rows]

    assert operator.with_database(record) == [("cli", "operator.link_made", MINH)]


def test_nobody_else_gets_one(operator: Operator) -> None:
    """Neither a stranger nor anybody where the settings name nobody."""
    assert "CHOTDON_OPERATOR_EMAILS" in operator.is_refused("ops-link", MINH)
    operator.settings.update(CHOTDON_OPERATOR_EMAILS=MINH)
    assert "CHOTDON_OPERATOR_EMAILS" in operator.is_refused("ops-link", "ai@chotdon.vn")
