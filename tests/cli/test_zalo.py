from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from core.database import Database
from core.errors import Misconfigured
from core.secrets import Secrets
from tests.cli.conftest import SECRET, Operator
from zalo_oa.client import TokenPair
from zalo_oa.consent import is_ours, new_state
from zalo_oa.credentials import challenge
from zalo_oa.token_store import SealedTokens

ACCOUNT = {
    "CHOTDON_ZALO_APP_ID": "360846524940903967",
    "CHOTDON_ZALO_APP_SECRET": "app secret",
    "CHOTDON_ZALO_OA_ID": "388613280878808645",
    "CHOTDON_ZALO_OA_SECRET": "oa secret",
}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture
def office(operator: Operator) -> Operator:
    """Return an operator whose service has an Official Account."""
    operator.settings.update(ACCOUNT)
    return operator


def keep(operator: Operator, *, age: timedelta) -> None:
    """Store a pair of tokens that was obtained so long ago."""

    async def work(database: Database) -> None:
        store = SealedTokens(Secrets(database, SECRET), ACCOUNT["CHOTDON_ZALO_OA_ID"])
        async with store.locked() as row:
            await row.save(TokenPair("the access token", "the refresh token", database.clock.now() - age))

    operator.with_database(work)


def test_the_consent_link_is_zalos_with_our_challenge(office: Operator) -> None:
    """It leads to Zalo, comes back to us, and carries a state that only we can make."""
    office.settings.update(CHOTDON_ZALO_CODE_VERIFIER=VERIFIER, CHOTDON_BASE_URL="https://don.example")
    told = office.reads("zalo", "authorize")
    link = urlsplit(told["url"])
    query = {name: values[0] for name, values in parse_qs(link.query).items()}

    assert (link.hostname, link.path) == ("oauth.zaloapp.com", "/v4/oa/permission")
    assert query["redirect_uri"] == told["redirect_uri"] == "https://don.example/oauth/zalo/callback"
    assert query["code_challenge"] == told["code_challenge"] == challenge(VERIFIER)
    assert is_ours(SECRET, query["state"])


@pytest.mark.parametrize(
    "state",
    ["", "x", "a.b.c", new_state("another key"), new_state(SECRET)[:-1], "\ud800"],
    ids=["none", "short", "parts", "another key", "cut", "surrogate"],  # the same in every process of a run
)
def test_a_state_of_somebody_else_is_none(state: str) -> None:
    """Only a link of ours brings a consent back."""
    assert not is_ours(SECRET, state)


def test_without_a_verifier_one_is_proposed(office: Operator) -> None:
    """A newcomer is given one, with the challenge that belongs to it."""
    with pytest.raises(Misconfigured, match="CHOTDON_ZALO_CODE_VERIFIER is not set"):
        office.types("zalo", "authorize")


def test_without_an_account_there_is_nothing_to_authorize(operator: Operator) -> None:
    """The missing setting is named."""
    with pytest.raises(Misconfigured, match="CHOTDON_ZALO_APP_ID is not set"):
        operator.types("zalo", "authorize")


@pytest.mark.parametrize(
    ("age", "state", "exit_code"),
    [(timedelta(hours=1), "valid", 0), (timedelta(hours=26), "expired", 1)],
)
def test_the_token_s_state_is_told_not_the_token(
    office: Operator, age: timedelta, state: str, exit_code: int
) -> None:
    """It lives 25 hours, and is nobody's to read."""
    keep(office, age=age)
    told = office.types("zalo", "token", "--json")
    assert told.exit_code == exit_code
    assert f'"state": "{state}"' in told.stdout
    assert "the access token" not in told.output
    assert "the refresh token" not in told.output


def test_without_a_token_there_is_none(office: Operator) -> None:
    """Nobody has consented yet."""
    assert office.reads("zalo", "token", exit_code=1)["state"] == "none"
