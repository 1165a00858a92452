"""ZBS templates reach a phone number or a user id, within the vendor's rules."""

from typing import Any

import pytest

from sandbox.zalo import FakeZalo, Param, Person, Template
from tests.sandbox.conftest import Caller, Ear

PLAIN = Template(
    "11111",
    "Đơn mới",
    "Đơn <order_code>: <summary>",
    params=(Param("order_code", 30), Param("summary", 200, required=False)),
    links=(("Xem chi tiết", "https://example.vn/o/<order_code>"),),
)
QUICK = Template(
    "22222", "Xác nhận nhanh", "Đơn <order_code>", params=(Param("order_code", 30),), responses=("Xác nhận",)
)


@pytest.fixture
def lan(zalo: FakeZalo) -> Person:
    """Return Lan, who never wrote to the account but has a phone."""
    zalo.add_template(PLAIN)
    zalo.add_template(QUICK)
    return zalo.person("111", "Lan", phone="84909123456")


def by_phone(**changes: Any) -> dict[str, Any]:
    """Return a good body for the business host, with changes."""
    body = {
        "phone": "84909123456",
        "template_id": "11111",
        "template_data": {"order_code": "48273", "summary": "40 suất"},
        "tracking_id": "n1a2b3",
    }
    return {**body, **changes}


async def test_a_template_by_phone(product: Caller, lan: Person) -> None:
    """It needs no earlier interaction; the answer has the shape of the sample."""
    answer = await product.post("/message/template", by_phone())
    bubble = await lan.sees("Đơn 48273: 40 suất")
    assert answer["data"]["msg_id"] == bubble.message_id
    assert answer["data"]["sending_mode"] == "1"
    assert answer["data"]["quota"] == {"dailyQuota": "5000", "remainingQuota": "4999"}
    assert lan.link("Xem chi tiết") == "https://example.vn/o/48273"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phone": "+84909123456"}, 0),
        ({"phone": "0909123456"}, -108),
        ({"phone": "849091234567"}, -108),
        ({"phone": 84909123456}, -108),
        ({"phone": "84911111111"}, -118),
        ({"template_id": "404"}, -109),
        ({"template_data": {"summary": "x"}}, -1122),
        ({"template_data": {"order_code": ""}}, -1122),
        ({"template_data": {"order_code": "x" * 30}}, 0),
        ({"template_data": {"order_code": "x" * 31}}, -1121),
        ({"template_data": {"order_code": 48273}}, -1124),
        ({"template_data": "x"}, -121),
        ({"tracking_id": "a" * 48}, 0),
        ({"tracking_id": "a" * 49}, -132),
        ({"tracking_id": "a-b"}, -132),
        ({"tracking_id": None}, -132),
        ({"sending_mode": "3"}, 0),
        ({"sending_mode": "2"}, -162),
        ({"mode": "development"}, -127),
    ],
)
async def test_the_rules_by_phone(product: Caller, lan: Person, changes: dict[str, Any], code: int) -> None:
    """Each rule has its code; a refused message reaches nobody."""
    assert (await product.post("/message/template", by_phone(**changes)))["error"] == code
    assert len(lan.received) == (code == 0)


async def test_a_number_that_is_not_on_zalo(product: Caller, lan: Person) -> None:
    """The answer is the sample's, word for word."""
    answer = await product.post("/message/template", by_phone(phone="84900000000"))
    assert answer == {"error": -118, "message": "Zalo account not existed"}


async def test_the_daily_quota(product: Caller, lan: Person, zalo: FakeZalo) -> None:
    """Beyond the day's quota every message is -144."""
    zalo.office.daily_quota = 1
    assert (await product.post("/message/template", by_phone()))["error"] == 0
    assert (await product.post("/message/template", by_phone()))["error"] == -144


async def test_a_template_by_user_id(product: Caller, lan: Person) -> None:
    """It reaches the chat; one with response buttons cannot be sent that way."""
    body = {"user_id": "111", "template_id": "11111", "template_data": {"order_code": "48273"}}
    answer = await product.post("/v3.0/oa/message/template", body)
    assert answer["data"]["message_id"] == (await lan.sees("48273")).message_id
    refused = await product.post("/v3.0/oa/message/template", {**body, "template_id": "22222"})
    assert refused["error"] == -249


async def test_a_quick_reply_carries_our_tracking_id(product: Caller, lan: Person, ear: Ear) -> None:
    """The tap arrives with the label and our tracking id, and names no user."""
    await product.post("/message/template", by_phone(template_id="22222"))
    await lan.tap("Xác nhận")
    arrival = ear.arrivals[0]
    assert arrival.body["event_name"] == "user_click_response_button"
    assert arrival.body["message"]["data"] == "Xác nhận"
    assert arrival.body["message"]["tracking_id"] == "n1a2b3"
    assert "sender" not in arrival.body
    assert arrival.headers["X-ZEvent-Server"] == "ZNS"


async def test_the_receipt_of_a_template_by_phone(product: Caller, lan: Person, ear: Ear) -> None:
    """It names the phone number as its recipient, and can be asked for as well."""
    sent = await product.post("/message/template", by_phone())
    await lan.confirm_received(lan.received[0])
    body = ear.arrivals[0].body
    assert body["recipient"]["id"] == "84909123456"
    assert body["message"]["tracking_id"] == "n1a2b3"
    status = await product.get("/message/status", message_id=sent["data"]["msg_id"])
    assert status["data"]["status"] == 1
    lan.offline = True
    status = await product.get("/message/status", message_id=sent["data"]["msg_id"])
    assert status["data"]["status"] == 0
    assert (await product.get("/message/status", message_id="none"))["data"]["status"] == -1
