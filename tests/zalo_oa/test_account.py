"""The account as the processes use it: settings, a real database, and the sandbox's Zalo."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from core.channels import Address, AddressKind, Card, Charge, Sent
from core.clock import StillClock
from core.database import Database, connect
from core.errors import Misconfigured
from core.secrets import Secrets
from core.settings import Settings
from sandbox.zalo.fake import FakeZalo
from tests.zalo_oa.conftest import NOW, pair
from zalo_oa.account import Account, open_account, open_channel, read_config
from zalo_oa.client import Accepted, OfficialAccount, TokenPair
from zalo_oa.credentials import ConsentNeeded, NoTokens, challenge
from zalo_oa.token_store import SealedTokens

KEY = "a secret key of the service"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections to a database of this test's own."""
    async with connect(database_url) as database:
        yield database


@pytest.fixture
async def gateway() -> AsyncIterator[FakeZalo]:
    """Zalo, at NOW."""
    async with FakeZalo(clock=StillClock(NOW).now) as gateway:
        gateway.person("u1", "Lan").last_interaction = NOW
        yield gateway


def settings(gateway: FakeZalo, first: tuple[str, str] | None = None) -> Settings:
    """Return settings whose Zalo is the sandbox's, with a first pair of tokens if given."""
    access, refresh = first or (None, None)
    return Settings(
        _env_file=None,
        zalo_app_id=gateway.app_id,
        zalo_app_secret=gateway.app_secret,
        zalo_oa_id=gateway.oa_id,
        zalo_oa_secret=gateway.oa_secret,
        zalo_openapi_url=gateway.url,
        zalo_business_url=gateway.url,
        zalo_oauth_url=gateway.url,
        zalo_access_token=SecretStr(access) if access else None,
        zalo_refresh_token=SecretStr(refresh) if refresh else None,
    )


def first_tokens(gateway: FakeZalo) -> tuple[str, str]:
    """Return a first pair, as the console hands one out."""
    given = gateway.issue_tokens()
    return given.access_token, given.refresh_token


@asynccontextmanager
async def process(settings: Settings, database: Database) -> AsyncIterator[Account]:
    """Open the account as one process does."""
    account = open_account(settings, Secrets(database, KEY))
    try:
        yield account
    finally:
        await account.client.close()


async def test_the_pair_is_sealed(database: Database) -> None:
    """It comes back as it was; the row shows none of it, and another key opens nothing."""
    store = SealedTokens(Secrets(database, KEY), "1")
    assert await store.load() is None
    async with store.locked() as row:
        assert row.pair is None
        await row.save(pair(1))

    assert await store.load() == pair(1)
    async with store.locked() as row:
        assert row.pair == pair(1)
    sealed = await database.pool.fetchval("SELECT sealed FROM secrets")
    assert b"access-1" not in sealed
    assert await SealedTokens(Secrets(database, "another key"), "1").load() is None
    assert await SealedTokens(Secrets(database, KEY), "2").load() is None


async def test_an_error_under_the_lock_keeps_the_old_pair(database: Database) -> None:
    """What was not committed was not stored."""
    store = SealedTokens(Secrets(database, KEY), "1")
    async with store.locked() as row:
        await row.save(pair(1))
    with pytest.raises(RuntimeError, match="out of power"):
        await _save_in_a_blackout(store)
    assert await store.load() == pair(1)


async def _save_in_a_blackout(store: SealedTokens) -> None:
    async with store.locked() as row:
        await row.save(pair(2))
        raise RuntimeError("out of power")


async def test_the_lock_holds_between_processes(database: Database) -> None:
    """The second one reads what the first one stored."""
    order: list[TokenPair | None] = []

    async def take(number: int) -> None:
        async with SealedTokens(Secrets(database, KEY), "1").locked() as row:
            order.append(row.pair)
            await asyncio.sleep(0.05)
            await row.save(pair(number))

    await asyncio.gather(take(1), take(1), take(1))
    assert order == [None, pair(1), pair(1)]


async def test_three_processes_renew_once(database: Database, gateway: FakeZalo) -> None:
    """Zalo's refresh token works once; nobody is left with a burned one."""
    chosen = settings(gateway, first_tokens(gateway))
    async with (
        process(chosen, database) as one,
        process(chosen, database) as two,
        process(chosen, database) as three,
    ):
        processes = (one, two, three)
        tokens = await asyncio.gather(*(p.credentials.access_token() for p in processes for _ in range(5)))
        assert len(set(tokens)) == 1
        for p in processes:
            assert isinstance(await p.client.send_cs("u1", {"text": "Chào Lan"}), Accepted)
    assert [hop.text_vi for hop in gateway.feed.hops].count("Zalo cấp cặp token mới") == 1


async def test_a_revoked_pair_asks_for_consent_and_consent_heals(
    database: Database, gateway: FakeZalo
) -> None:
    """The whole way of a lost pair: refused, consent by link, code, sent."""
    async with process(settings(gateway, first_tokens(gateway)), database) as account:
        await account.credentials.access_token()
        gateway.tokens.revoke()
        with pytest.raises(ConsentNeeded):
            await account.client.get_oa()

        code = gateway.tokens.consent(challenge=challenge("verifier"))
        assert isinstance(await account.credentials.authorize(code, verifier="verifier"), TokenPair)
        assert await account.client.get_oa() == OfficialAccount(gateway.oa_id, gateway.oa_name)


async def test_without_a_first_pair_it_waits_for_consent(database: Database, gateway: FakeZalo) -> None:
    """The settings may leave the pair away; the console's consent brings it."""
    async with process(settings(gateway), database) as account:
        with pytest.raises(NoTokens):
            await account.client.get_oa()


async def test_a_channel_is_opened_from_the_settings(database: Database, gateway: FakeZalo) -> None:
    """From settings to a message on Lan's phone."""
    chosen = settings(gateway, first_tokens(gateway))
    channel = open_channel(chosen, Secrets(database, KEY), StillClock(NOW))
    lan = Address(AddressKind.ZALO_USER, "u1", NOW - timedelta(hours=1))
    sent = await channel.send(lan, Card("answer", "vi", "Chào Lan", ""), key="k")
    await channel.close()
    bubble = await gateway.person("u1").sees("Chào Lan")
    assert sent == Sent(bubble.message_id, charge=Charge("zalo_cs", dong=0))


async def test_faulty_templates_stop_the_start(database: Database, gateway: FakeZalo) -> None:
    """Found when the channel is opened, not when the first notice is due."""
    chosen = settings(gateway).model_copy(update={"zalo_templates": {"order_new": ""}})
    with pytest.raises(Misconfigured, match="order_new"):
        open_channel(chosen, Secrets(database, KEY), StillClock(NOW))


def test_a_missing_setting_is_named() -> None:
    """The four settings belong together."""
    lonely = Settings(_env_file=None, zalo_app_id="1")
    with pytest.raises(Misconfigured, match="CHOTDON_ZALO_APP_SECRET"):
        read_config(lonely)
