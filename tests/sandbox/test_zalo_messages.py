"""The fake Zalo refuses what the vendor refuses, with the vendor's codes."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from sandbox.zalo import FakeZalo, Person
from tests.sandbox.conftest import Caller, HandClock

CONFIRM = {"title": "Xác nhận đơn hàng", "type": "oa.query.hide", "payload": "#c:48273"}
DETAILS = {
    "title": "Xem chi tiết đơn hàng",
    "type": "oa.open.url",
    "payload": {"url": "http://127.0.0.1/o/1"},
}


@pytest.fixture
async def lan(zalo: FakeZalo) -> Person:
    """Return Lan, who said hello a moment ago."""
    person = zalo.person("111", "Lan", phone="84909123456")
    await person.say("Chào shop")
    return person


def card(*buttons: dict[str, Any], text: str = "Đơn 48273: 40 suất") -> dict[str, Any]:
    """Return a text with buttons under it."""
    return {"text": text, "attachment": {"type": "template", "payload": {"buttons": list(buttons)}}}


async def test_a_text_reaches_the_phone(product: Caller, lan: Person) -> None:
    """The answer has the shape of the sample, and the phone shows the text."""
    answer = await product.cs({"text": "Chào Lan"})
    bubble = await lan.sees("Chào Lan")
    assert answer["error"] == 0
    assert answer["data"]["message_id"] == bubble.message_id
    assert answer["data"]["user_id"] == "111"
    assert answer["data"]["sent_time"].isdigit()


async def test_buttons_stand_under_the_text(product: Caller, lan: Person) -> None:
    """A card keeps its buttons in their order, links among them."""
    await product.cs(card(CONFIRM, DETAILS))
    bubble = await lan.sees("40 suất")
    assert [button.title for button in bubble.buttons] == ["Xác nhận đơn hàng", "Xem chi tiết đơn hàng"]
    assert lan.link("Xem chi tiết đơn hàng") == "http://127.0.0.1/o/1"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": "a" * 2000}, 0),
        ({"text": "a" * 2001}, -210),
        ({"text": ""}, -201),
        ({"text": " \n"}, -201),
        ({"text": 5}, -201),
        ({}, -201),
        ("hello", -201),
        (card(*[CONFIRM] * 5), 0),
        (card(*[CONFIRM] * 6), -210),
        (card(), -201),
        (card({**CONFIRM, "title": "t" * 100}), 0),
        (card({**CONFIRM, "title": "t" * 101}), -210),
        (card({**CONFIRM, "payload": "p" * 1000}), 0),
        (card({**CONFIRM, "payload": "p" * 1001}), -210),
        (card({**CONFIRM, "payload": {"data": "p"}}), -201),
        (card({**CONFIRM, "type": "postback"}), -201),
        (card({**DETAILS, "payload": "http://127.0.0.1"}), -201),
        (card({**DETAILS, "payload": {"url": "javascript:alert(1)"}}), -201),
        (card({"title": "Gọi", "type": "oa.open.phone", "payload": {"phone_code": "19001000"}}), 0),
        (
            card(
                {"title": "SMS", "type": "oa.open.sms", "payload": {"content": "x" * 161, "phone_code": "1"}}
            ),
            -210,
        ),
        (card(CONFIRM, text="a" * 2001), -210),
        ({"attachment": {"type": "template", "payload": {"buttons": [CONFIRM]}}}, -201),
        ({"attachment": {"type": "template", "payload": {"template_type": "button", "text": "a"}}}, -233),
        ({"attachment": {"type": "template", "payload": {"template_type": "transaction_order"}}}, -240),
        ({"attachment": {"type": "template", "payload": {"template_type": "list"}}}, -240),
    ],
)
async def test_the_limits_of_a_message(product: Caller, lan: Person, message: object, code: int) -> None:
    """Each documented limit is met exactly: the longest is taken, one more is refused."""
    answer = await product.cs(message)
    assert answer["error"] == code
    assert len(lan.received) == (code == 0)


@pytest.mark.parametrize(
    ("age", "code", "billed"),
    [
        (timedelta(hours=48), 0, False),
        (timedelta(hours=48, seconds=1), 0, True),
        (timedelta(days=7), 0, True),
        (timedelta(days=7, seconds=1), -230, False),
    ],
)
async def test_the_window_after_an_interaction(
    product: Caller, lan: Person, clock: HandClock, age: timedelta, code: int, billed: bool
) -> None:
    """Free for 48 hours, billed up to 7 days, refused after that."""
    clock.advance(age)
    answer = await product.cs({"text": "Đơn mới"})
    assert answer["error"] == code
    assert [bubble.billed for bubble in lan.received] == ([billed] if code == 0 else [])


async def test_a_tap_opens_the_window_again(product: Caller, lan: Person, clock: HandClock) -> None:
    """Whoever taps an old card can be written to for another 48 hours, free of charge."""
    await product.cs(card(CONFIRM))
    clock.advance(timedelta(days=8))
    await lan.tap("Xác nhận đơn hàng")
    await product.cs({"text": "Đã xác nhận"})
    assert not (await lan.sees("Đã xác nhận")).billed


async def test_somebody_who_never_wrote(product: Caller, zalo: FakeZalo) -> None:
    """A person who never interacted is answered -232, a made-up id -201."""
    zalo.person("222", "Minh")
    assert (await product.cs({"text": "Chào"}, to="222"))["error"] == -232
    assert (await product.cs({"text": "Chào"}, to="999"))["error"] == -201


async def test_somebody_who_restricted_the_account(product: Caller, lan: Person) -> None:
    """A person's own refusal is the code the send gets."""
    lan.refusal = -244
    assert (await product.cs({"text": "Chào"}))["error"] == -244


async def test_the_rate_of_an_app(clock: HandClock, session: aiohttp.ClientSession) -> None:
    """The call beyond the minute's limit is answered -32, and the headers say what is left."""
    async with FakeZalo(clock=clock, per_minute=2) as zalo:
        zalo.person("111", "Lan").last_interaction = clock()
        headers = {"access_token": zalo.issue_tokens().access_token}
        body = {"recipient": {"user_id": "111"}, "message": {"text": "Chào"}}
        errors, left = [], []
        for _ in range(4):
            async with session.post(zalo.url + "/v3.0/oa/message/cs", json=body, headers=headers) as answer:
                errors.append((await answer.json())["error"])
                left.append(answer.headers.get("X-RateLimit-Remain"))
    assert -32 in errors
    assert left[0] == "1"


async def test_old_endpoints_are_shut_down(product: Caller, lan: Person) -> None:
    """The v2 message endpoint and v3 transaction answer -240; a reaction still works on v2."""
    body = {"recipient": {"user_id": "111"}, "message": {"text": "Chào"}}
    assert (await product.post("/v2.0/oa/message", body))["error"] == -240
    assert (await product.post("/v3.0/oa/message/transaction", body))["error"] == -240
    hello = lan.bubbles[0]
    action = {"react_icon": "/-strong", "react_message_id": hello.message_id}
    body = {"recipient": {"user_id": "111"}, "sender_action": action}
    assert (await product.post("/v2.0/oa/message", body))["error"] == 0
    assert lan.bubbles[0].reaction == "/-strong"


async def test_questions_about_people_and_the_account(product: Caller, lan: Person, zalo: FakeZalo) -> None:
    """Quota, details and the account's page answer as the samples do."""
    quota = await product.post("/v3.0/oa/quota/message", {"user_id": "111"})
    assert quota["data"]["last_interaction"] == "1795485600000"
    detail = await product.get("/v3.0/oa/user/detail", data='{"user_id":"111"}')
    assert detail["data"]["display_name"] == "Lan"
    assert detail["data"]["user_last_interaction_date"] == "24/11/2026"
    assert (await product.get("/v3.0/oa/user/detail", data="nonsense"))["error"] == -201
    assert (await product.get("/v2.0/oa/getoa"))["data"]["oa_id"] == zalo.oa_id


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_object(product: Caller, session: aiohttp.ClientSession, body: bytes) -> None:
    """Whatever is no JSON object is -201, never a server error."""
    headers = {"access_token": product.token}
    async with session.post(product.url + "/v3.0/oa/message/cs", data=body, headers=headers) as answer:
        assert (await answer.json())["error"] == -201
