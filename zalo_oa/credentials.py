"""Keeping the token pair alive: one refresh at a time, stored before it is used.

docs/facts.md#zalo-token: an access token lives 25 h. A refresh token lives 3 months and
works once; whoever loses the new one needs the account's admin to consent again.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlencode

from zalo_oa.client import ACCESS_LIFE, Declined, Failure, TokenPair, ZaloConfig

# 20 of 25 hours: five hours of failing refreshes hurt nobody.
_FRESH: Final = 0.8
# After Zalo said no, or said nothing, the same refresh token rests this long.
_REST_AFTER_REFUSAL: Final = timedelta(minutes=10)
_REST_AFTER_TROUBLE: Final = timedelta(seconds=30)
# More refreshes than this in a minute mean that Zalo refuses whatever it gives.
_MINUTE: Final = timedelta(minutes=1)
_PER_MINUTE: Final = 5


#: The name of the alarm that operators get while the account has no working token.
TOKEN_ALARM: Final = "zalo: token"  # noqa: S105 - a name


class TokenTrouble(Exception):
    """No call can be made to Zalo for want of a token."""


class NoTokens(TokenTrouble):
    """Nobody has consented yet."""


class ConsentNeeded(TokenTrouble):
    """Zalo refuses our refresh token: an admin of the account must consent again."""

    def __init__(self, answer: Declined) -> None:
        super().__init__(f"{answer.fault.code}: {answer.fault.meaning}")
        self.answer = answer


class RefreshFailed(TokenTrouble):
    """The refresh got no answer we can use; it is tried again with the same token."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(getattr(failure, "why", type(failure).__name__))
        self.failure = failure


class FreshTokenRefused(TokenTrouble):
    """Zalo refuses one new token after the other: another refresh would not help."""


class LockedTokens(Protocol):
    """The stored pair, while nobody else can read or change it."""

    @property
    def pair(self) -> TokenPair | None:
        """The pair as it was read under the lock."""

    async def save(self, pair: TokenPair) -> None:
        """Store a new pair; it is durable once the lock is left."""


class TokenStore(Protocol):
    """Where the pair is kept for every process of the service."""

    async def load(self) -> TokenPair | None:
        """Return the stored pair without waiting for a lock."""

    def locked(self) -> AbstractAsyncContextManager[LockedTokens]:
        """Hold the pair against every other process until the block is left."""


class Refresher(Protocol):
    """The two calls of `OAuthClient`."""

    async def exchange_code(self, code: str, *, verifier: str, now: datetime) -> TokenPair | Failure:
        """Turn a consent's code into a pair."""

    async def refresh(self, refresh_token: str, *, now: datetime) -> TokenPair | Failure:
        """Turn a refresh token into the next pair."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """A refresh that failed, so that nobody repeats it too soon."""

    refresh: str
    at: datetime
    rest: timedelta
    trouble: TokenTrouble

    def bars(self, refresh: str, now: datetime) -> bool:
        """Whether this token should not be tried yet; a clock set back bars nothing."""
        return self.refresh == refresh and self.at <= now < self.at + self.rest


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A pair that Zalo gave for `refresh`, until it is known to be stored."""

    refresh: str
    pair: TokenPair


class Credentials:
    """Gives an access token that should work, and renews it before it dies.

    `seed` (see `first_pair`) is used when the store is empty, never again. `now` is the
    clock that Zalo's tokens age by, UTC. One refresh runs at a time, in this process by sharing it, between
    processes by the store's lock; a caller that goes away does not cancel it.
    """

    def __init__(
        self,
        oauth: Refresher,
        store: TokenStore,
        *,
        now: Callable[[], datetime],
        seed: TokenPair | None = None,
    ) -> None:
        self._oauth = oauth
        self._store = store
        self._now = now
        self._seed = seed
        self._pair: TokenPair | None = None
        self._failed: _Failed | None = None
        self._unsaved: _Unsaved | None = None
        self._given_at: list[datetime] = []
        self._flights: dict[str, asyncio.Task[TokenPair]] = {}

    async def access_token(self) -> str:
        """Return a token that should work now, renewing it when it is 20 hours old.

        Raises TokenTrouble only when the present token is dead or missing too.
        """
        pair = await self._current()
        if not _due(pair, self._now()):
            return pair.access
        try:
            return await self.replace(pair.access)
        except TokenTrouble:
            if _dead(pair, self._now()):
                raise
            return pair.access

    async def keep_fresh(self) -> TokenPair:
        """Renew the pair if it is due, for a job that runs now and then.

        Raises TokenTrouble at the first failure, hours before anybody else notices.
        """
        pair = await self._store.load() or await self._current()
        self._pair = pair
        return await self._renewed(pair.access) if _due(pair, self._now()) else pair

    async def replace(self, stale: str) -> str:
        """Return another access token than `stale`, which Zalo refused or which is due."""
        return (await self._renewed(stale)).access

    async def authorize(self, code: str, *, verifier: str) -> TokenPair | Failure:
        """Turn the code of a consent into the stored pair."""
        async with self._store.locked() as row:
            answer = await self._oauth.exchange_code(code, verifier=verifier, now=self._now())
            if isinstance(answer, TokenPair):
                await row.save(answer)
        if isinstance(answer, TokenPair):
            self._pair, self._failed = answer, None
        return answer

    async def aclose(self) -> None:
        """Let a refresh that is under way finish and store what it got."""
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    async def _current(self) -> TokenPair:
        self._pair = self._pair or await self._store.load() or await self._planted()
        return self._pair

    async def _planted(self) -> TokenPair:
        """Store the seed, unless somebody stored a pair in the meantime."""
        async with self._store.locked() as row:
            pair = row.pair or self._seed
            if pair is None:
                raise NoTokens("no token pair in the store and none in the settings")
            if row.pair is None:
                await row.save(pair)
        return pair

    async def _renewed(self, stale: str) -> TokenPair:
        flight = self._flights.get(stale)
        if flight is None:
            flight = self._flights[stale] = asyncio.create_task(self._renew(stale))
            flight.add_done_callback(lambda _: self._landed(stale))
        # A cancelled caller must not lose a pair that Zalo has already given out.
        return await asyncio.shield(flight)

    def _landed(self, stale: str) -> None:
        flight = self._flights.pop(stale)
        if not flight.cancelled():
            flight.exception()  # read here too: every caller may have gone away

    async def _renew(self, stale: str) -> TokenPair:
        async with self._store.locked() as row:
            pair = row.pair
            if pair is None:
                raise NoTokens("the stored token pair is gone")
            if pair.access == stale:
                pair = await self._next(pair)
                await row.save(pair)
        self._pair, self._unsaved = pair, None
        return pair

    async def _next(self, pair: TokenPair) -> TokenPair:
        """Return the pair after `pair`, also when Zalo gave it earlier and storing it failed."""
        if self._unsaved is None or self._unsaved.refresh != pair.refresh:
            self._unsaved = _Unsaved(pair.refresh, await self._refreshed(pair))
        return self._unsaved.pair

    async def _refreshed(self, pair: TokenPair) -> TokenPair:
        now = self._now()
        if self._failed and self._failed.bars(pair.refresh, now):
            raise self._failed.trouble
        self._given_at = [at for at in self._given_at if at <= now < at + _MINUTE]
        if len(self._given_at) >= _PER_MINUTE:
            raise FreshTokenRefused(f"{_PER_MINUTE} tokens of the last minute were refused")
        answer = await self._oauth.refresh(pair.refresh, now=now)
        if isinstance(answer, TokenPair):
            self._given_at.append(now)
            return answer
        self._failed = _failed(pair, answer, self._now())
        raise self._failed.trouble


def first_pair(access: str, refresh: str, *, now: datetime) -> TokenPair:
    """Return the pair of the settings; its age is unknown, so it is renewed at first use."""
    return TokenPair(access, refresh, now - ACCESS_LIFE * _FRESH)


def new_verifier() -> str:
    """Return a fresh PKCE verifier: 43 characters from 32 random bytes."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return the PKCE challenge that Zalo's console and the consent link carry."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def consent_url(config: ZaloConfig, *, redirect_uri: str, verifier: str, state: str) -> str:
    """Return the link where an admin of the account consents.

    docs/facts.md#zalo-consent: no scope, no response_type, no challenge method. The
    redirect must be the very one in the console, or Zalo answers -14003.
    """
    query = {
        "app_id": config.app_id,
        "redirect_uri": redirect_uri,
        "code_challenge": challenge(verifier),
        "state": state,
    }
    return f"{config.oauth_url}/v4/oa/permission?{urlencode(query)}"


def _due(pair: TokenPair, now: datetime) -> bool:
    return now >= pair.obtained_at + pair.life * _FRESH


def _dead(pair: TokenPair, now: datetime) -> bool:
    return now >= pair.obtained_at + pair.life


def _failed(pair: TokenPair, failure: Failure, now: datetime) -> _Failed:
    if isinstance(failure, Declined):
        return _Failed(pair.refresh, now, _REST_AFTER_REFUSAL, ConsentNeeded(failure))
    return _Failed(pair.refresh, now, _REST_AFTER_TROUBLE, RefreshFailed(failure))
