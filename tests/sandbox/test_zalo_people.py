"""What a person does on the phone arrives at the product as Zalo would bring it."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.feed import Level
from sandbox.zalo import FakeZalo, Template, signature
from tests.sandbox.conftest import Caller, Ear, HandClock

# The vector was made from the published rule, not captured: see docs/facts.md#zalo-signature.
VECTOR = (
    '{"app_id":"1234567890","sender":{"id":"111"},"recipient":{"id":"222"},"event_name":"user_send_text",'
    '"message":{"text":"Xác nhận đơn 8213","msg_id":"abc123"},"timestamp":"1787209817225"}'
).encode()
VECTOR_MAC = "mac=73195e1b4e46513353fd0afa93ec403018794c23c911a8828d6a5d7971e85d9f"
CARD = {
    "text": "Đơn 48273",
    "attachment": {
        "type": "template",
        "payload": {
            "buttons": [
                {"title": "Xác nhận đơn hàng", "type": "oa.query.hide", "payload": "#c:48273"},
                {"title": "Danh sách", "type": "oa.query.show", "payload": "DS"},
                {"title": "Xem", "type": "oa.open.url", "payload": {"url": "https://example.vn/o/1"}},
            ]
        },
    },
}


def test_the_signature_of_the_vector() -> None:
    """The signature is the plain SHA-256 of app id, body, timestamp and OA secret."""
    assert signature("1234567890", VECTOR, "1787209817225", "TEST_OA_SECRET") == VECTOR_MAC


async def test_a_text_arrives_signed(zalo: FakeZalo, ear: Ear) -> None:
    """A typed text is a `user_send_text`, signed over the bytes as they travel."""
    delivery = await zalo.person("111", "Lan").say("CT 48273 nhé")
    arrival = ear.arrivals[0]
    body = arrival.body
    assert delivery.accepted
    assert body["event_name"] == "user_send_text"
    assert body["message"]["text"] == "CT 48273 nhé"
    assert (body["sender"]["id"], body["recipient"]["id"]) == ("111", zalo.oa_id)
    expected = signature(zalo.app_id, arrival.raw, body["timestamp"], zalo.oa_secret)
    assert arrival.headers["X-ZEvent-Signature"] == expected
    assert arrival.headers["X-ZEvent-Server"] == "OA OpenAPI"
    assert arrival.headers["User-Agent"] == "ZaloWebhook"


async def test_a_tap_is_a_text_with_the_payload(zalo: FakeZalo, ear: Ear, product: Caller) -> None:
    """A hidden query leaves no bubble, a shown one does; every tap has its own msg_id."""
    lan = zalo.person("111", "Lan")
    await lan.say("Chào")
    await product.cs(CARD)
    await lan.tap("Xác nhận đơn hàng")
    await lan.tap(0)
    await lan.tap("Danh sách")
    texts = [arrival.body["message"]["text"] for arrival in ear.arrivals]
    ids = {arrival.body["message"]["msg_id"] for arrival in ear.arrivals}
    assert texts == ["Chào", "#c:48273", "#c:48273", "DS"]
    assert len(ids) == 4
    assert [bubble.text for bubble in lan.bubbles if not bubble.from_oa] == ["Chào", "DS"]


async def test_what_cannot_be_tapped(zalo: FakeZalo, product: Caller) -> None:
    """A link is not told to the account, and a button that is not there cannot be tapped."""
    lan = zalo.person("111", "Lan")
    await lan.say("Chào")
    await product.cs(CARD)
    with pytest.raises(ValueError, match=r"https://example\.vn/o/1"):
        await lan.tap("Xem")
    with pytest.raises(LookupError, match="Huỷ"):
        await lan.tap("Huỷ đơn hàng")


async def test_following_and_leaving(zalo: FakeZalo, ear: Ear) -> None:
    """Follow and unfollow are flat events that name the follower."""
    lan = zalo.person("111", "Lan")
    await lan.follow()
    await lan.unfollow()
    events = [(arrival.body["event_name"], arrival.body["follower"]["id"]) for arrival in ear.arrivals]
    assert events == [("follow", "111"), ("unfollow", "111")]
    assert ear.arrivals[0].body["oa_id"] == zalo.oa_id


async def test_receipts_swap_sender_and_recipient(zalo: FakeZalo, ear: Ear, product: Caller) -> None:
    """A phone reports what it received and what was looked at, and that is no interaction."""
    lan = zalo.person("111", "Lan")
    lan.last_interaction = zalo.clock()
    await product.cs({"text": "Đơn mới"})
    bubble = lan.received[0]
    await lan.confirm_received(bubble)
    await lan.confirm_seen([bubble])
    received, seen = (arrival.body for arrival in ear.arrivals)
    assert (received["sender"]["id"], received["recipient"]["id"]) == (zalo.oa_id, "111")
    assert received["message"] == {"msg_id": bubble.message_id}
    assert seen["message"] == {"msg_ids": [bubble.message_id]}
    assert lan.last_interaction == zalo.clock()


async def test_receipts_come_by_themselves(clock: HandClock, ear: Ear, product: Caller) -> None:
    """With `receipts_after`, a phone that is on reports each message; one that is off does not."""
    async with FakeZalo(clock=clock, receipts_after=timedelta()) as zalo:
        zalo.webhook_url = ear.url
        lan = zalo.person("111", "Lan")
        token = zalo.issue_tokens().access_token
        product = Caller(product.session, zalo.url, token)
        await lan.say("Chào")
        lan.offline = True
        await product.cs({"text": "một"})
        lan.offline = False
        await product.cs({"text": "hai"})
        await _until(lambda: len(ear.arrivals) == 2)
    assert ear.arrivals[1].body["message"]["msg_id"] == lan.received[1].message_id


async def test_a_redelivery_is_the_same_bytes(zalo: FakeZalo, ear: Ear) -> None:
    """What was not accepted is posted again, byte for byte, and counts its retries."""
    ear.status = 503
    first = await zalo.person("111", "Lan").say("XN 48273")
    ear.status = 200
    second = await zalo.redeliver(first)
    third = await zalo.redeliver(second)
    assert (first.accepted, second.accepted) == (False, True)
    assert len({arrival.raw for arrival in ear.arrivals}) == 1
    assert [arrival.headers.get("num_retry") for arrival in ear.arrivals] == [None, "1", "2"]
    assert third.retries == 2


async def test_a_product_that_is_down(zalo: FakeZalo, ear: Ear) -> None:
    """Nothing raises when the product is away: the delivery has no status, and the feed says so in red."""
    await ear.listener.refuse()
    delivery = await zalo.person("111", "Lan").say("DS")
    assert delivery.status is None
    assert zalo.feed.hops[-1].level is Level.ERROR


async def test_the_console_probe(zalo: FakeZalo, ear: Ear) -> None:
    """Saving the address in the console posts an empty object without a signature."""
    await zalo.probe()
    assert ear.arrivals[0].raw == b"{}"
    assert "X-ZEvent-Signature" not in ear.arrivals[0].headers


async def test_other_things_people_send(zalo: FakeZalo, ear: Ear) -> None:
    """A picture, a gif and a submitted form arrive under their own event names."""
    lan = zalo.person("111", "Lan")
    await lan.attach("image", {"url": "https://example.vn/1.jpg", "thumbnail": ""}, text="bếp")
    await lan.attach("gif", {"url": "https://example.vn/1.gif", "thumbnail": ""})
    await lan.submit_info(name="Lan", phone="84909123456")
    await lan.click_chat_now()
    names = [arrival.body["event_name"] for arrival in ear.arrivals]
    assert names == ["user_send_image", "user_send_image", "user_submit_info", "user_click_chatnow"]
    assert ear.arrivals[1].body["message"]["attachments"][0]["type"] == "gif"


async def test_an_unread_message_is_read_once(zalo: FakeZalo, product: Caller) -> None:
    """`sees` reads one message; what nobody expected stays unread, and what never comes is an error."""
    lan = zalo.person("111", "Lan")
    await lan.say("Chào")
    await product.cs({"text": "Đơn 1"})
    await product.cs({"text": "Đơn 2"})
    await lan.sees("Đơn 2")
    assert [bubble.text for bubble in lan.unread] == ["Đơn 1"]
    with pytest.raises(AssertionError, match="Đơn 1"):
        await lan.sees("Đơn 2", within=0.05)
    assert [bubble.text for bubble in lan.reads_all()] == ["Đơn 1"]
    assert lan.unread == []


async def test_any_event_can_be_posted(zalo: FakeZalo, ear: Ear) -> None:
    """An event of the vendor's list is completed with app id and timestamp, then signed."""
    event: dict[str, object] = {"event_name": "change_oa_daily_quota", "oaId": zalo.oa_id}
    await zalo.post(event, server="ZNS")
    arrival = ear.arrivals[0]
    assert json.loads(arrival.raw)["app_id"] == zalo.app_id
    assert arrival.headers["X-ZEvent-Server"] == "ZNS"


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_form_for_the_phone_is_answered(zalo: FakeZalo, ear: Ear, product: Caller) -> None:
    """Whoever is asked shares name and phone; who was not asked has no button for it."""
    lan = zalo.person("111", "Lan", phone="84909123456")
    with pytest.raises(LookupError):
        await lan.shares_phone()
    await lan.follow()
    element = {"title": "Chào", "subtitle": "Chia sẻ số", "image_url": "https://example.vn/a.png"}
    payload = {"template_type": "request_user_info", "elements": [element]}
    assert (await product.cs({"attachment": {"type": "template", "payload": payload}}))["error"] == 0
    shared = (await lan.shares_phone()).event
    assert (shared["event_name"], shared["info"]) == (
        "user_submit_info",
        {"name": "Lan", "phone": "84909123456"},
    )


async def test_a_template_is_answered_by_its_labels(zalo: FakeZalo, ear: Ear, product: Caller) -> None:
    """The event names our message and the label, and nobody; it may come as often as people tap."""
    zalo.add_template(Template("7", "Mới", "Đơn mới", responses=("Xác nhận", "Huỷ đơn")))
    lan = zalo.person("111", "Lan", phone="84909123456")
    body = {"phone": lan.phone, "template_id": "7", "template_data": {}, "tracking_id": "abc1"}
    assert (await product.post("/message/template", body))["error"] == 0
    told = [(await lan.replies(label)).event for label in ("Xác nhận", "Huỷ đơn", "Xác nhận")]
    assert [event["message"]["data"] for event in told] == ["Xác nhận", "Huỷ đơn", "Xác nhận"]
    assert {event["message"]["tracking_id"] for event in told} == {"abc1"}
    assert "sender" not in told[0]
    with pytest.raises(LookupError):
        await lan.replies("Gọi lại")
