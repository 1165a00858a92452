"""The token pair survives two processes, a crash of the store, and a caller that goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.zalo_oa.conftest import NOW, config_at, pair
from zalo_oa.client import Declined, Failure, TokenPair, Unclear, Undelivered
from zalo_oa.credentials import (
    ConsentNeeded,
    Credentials,
    FreshTokenRefused,
    NoTokens,
    RefreshFailed,
    challenge,
    consent_url,
    first_pair,
    new_verifier,
)
from zalo_oa.errors import Host, fault

HOUR = timedelta(hours=1)
BURNED = Declined(fault(Host.OAUTH, -14014), "Invalid refresh token")


@dataclass(slots=True)
class Row:
    """The stored pair while it is held; what was saved counts when the lock is left."""

    pair: TokenPair | None
    saved: TokenPair | None = None

    async def save(self, pair: TokenPair) -> None:
        """Keep it for the commit."""
        self.saved = pair


@dataclass(slots=True)
class Store:
    """A store in memory with the manners of a locked row: a failed commit keeps the old pair."""

    pair: TokenPair | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    commits_failing: int = 0
    times_locked: int = 0

    async def load(self) -> TokenPair | None:
        """Read without waiting."""
        return self.pair

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[Row]:
        """Hold it, then commit."""
        async with self.lock:
            self.times_locked += 1
            row = Row(self.pair)
            yield row
            if row.saved and self.commits_failing:
                self.commits_failing -= 1
                raise ConnectionError("the database went away at the commit")
            self.pair = row.saved or self.pair


@dataclass(slots=True)
class OAuth:
    """Zalo's side: each refresh token works once, and only the newest."""

    newest: int = 1
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)
    trouble: Failure | None = None
    slow: float = 0.0

    async def refresh(self, refresh_token: str, *, now: datetime) -> TokenPair | Failure:
        """Rotate, or refuse a burned token."""
        self.asked.append(refresh_token)
        burned = refresh_token != f"refresh-{self.newest}"
        if not (self.trouble or burned):
            self.newest += 1
        given = TokenPair(f"access-{self.newest}", f"refresh-{self.newest}", now)
        await asyncio.sleep(self.slow)
        return self.trouble or (BURNED if burned else given)

    async def exchange_code(self, code: str, *, verifier: str, now: datetime) -> TokenPair | Failure:
        """Give a new pair for the one good code."""
        if (code, verifier) != ("good", "verifier"):
            return BURNED
        self.newest += 1
        return TokenPair(f"access-{self.newest}", f"refresh-{self.newest}", now)


@dataclass(slots=True)
class Time:
    """Real time, moved by hand."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        """Tell it."""
        return self.at


@pytest.fixture
def oauth() -> OAuth:
    """Zalo's side."""
    return OAuth()


@pytest.fixture
def store() -> Store:
    """A store that holds the first pair, an hour old."""
    return Store(pair(1, age=HOUR))


@pytest.fixture
def time() -> Time:
    """The hands of the clock."""
    return Time()


@pytest.fixture
def credentials(oauth: OAuth, store: Store, time: Time) -> Credentials:
    """The credentials of one process."""
    return Credentials(oauth, store, now=time)


async def test_a_young_token_is_used_as_it_is(credentials: Credentials, oauth: OAuth) -> None:
    """Nothing is refreshed before its time."""
    assert await credentials.access_token() == "access-1"
    assert oauth.asked == []


@pytest.mark.parametrize(("hours", "token"), [(18.9, "access-1"), (19, "access-2")])
async def test_a_token_is_renewed_at_twenty_hours(
    credentials: Credentials, time: Time, store: Store, hours: float, token: str
) -> None:
    """Five hours before it dies, and stored before it is used."""
    time.at += hours * HOUR
    assert await credentials.access_token() == token
    assert store.pair is not None
    assert store.pair.access == token


async def test_many_callers_share_one_refresh(credentials: Credentials, oauth: OAuth, store: Store) -> None:
    """A hundred messages meet a dead token; Zalo is asked once, and the row is held once."""
    oauth.slow = 0.01
    answers = await asyncio.gather(*(credentials.replace("access-1") for _ in range(100)))
    assert set(answers) == {"access-2"}
    assert oauth.asked == ["refresh-1"]
    assert store.times_locked == 1


async def test_two_processes_burn_one_refresh_token(oauth: OAuth, store: Store, time: Time) -> None:
    """The second one waits at the lock, reads again, and takes what the first one got."""
    oauth.slow = 0.01
    processes = [Credentials(oauth, store, now=time) for _ in range(5)]
    answers = await asyncio.gather(*(process.replace("access-1") for process in processes))
    assert set(answers) == {"access-2"}
    assert oauth.asked == ["refresh-1"]


async def test_a_caller_that_goes_away_does_not_lose_the_pair(
    credentials: Credentials, oauth: OAuth, store: Store
) -> None:
    """Zalo has already rotated; what it gave is stored although nobody waits for it."""
    oauth.slow = 0.02
    caller = asyncio.create_task(credentials.replace("access-1"))
    await asyncio.sleep(0.01)
    caller.cancel()
    await credentials.aclose()
    assert store.pair is not None
    assert store.pair.access == "access-2"


async def test_a_failed_commit_does_not_lose_the_pair(
    credentials: Credentials, oauth: OAuth, store: Store
) -> None:
    """The database went away after Zalo rotated: the pair is kept and stored at the next try."""
    store.commits_failing = 1
    with pytest.raises(ConnectionError):
        await credentials.replace("access-1")
    assert await credentials.access_token() == "access-1"
    assert await credentials.replace("access-1") == "access-2"
    assert oauth.asked == ["refresh-1"]


async def test_a_burned_refresh_token_asks_for_consent(
    credentials: Credentials, oauth: OAuth, store: Store
) -> None:
    """A typed error that the caller can alarm on; the stored pair stays untouched."""
    oauth.newest = 7
    with pytest.raises(ConsentNeeded, match="-14014") as caught:
        await credentials.replace("access-1")
    assert caught.value.answer == BURNED
    assert store.pair == pair(1, age=HOUR)


async def test_a_burned_refresh_token_rests(credentials: Credentials, oauth: OAuth, time: Time) -> None:
    """Every message would ask again otherwise; after ten minutes one may."""
    oauth.newest = 7
    for _ in range(3):
        with pytest.raises(ConsentNeeded):
            await credentials.replace("access-1")
    assert len(oauth.asked) == 1
    time.at += timedelta(minutes=10)
    with pytest.raises(ConsentNeeded):
        await credentials.replace("access-1")
    assert len(oauth.asked) == 2


@pytest.mark.parametrize("trouble", [Undelivered("HTTP 503"), Unclear("TimeoutError")])
async def test_trouble_at_zalo_uses_the_old_token_while_it_lives(
    credentials: Credentials, oauth: OAuth, time: Time, trouble: Failure
) -> None:
    """From the 20th to the 25th hour a failing refresh hurts nobody; then it is said."""
    oauth.trouble = trouble
    time.at += 20 * HOUR
    assert await credentials.access_token() == "access-1"
    time.at += 4 * HOUR
    with pytest.raises(RefreshFailed):
        await credentials.access_token()
    oauth.trouble = None
    time.at += timedelta(seconds=30)
    assert await credentials.access_token() == "access-2"


async def test_the_keeper_hears_of_trouble_at_once(
    credentials: Credentials, oauth: OAuth, time: Time
) -> None:
    """`keep_fresh` raises hours before a message would fail."""
    time.at += 20 * HOUR
    oauth.trouble = Undelivered("HTTP 503")
    with pytest.raises(RefreshFailed, match="503"):
        await credentials.keep_fresh()


async def test_the_keeper_renews_what_is_due_and_nothing_else(
    credentials: Credentials, oauth: OAuth, time: Time
) -> None:
    """A job that runs every few minutes refreshes once in twenty hours."""
    assert await credentials.keep_fresh() == pair(1, age=HOUR)
    time.at += 19 * HOUR
    assert (await credentials.keep_fresh()).access == "access-2"
    assert (await credentials.keep_fresh()).access == "access-2"
    assert oauth.asked == ["refresh-1"]


async def test_new_tokens_that_are_all_refused_are_not_refreshed_for_ever(
    credentials: Credentials, oauth: OAuth, time: Time
) -> None:
    """When Zalo refuses everything, refreshing at every message would only burn tokens."""
    for number in range(1, 6):
        assert await credentials.replace(f"access-{number}") == f"access-{number + 1}"
    with pytest.raises(FreshTokenRefused):
        await credentials.replace("access-6")
    time.at += timedelta(minutes=1)
    assert await credentials.replace("access-6") == "access-7"
    assert len(oauth.asked) == 6


async def test_a_clock_set_back_bars_nothing(credentials: Credentials, oauth: OAuth, time: Time) -> None:
    """What was learnt a week ahead does not hold the tokens up for a week."""
    time.at += timedelta(days=7)
    oauth.trouble = Undelivered("HTTP 503")
    with pytest.raises(RefreshFailed):
        await credentials.access_token()
    oauth.trouble = None
    time.at -= timedelta(days=7)
    assert await credentials.replace("access-1") == "access-2"


async def test_the_settings_pair_is_planted_once(oauth: OAuth, time: Time) -> None:
    """An empty store takes the pair of the settings; its age is unknown, so it is renewed."""
    store = Store()
    seed = first_pair("access-1", "refresh-1", now=NOW)
    assert await Credentials(oauth, store, now=time, seed=seed).access_token() == "access-2"
    assert await Credentials(oauth, store, now=time, seed=seed).access_token() == "access-2"
    assert oauth.asked == ["refresh-1"]


async def test_without_any_pair_it_says_so(oauth: OAuth, time: Time) -> None:
    """No consent, no settings: a typed error, and Zalo is not called."""
    credentials = Credentials(oauth, Store(), now=time)
    with pytest.raises(NoTokens):
        await credentials.access_token()
    with pytest.raises(NoTokens):
        await credentials.keep_fresh()
    assert oauth.asked == []


async def test_a_consent_stores_the_pair(credentials: Credentials, store: Store) -> None:
    """The code of the callback becomes the pair that everybody uses."""
    answer = await credentials.authorize("good", verifier="verifier")
    assert answer == store.pair == pair(2)
    assert await credentials.access_token() == "access-2"


async def test_a_refused_consent_leaves_the_pair_alone(credentials: Credentials, store: Store) -> None:
    """A stale code costs nothing."""
    assert await credentials.authorize("stale", verifier="verifier") == BURNED
    assert store.pair == pair(1, age=HOUR)


async def test_a_consent_in_another_process_ends_the_trouble(
    credentials: Credentials, oauth: OAuth, store: Store, time: Time
) -> None:
    """The worker takes up the pair that the web process stored, while its own one rests."""
    oauth.newest = 7
    with pytest.raises(ConsentNeeded):
        await credentials.replace("access-1")
    await Credentials(oauth, store, now=time).authorize("good", verifier="verifier")
    assert await credentials.replace("access-1") == "access-8"


def test_the_challenge_is_the_standards_example() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_verifier_is_long_and_new() -> None:
    """43 characters, never the same twice."""
    first, second = new_verifier(), new_verifier()
    assert len(first) == len(second) == 43
    assert first != second


def test_the_consent_link_carries_what_zalo_asks_for() -> None:
    """Four parameters and no others."""
    link = consent_url(
        config_at("https://oauth.example"),
        redirect_uri="https://shop.example/oauth/zalo/callback?a=1&b=2",
        verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        state="s t",
    )
    parts = urlsplit(link)
    assert (parts.netloc, parts.path) == ("oauth.example", "/v4/oa/permission")
    assert parse_qs(parts.query) == {
        "app_id": ["360846524940903967"],
        "redirect_uri": ["https://shop.example/oauth/zalo/callback?a=1&b=2"],
        "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        "state": ["s t"],
    }
