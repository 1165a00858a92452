"""Tokens of the fake Zalo live as long, work as often and fail as oddly as the vendor's."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from sandbox.zalo import FakeZalo
from sandbox.zalo.tokens import challenge_of
from tests.sandbox.conftest import Caller, HandClock

TOKEN = "/v4/oa/access_token"


def renewal(zalo: FakeZalo, refresh_token: str) -> dict[str, str]:
    """Return the form of a refresh."""
    return {"app_id": zalo.app_id, "grant_type": "refresh_token", "refresh_token": refresh_token}


async def test_a_refresh_token_works_once(zalo: FakeZalo, product: Caller) -> None:
    """The new pair works; the burned token is refused by an error body under HTTP 200."""
    pair = zalo.issue_tokens()
    fresh = await product.form(TOKEN, renewal(zalo, pair.refresh_token), secret_key=zalo.app_secret)
    burned = await product.form(TOKEN, renewal(zalo, pair.refresh_token), secret_key=zalo.app_secret)
    again = await product.form(TOKEN, renewal(zalo, fresh["refresh_token"]), secret_key=zalo.app_secret)
    assert fresh["expires_in"] == "90000"
    assert burned["error"] == -14014
    assert {"error_name", "error_reason", "error_description", "ref_doc"} <= set(burned)
    assert "access_token" not in burned
    assert again["access_token"] != fresh["access_token"]


async def test_the_app_must_know_its_secret(zalo: FakeZalo, product: Caller) -> None:
    """A wrong secret or app id is refused and burns nothing."""
    pair = zalo.issue_tokens()
    form = renewal(zalo, pair.refresh_token)
    assert "error" in await product.form(TOKEN, form, secret_key=zalo.oa_secret)
    assert "error" in await product.form(TOKEN, form)
    assert (await product.form(TOKEN, {**form, "app_id": "1"}, secret_key=zalo.app_secret))["error"] == -14002
    assert "access_token" in await product.form(TOKEN, form, secret_key=zalo.app_secret)


@pytest.mark.parametrize(("token", "oa_code", "zbs_code"), [("", -216, -124), ("made-up", -216, -124)])
async def test_a_token_nobody_issued(product: Caller, token: str, oa_code: int, zbs_code: int) -> None:
    """The two hosts have a code of their own for it."""
    assert (await product.post("/v3.0/oa/message/cs", {}, access_token=token))["error"] == oa_code
    assert (await product.post("/message/template", {}, access_token=token))["error"] == zbs_code


async def test_an_access_token_ends_after_25_hours(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """At 25 hours the token is expired; its refresh token still works, up to 90 days."""
    async with FakeZalo(token_clock=clock) as zalo:
        pair = zalo.issue_tokens()
        product = Caller(session, zalo.url, pair.access_token)
        clock.advance(timedelta(hours=25) - timedelta(seconds=1))
        assert (await product.get("/v2.0/oa/getoa"))["error"] == 0
        clock.advance(timedelta(seconds=1))
        assert (await product.get("/v2.0/oa/getoa"))["error"] == -220
        fresh = await product.form(TOKEN, renewal(zalo, pair.refresh_token), secret_key=zalo.app_secret)
        clock.advance(timedelta(days=90))
        late = await product.form(TOKEN, renewal(zalo, fresh["refresh_token"]), secret_key=zalo.app_secret)
        assert late["error"] == -14014


async def test_tokens_taken_away(zalo: FakeZalo, product: Caller) -> None:
    """A test can expire every access token, or take everything away."""
    zalo.tokens.expire_access()
    assert (await product.get("/v2.0/oa/getoa"))["error"] == -220
    zalo.tokens.revoke()
    assert (await product.get("/v2.0/oa/getoa"))["error"] == -216


async def test_the_consent_page_gives_a_code(zalo: FakeZalo, product: Caller) -> None:
    """The code comes back to the redirect address and is exchanged once, with the right verifier."""
    query = {
        "app_id": zalo.app_id,
        "redirect_uri": "http://127.0.0.1/oauth/zalo/callback?x=1",
        "code_challenge": challenge_of("a" * 43),
        "state": "s1",
    }
    page = zalo.url + "/v4/oa/permission"
    async with product.session.get(page, params=query, allow_redirects=False) as answer:
        back = URL(answer.headers["Location"]).query
    assert (back["state"], back["oa_id"], back["x"]) == ("s1", zalo.oa_id, "1")
    form = {"app_id": zalo.app_id, "grant_type": "authorization_code", "code": back["code"]}
    good = {**form, "code_verifier": "a" * 43}
    assert "access_token" in await product.form(TOKEN, good, secret_key=zalo.app_secret)
    assert "error" in await product.form(TOKEN, good, secret_key=zalo.app_secret)


async def test_a_wrong_verifier(zalo: FakeZalo, product: Caller) -> None:
    """A code is bound to the challenge it was asked with, and lives ten minutes."""
    code = zalo.tokens.consent(challenge=challenge_of("a" * 43))
    form = {
        "app_id": zalo.app_id,
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": "b" * 43,
    }
    assert (await product.form(TOKEN, form, secret_key=zalo.app_secret))["error"] == -14003


async def test_a_wrong_redirect(session: aiohttp.ClientSession) -> None:
    """Another address than the registered one is refused as the vendor's sample shows."""
    async with FakeZalo(redirect_uri="http://127.0.0.1/here") as zalo:
        query = {"app_id": zalo.app_id, "redirect_uri": "http://127.0.0.1/there"}
        async with session.get(zalo.url + "/v4/oa/permission", params=query) as answer:
            assert (await answer.json())["error"] == -14003


async def test_the_proof_of_the_app_secret(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Where the console asks for it, every call must carry the HMAC of its token."""
    async with FakeZalo(clock=clock, require_proof=True) as zalo:
        token = zalo.issue_tokens().access_token
        product = Caller(session, zalo.url, token)
        proof = hmac.new(zalo.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        body = {"user_id": "1"}
        assert (await product.post("/v3.0/oa/quota/message", body))["error"] == -242
        assert (await product.post("/message/template", body))["error"] == -1241
        assert (await product.post("/message/template", body, appsecret_proof=proof))["error"] == -108


async def test_people_chats_and_tokens_survive(
    tmp_path: Path, session: aiohttp.ClientSession, clock: HandClock
) -> None:
    """A second start with the same memory knows Lan, her chat and the tokens of the first."""
    file = tmp_path / "zalo.json"
    async with FakeZalo(clock=clock, memory=file) as first:
        lan = first.person("111", "Lan", phone="84909123456")
        lan.last_interaction = clock()
        pair = first.issue_tokens()
        await Caller(session, first.url, pair.access_token).cs({"text": "Đơn mới"})
    async with FakeZalo(clock=clock, memory=file) as second:
        lan = second.people["111"]
        assert [bubble.text for bubble in lan.bubbles] == ["Đơn mới"]
        product = Caller(session, second.url, pair.access_token)
        assert (await product.cs({"text": "Lại đây"}))["error"] == 0
        form = renewal(second, pair.refresh_token)
        assert "access_token" in await product.form(TOKEN, form, secret_key=second.app_secret)
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_bytes())["people"][0]["name"] == "Lan"
