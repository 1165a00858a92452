"""What we say to Zalo on the wire, and how each of its answers is read."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.zalo_oa.conftest import NOW, FakeZalo, FixedTokens, config_at, sample
from zalo_oa.client import (
    ACCESS_LIFE,
    Accepted,
    Declined,
    OAuthClient,
    OfficialAccount,
    TokenPair,
    Unclear,
    Undelivered,
    Window,
    ZaloClient,
    ZaloConfig,
    moment,
)
from zalo_oa.errors import Scope

SENT = sample("send-cs-text")["_response"]
USER = "2512523625412515"


@pytest.fixture
def tokens() -> FixedTokens:
    """Two tokens that work one after the other."""
    return FixedTokens(["access-1", "access-2", "access-3"])


@pytest.fixture
def client(config: ZaloConfig, session: aiohttp.ClientSession, tokens: FixedTokens) -> ZaloClient:
    """A client of the small Zalo."""
    return ZaloClient(config, session, tokens)


async def test_a_consultation_message_is_the_vendors_sample(client: ZaloClient, zalo: FakeZalo) -> None:
    """Path, bare token header and body are those of the vendor's page."""
    zalo.says(SENT)
    request = sample("send-cs-text")["_request"]
    assert isinstance(request, dict)

    answer = await client.send_cs(USER, {"text": "hello, world!"})

    sent_at = datetime(2021, 7, 22, 3, 59, 9, 402000, tzinfo=UTC)
    assert answer == Accepted("63ecf43f0df7dba892e6", sent_at)
    [heard] = zalo.heard
    assert (heard.method, heard.path) == ("POST", "/v3.0/oa/message/cs")
    assert heard.headers["access_token"] == "access-1"
    assert "Authorization" not in heard.headers
    # Computed with openssl: printf access-1 | openssl dgst -sha256 -hmac APP-SECRET
    assert (
        heard.headers["appsecret_proof"] == "71d7b9cbdf84d3a4de61d5ef933c912e9c446e6a2dd03dbc7fd2a6c551c87fbd"
    )
    assert heard.json == request["body"]


async def test_a_template_by_phone_is_the_vendors_sample(client: ZaloClient, zalo: FakeZalo) -> None:
    """The phone host has its own path, and `msg_id` instead of `message_id`."""
    page = sample("send-zbs-phone")
    zalo.says(page["_response_ok"])
    request = page["_request"]
    assert isinstance(request, dict)
    body = request["body"]

    answer = await client.send_template_by_phone(
        "84987654321", body["template_id"], body["template_data"], tracking_id="ord8213new1"
    )

    assert isinstance(answer, Accepted)
    assert answer.message_id == "a4d0243feee163bd3af2"
    assert zalo.heard[0].path == "/message/template"
    assert zalo.heard[0].json == body


async def test_a_template_by_user_id_is_the_vendors_sample(client: ZaloClient, zalo: FakeZalo) -> None:
    """The same template goes to a user id through the OA host."""
    page = sample("send-zbs-uid")
    zalo.says(page["_response"])
    request = page["_request"]
    assert isinstance(request, dict)

    answer = await client.send_template_by_uid(USER, "7895417a7d3f9461cd2e", {"order_code": "PE010299485"})

    assert isinstance(answer, Accepted)
    assert zalo.heard[0].path == "/v3.0/oa/message/template"
    assert zalo.heard[0].json == request["body"]


async def test_a_phone_without_zalo_is_declined(client: ZaloClient, zalo: FakeZalo) -> None:
    """-118 comes with HTTP 200 and concerns this recipient only."""
    zalo.says(sample("send-zbs-phone")["_response_not_on_zalo"])
    answer = await client.send_template_by_phone("84987654321", "1", {}, tracking_id="a")
    assert isinstance(answer, Declined)
    assert (answer.fault.code, answer.fault.scope) == (-118, Scope.RECIPIENT)
    assert answer.text == "Zalo account not existed"


async def test_the_account_tells_its_name(client: ZaloClient, zalo: FakeZalo) -> None:
    """`doctor` asks whose token it is."""
    zalo.says({"error": 0, "message": "Success", "data": {"oa_id": 388613280878808645, "name": "Chốt Đơn"}})
    assert await client.get_oa() == OfficialAccount("388613280878808645", "Chốt Đơn")
    assert (zalo.heard[0].method, zalo.heard[0].path) == ("GET", "/v2.0/oa/getoa")


async def test_the_window_is_the_vendors_sample(client: ZaloClient, zalo: FakeZalo) -> None:
    """The last interaction comes as milliseconds in a string."""
    zalo.says(sample("quota-message-response"))
    assert await client.quota(USER) == Window(datetime(2023, 7, 24, 7, 35, tzinfo=UTC))
    assert zalo.heard[0].json == {"user_id": USER}


async def test_a_refused_token_is_replaced_once_and_the_call_repeated_once(
    client: ZaloClient, zalo: FakeZalo, tokens: FixedTokens
) -> None:
    """Nobody notices that the token had died."""
    zalo.says({"error": -216, "message": "Access token is invalid"})
    zalo.says(SENT)
    assert isinstance(await client.send_cs(USER, {"text": "a"}), Accepted)
    assert [heard.headers["access_token"] for heard in zalo.heard] == ["access-1", "access-2"]
    assert tokens.replaced == ["access-1"]


async def test_a_token_that_stays_refused_is_not_tried_a_third_time(
    client: ZaloClient, zalo: FakeZalo, tokens: FixedTokens
) -> None:
    """Exactly one retry: the second refusal is the answer."""
    zalo.says({"error": -220, "message": "access_token is expired or removed"})
    answer = await client.send_cs(USER, {"text": "a"})
    assert isinstance(answer, Declined)
    assert answer.fault.code == -220
    assert len(zalo.heard) == 2
    assert tokens.replaced == ["access-1"]


async def test_the_zbs_host_refuses_tokens_by_another_code(client: ZaloClient, zalo: FakeZalo) -> None:
    """-124 there is what -216 is on the OA host."""
    zalo.says({"error": -124, "message": "Access token invalid"})
    zalo.says(sample("send-zbs-phone")["_response_ok"])
    answer = await client.send_template_by_phone("84987654321", "1", {}, tracking_id="a")
    assert isinstance(answer, Accepted)


async def test_minus_124_of_the_oa_host_burns_no_token(
    client: ZaloClient, zalo: FakeZalo, tokens: FixedTokens
) -> None:
    """The codes of one host mean nothing on the other."""
    zalo.says({"error": -124, "message": "?"})
    assert isinstance(await client.send_cs(USER, {"text": "a"}), Declined)
    assert tokens.replaced == []


async def test_an_error_code_counts_whatever_the_status(client: ZaloClient, zalo: FakeZalo) -> None:
    """A code in the body decides, also with HTTP 400; a code in a string is a code."""
    zalo.says({"error": "-230", "message": None}, status=400)
    answer = await client.send_cs(USER, {"text": "a"})
    assert isinstance(answer, Declined)
    assert (answer.fault.code, answer.text) == (-230, "")


@pytest.mark.parametrize("status", [302, 403, 429, 500, 502, 503])
async def test_another_status_means_not_delivered(client: ZaloClient, zalo: FakeZalo, status: int) -> None:
    """An HTML page of a proxy in front of Zalo is no delivery, and no redirect is followed."""
    zalo.says(b"<html>Bad gateway</html>", status=status)
    assert await client.send_cs(USER, {"text": "a"}) == Undelivered(f"HTTP {status}")
    assert len(zalo.heard) == 1


async def test_a_success_with_a_bad_status_is_not_believed(client: ZaloClient, zalo: FakeZalo) -> None:
    """`error: 0` beside HTTP 500 is not a delivery."""
    zalo.says(SENT, status=500)
    assert await client.send_cs(USER, {"text": "a"}) == Undelivered("HTTP 500")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>OK</html>",
        b"{}",
        b"[]",
        b"null",
        b'{"error":null}',
        b'{"error":0.5}',
        b'{"error":0}',
        b'{"error":0,"data":null}',
        b'{"error":0,"data":[]}',
        b'{"error":0,"data":{"message_id":{}}}',
        b'{"error":0,"data":{"message_id":""}}',
        b'{"error":0,"data":' + b"[" * 100_000,
        b"\xff\xfe",
        b'{"error":0,"data":{"message_id":"\xff"}}',
        b" " * 300_000 + b'{"error":0,"data":{"message_id":"1"}}',
    ],
    ids=range(16),
)
async def test_garbage_with_http_200_is_unclear(client: ZaloClient, zalo: FakeZalo, body: bytes) -> None:
    """What we cannot read may have been a delivery: it is neither believed nor repeated."""
    zalo.says(body)
    assert isinstance(await client.send_cs(USER, {"text": "a"}), Unclear)
    assert len(zalo.heard) == 1


async def test_a_number_as_message_id_is_kept_as_text(client: ZaloClient, zalo: FakeZalo) -> None:
    """Ids are opaque; the time may be missing."""
    zalo.says(b'{"error":0,"data":{"message_id":96738415046090919999}}')
    assert await client.send_cs(USER, {"text": "a"}) == Accepted("96738415046090919999", None)


async def test_a_refused_connection_means_not_delivered(session: aiohttp.ClientSession) -> None:
    """Nobody listens: the call certainly had no effect."""
    async with TestServer(web.Application(), host="127.0.0.1") as server:
        closed = str(server.make_url("")).rstrip("/")
    client = ZaloClient(config_at(closed), session, FixedTokens(["a"]))
    assert await client.send_cs(USER, {"text": "a"}) == Undelivered("ClientConnectorError")


async def test_silence_after_sending_is_unclear(client: ZaloClient, zalo: FakeZalo) -> None:
    """Zalo took the request and says nothing for 5 seconds: it may have been delivered."""
    zalo.says(SENT, after=7)
    started = asyncio.get_running_loop().time()
    assert await client.send_cs(USER, {"text": "a"}) == Unclear("TimeoutError")
    assert 4.5 < asyncio.get_running_loop().time() - started < 6


async def test_a_connection_cut_after_sending_is_unclear(session: aiohttp.ClientSession) -> None:
    """The request was read before the line went dead."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = ZaloClient(config_at(f"http://127.0.0.1:{port}"), session, FixedTokens(["a"]))
        assert isinstance(await client.send_cs(USER, {"text": "a"}), Unclear)


async def test_waiting_for_a_token_is_part_of_the_five_seconds(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo
) -> None:
    """A refresh that hangs delivers nothing, and holds the caller no longer than a call does."""

    class Hanging(FixedTokens):
        async def access_token(self) -> str:
            await asyncio.Event().wait()
            return ""

    answer = await ZaloClient(config, session, Hanging([])).send_cs(USER, {"text": "a"})
    assert answer == Undelivered("no access token in time")
    assert zalo.heard == []


async def test_a_refresh_is_the_vendors_form(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo
) -> None:
    """The app secret goes into a header, the rest into a form; the life comes as a string."""
    zalo.says({"access_token": "A", "refresh_token": "R", "expires_in": "3600"})
    answer = await OAuthClient(config, session).refresh("old", now=NOW)
    assert answer == TokenPair("A", "R", NOW, timedelta(hours=1))
    [heard] = zalo.heard
    assert heard.path == "/v4/oa/access_token"
    assert heard.headers["secret_key"] == "APP-SECRET"
    assert heard.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = b"refresh_token=old&grant_type=refresh_token&app_id=360846524940903967"
    assert heard.body == form


async def test_a_code_is_exchanged_with_its_verifier(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo
) -> None:
    """The consent's code and the PKCE verifier give the first pair."""
    zalo.says(sample("oauth-token-response"))
    answer = await OAuthClient(config, session).exchange_code("c&d", verifier="v", now=NOW)
    assert answer == TokenPair("<opaque>", "<opaque>", NOW, timedelta(hours=25))
    assert b"code=c%26d&grant_type=authorization_code&code_verifier=v" in zalo.heard[0].body


@pytest.mark.parametrize("status", [200, 400])
async def test_an_oauth_error_is_never_a_pair(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo, status: int
) -> None:
    """The OAuth host has error bodies of its own shape, sometimes with HTTP 200."""
    zalo.says(sample("oauth-error-response"), status=status)
    answer = await OAuthClient(config, session).refresh("old", now=NOW)
    assert isinstance(answer, Declined)
    assert (answer.fault.code, answer.text) == (-14003, "Invalid redirect uri")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_token": "A"},
        {"access_token": "A", "refresh_token": ""},
        {"access_token": "", "refresh_token": "R"},
        {"access_token": None, "refresh_token": None},
        {"error": 0},
    ],
)
async def test_half_a_pair_is_no_pair(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo, body: object
) -> None:
    """An empty token is never taken for a success."""
    zalo.says(body)
    assert isinstance(await OAuthClient(config, session).refresh("old", now=NOW), Unclear)


@pytest.mark.parametrize("expires_in", [None, "", "soon", "-5", "0", 0, "9" * 40, 1e300])
async def test_a_nonsensical_life_does_not_lose_the_pair(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo, expires_in: object
) -> None:
    """The old refresh token is dead by now: the new pair counts, with the documented 25 hours."""
    zalo.says({"access_token": "A", "refresh_token": "R", "expires_in": expires_in})
    answer = await OAuthClient(config, session).refresh("old", now=NOW)
    assert answer == TokenPair("A", "R", NOW, ACCESS_LIFE)


async def test_trouble_at_the_oauth_host_is_not_a_refusal(
    config: ZaloConfig, session: aiohttp.ClientSession, zalo: FakeZalo
) -> None:
    """A gateway page leaves the refresh token as it was."""
    zalo.says(b"<html>", status=502)
    assert await OAuthClient(config, session).refresh("old", now=NOW) == Undelivered("HTTP 502")


def test_secrets_do_not_show() -> None:
    """Neither settings nor tokens print what they hold."""
    shown = repr(config_at("http://127.0.0.1")) + repr(TokenPair("AAA", "RRR", NOW))
    assert not any(secret in shown for secret in ("APP-SECRET", "OA-SECRET", "AAA", "RRR"))


@pytest.mark.parametrize("odd", ["", None, "soon", "9" * 5000, 10**30, -(10**30)])
def test_an_unusable_time_is_no_time(odd: str | int | None) -> None:
    """Zalo's times come from outside and may be anything."""
    assert moment(odd) is None
