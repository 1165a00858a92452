"""Every event of the vendor's samples is understood, or known to ask nothing of us."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.channels import (
    Address,
    AddressKind,
    ChannelName,
    Followed,
    Inbound,
    Left,
    Pressed,
    Receipt,
    ReceiptKind,
    Replied,
    Said,
    SharedPhone,
    Unreadable,
)
from core.errors import Malformed
from tests.zalo_oa.conftest import sample
from zalo_oa.inbound import Ignored, is_probe, parse
from zalo_oa.render import PAYLOAD_MARK

APP = "360846524940903967"
OA = "388613280878808645"
USER = "246845883529197922"
LAN = Address(AddressKind.ZALO_USER, USER)


def read(event: object) -> Inbound | Ignored:
    """Parse an event as if it had been signed."""
    return parse(json.dumps(event).encode(), app_id=APP, oa_id=OA)


def from_lan(name: str, **message: object) -> dict[str, Any]:
    """Return what Zalo posts when Lan sends something."""
    return {
        "app_id": APP,
        "sender": {"id": USER},
        "recipient": {"id": OA},
        "event_name": name,
        "message": {"msg_id": "m1", **message},
        "timestamp": "1787209817225",
    }


def about_lan(name: str, **message: object) -> dict[str, Any]:
    """Return what Zalo posts about our own message to Lan."""
    return {**from_lan(name, **message), "sender": {"id": OA}, "recipient": {"id": USER}}


def test_a_text_is_what_somebody_said() -> None:
    """The vendor's sample, its key made of the message id."""
    assert read(sample("webhook-user_send_text")) == Inbound(
        ChannelName.ZALO, "zalo:96d3cdf3af150460909", LAN, Said("message")
    )


def test_a_tap_is_a_text_with_our_mark() -> None:
    """Nothing but the payload tells a tap from typing."""
    tap = sample("webhook-button-tap-oa.query")
    message = tap["message"]
    assert isinstance(message, dict)
    message["text"] = f"{PAYLOAD_MARK}AbC-_1"
    assert read(tap) == Inbound(ChannelName.ZALO, "zalo:96d3cdf3af150460910", LAN, Pressed("AbC-_1"))


@pytest.mark.parametrize("text", ["#48273", "#ord:confirm:8213", "XN 48273", "#", "", "cd:x", "# cd:x"])
def test_a_typed_text_is_not_a_tap(text: str) -> None:
    """People type `#48273`, and other apps' payloads are not ours."""
    event = read(from_lan("user_send_text", text=text))
    assert isinstance(event, Inbound)
    assert event.body == Said(text)


def test_numbers_as_ids_are_kept_exactly() -> None:
    """Ids beyond 2^53 come as strings, and would survive as numbers."""
    event = from_lan("user_send_text", text="a")
    event["sender"]["id"] = 246845883529197922
    event["recipient"]["id"] = int(OA)
    event["message"]["msg_id"] = 96738415046090919999
    got = read(event)
    assert isinstance(got, Inbound)
    assert (got.sender, got.key) == (LAN, "zalo:96738415046090919999")


@pytest.mark.parametrize(
    "what", ["image", "gif", "link", "audio", "video", "sticker", "location", "business_card", "file"]
)
def test_what_we_do_not_read_is_named(what: str) -> None:
    """A picture or a place is answered politely, so it must be known as such."""
    catalogue = sample("webhook-attachments-catalogue")
    attachment = {"type": what, "payload": catalogue.get(what, {})}
    event = read(from_lan(f"user_send_{what}", attachments=[attachment]))
    assert isinstance(event, Inbound)
    assert event.body == Unreadable(what)


def test_words_beside_a_picture_count() -> None:
    """The vendor's sample has a caption: it is what the person says."""
    event = read(sample("webhook-user_send_image"))
    assert isinstance(event, Inbound)
    assert event.body == Said("optional caption")


def test_following_and_leaving() -> None:
    """Management events are flat, and known by event, time and subject."""
    follow = sample("webhook-follow") | {"app_id": APP, "oa_id": OA}
    follower = Address(AddressKind.ZALO_USER, "24684588352919792")
    assert read(follow) == Inbound(
        ChannelName.ZALO, "zalo:follow:154397978274:24684588352919792", follower, Followed()
    )
    leaving = read(follow | {"event_name": "unfollow"})
    assert isinstance(leaving, Inbound)
    assert (leaving.body, leaving.sender) == (Left(), follower)


def test_pressing_chat_opens_the_conversation() -> None:
    """`user_click_chatnow` names the user beside the account."""
    event = read(sample("webhook-user_click_chatnow") | {"timestamp": "1787209817225"})
    assert isinstance(event, Inbound)
    assert (event.body, event.sender) == (Followed(), LAN)
    assert event.key == f"zalo:user_click_chatnow:1787209817225:{USER}"


@pytest.mark.parametrize("phone", ["84912345678", 84912345678, "0912345678", "+84 912 345 678"])
def test_a_shared_phone_is_a_claim(phone: str | int) -> None:
    """The vendor's sample; the phone becomes E.164 however it is written."""
    event = sample("webhook-user_submit_info") | {"app_id": APP, "recipient": {"id": OA}}
    info = event["info"]
    assert isinstance(info, dict)
    info["phone"] = phone
    got = read(event)
    assert isinstance(got, Inbound)
    assert got.body == SharedPhone("+84912345678", "Name Example")
    assert got.key == "zalo:user_submit_info:1540368141908:246845883529697922"


@pytest.mark.parametrize("info", [{}, {"phone": ""}, {"phone": "không có"}, {"phone": "1"}])
def test_shared_info_without_a_phone_asks_nothing(info: dict[str, str]) -> None:
    """There is nothing to link by."""
    event = from_lan("user_submit_info") | {"info": info}
    assert read(event) == Ignored("no phone")


def test_a_message_arrived() -> None:
    """A receipt names our message; its key differs from that message's own."""
    assert read(about_lan("user_received_message")) == Inbound(
        ChannelName.ZALO,
        "zalo:user_received_message:1787209817225:m1",
        LAN,
        Receipt(ReceiptKind.DELIVERED, ids=("m1",)),
    )


@pytest.mark.parametrize("message", [{"msg_ids": ["m1", "m2"]}, {"msg_ids": ["m1", "m2"], "msg_id": None}])
def test_messages_were_seen(message: dict[str, object]) -> None:
    """Seen comes for several messages at once, from either direction."""
    for event in (about_lan("user_seen_message", **message), from_lan("user_seen_message", **message)):
        got = read(event)
        assert isinstance(got, Inbound)
        assert (got.body, got.sender) == (Receipt(ReceiptKind.SEEN, ids=("m1", "m2")), LAN)


def test_one_message_was_seen() -> None:
    """Some say `msg_id` where the document says `msg_ids`."""
    got = read(about_lan("user_seen_message"))
    assert isinstance(got, Inbound)
    assert got.body == Receipt(ReceiptKind.SEEN, ids=("m1",))


def test_a_zbs_message_arrived_at_a_phone() -> None:
    """The vendor's sample: the recipient is a phone, and our own key comes back."""
    event = sample("webhook-zns-user_received_message") | {"app_id": APP, "sender": {"id": OA}}
    got = read(event)
    assert isinstance(got, Inbound)
    # 84 123 456 789 is no assigned range any more, but it is a possible number.
    assert got.sender == Address(AddressKind.PHONE, "+84123456789")
    assert got.body == Receipt(ReceiptKind.DELIVERED, ids=("15a0cc0bbb13bd4ce403",), keys=("tracking_id",))


def test_a_tracking_id_of_ours_becomes_the_key_again() -> None:
    """Keys are UUIDs; Zalo allows no dashes in them."""
    event = sample("webhook-zns-user_received_message") | {"app_id": APP, "sender": {"id": OA}}
    message = event["message"]
    assert isinstance(message, dict)
    message["tracking_id"] = "0198c0de00007000800000000000000a"
    got = read(event)
    assert isinstance(got, Inbound)
    assert isinstance(got.body, Receipt)
    assert got.body.keys == ("0198c0de-0000-7000-8000-00000000000a",)


def test_a_quick_reply_names_our_message_and_the_button() -> None:
    """Different buttons and times are different events; the person is not named."""
    event = sample("webhook-zbs-user_click_response_button") | {"app_id": APP, "oa_id": OA}
    got = read(event)
    assert isinstance(got, Inbound)
    assert got.body == Replied("Tiếp tục học", ids=("msgA0001",), keys=("trackA0001",))
    # The end is of: printf 'Tiếp tục học' | sha256sum
    label = "e89b3e470a0d0c01"
    assert got.key == f"zalo:user_click_response_button:1759215799072:msgA0001:trackA0001:{label}"


def test_a_quick_reply_without_a_label_proves_that_the_message_was_seen() -> None:
    """There is nothing to act by."""
    event = sample("webhook-zbs-user_click_response_button") | {"app_id": APP, "oa_id": OA}
    message = event["message"]
    assert isinstance(message, dict)
    message["data"] = " "
    got = read(event)
    assert isinstance(got, Inbound)
    assert got.body == Receipt(ReceiptKind.SEEN, ids=("msgA0001",), keys=("trackA0001",))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("webhook-oa_send_text", "echo"),
        ("webhook-zbs-user_feedback", "rating"),
        ("webhook-zbs-change_template_status", "template"),
        ("webhook-zbs-change_oa_daily_quota", "quota"),
        ("webhook-anonymous_send_text", "anonymous"),
    ],
)
def test_events_that_ask_nothing_are_counted_by_kind(name: str, why: str) -> None:
    """They are answered with 200 and forgotten."""
    assert read(sample(name) | {"app_id": APP}) == Ignored(why)


@pytest.mark.parametrize("event_name", ["user_reacted_message", "oa_reacted_message"])
def test_reactions_ask_nothing(event_name: str) -> None:
    """A thumb up is not a confirmation."""
    assert read(from_lan(event_name, react_icon="/-strong")) == Ignored("reaction")


def test_an_unknown_event_may_have_any_shape() -> None:
    """What Zalo invents tomorrow is counted, not refused."""
    event = {"event_name": "user_dances", "app_id": APP, "message": [1], "sender": 5}
    assert read(event) == Ignored("unknown event")


@pytest.mark.parametrize(
    "name",
    [
        "webhook-user_send_text",
        "webhook-user_send_image",
        "webhook-follow",
        "webhook-user_submit_info",
        "webhook-user_click_chatnow",
        "webhook-user_received_message-oa",
        "webhook-user_seen_message",
        "webhook-zns-user_received_message",
        "webhook-zbs-user_click_response_button",
    ],
)
def test_events_of_another_account_or_app_are_not_ours(name: str) -> None:
    """The app may serve other accounts, and the secret may be shared; we are one of them."""
    raw = json.dumps(sample(name) | {"app_id": APP}).encode()
    assert parse(raw, app_id=APP, oa_id="1") == Ignored("foreign account")
    assert parse(raw, app_id="2", oa_id=OA) == Ignored("foreign app")


def test_the_consoles_test_button_asks_nothing() -> None:
    """It is signed and names ids that are not ours."""
    event = sample("webhook-console-probe")["_probe_2_test_button"]
    assert isinstance(event, dict)
    assert read(event | {"app_id": APP}) == Ignored("foreign account")


@pytest.mark.parametrize(
    ("raw", "probe"),
    [
        (b"{}", True),
        (b" { }\r\n", True),
        (b"", True),
        (b"[]", False),
        (b'{"event_name":"follow"}', False),
        (b"{" + b" " * 100_000 + b"}", False),
    ],
)
def test_the_consoles_probe_is_empty(raw: bytes, *, probe: bool) -> None:
    """It comes unsigned when the URL is saved; nothing else does."""
    assert is_probe(raw) is probe


def test_what_the_database_cannot_store_is_dropped() -> None:
    """A zero character passes every parser and would be retried for ever."""
    event = read(from_lan("user_send_text", text="XN\u0000 48273"))
    assert isinstance(event, Inbound)
    assert event.body == Said("XN 48273")


def test_an_endless_text_is_cut() -> None:
    """No person writes more than Zalo lets them."""
    event = read(from_lan("user_send_text", text="a" * 100_000))
    assert isinstance(event, Inbound)
    assert event.body == Said("a" * 4000)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"event_name":5}',
        b'{"event_name":"follow"',
        b'{"event_name":"user_send_text","a":NaN}',
        b'{"event_name":"user_send_text","a":' + b"[" * 200_000,
        b'{"event_name":"user_send_text","recipient":{"id":"388613280878808645"}}',
        b'{"event_name":"user_send_text","recipient":{"id":"388613280878808645"},"message":{"text":"a"}}',
        b'{"event_name":"user_send_text","message":"a"}',
        b'{"event_name":"user_send_text","message":{"text":"\\ud800"}}',
        b'{"event_name":"user_send_text","message":{"text":"\xff"}}',
    ],
    ids=range(13),
)
def test_what_zalo_would_not_send_is_malformed(raw: bytes) -> None:
    """One error for everything that cannot be read."""
    with pytest.raises(Malformed):
        parse(raw, app_id=APP, oa_id=OA)


@pytest.mark.parametrize("odd", ["", " ", "a\nb", "é", "\u0000", "x" * 200, " a", None])
@pytest.mark.parametrize("where", ["sender", "msg_id"])
def test_an_odd_id_is_malformed(odd: str | None, where: str) -> None:
    """Ids go into keys and rows: printable, short, not empty."""
    event = from_lan("user_send_text", text="a")
    if where == "sender":
        event["sender"]["id"] = odd
    else:
        event["message"]["msg_id"] = odd
    with pytest.raises(Malformed):
        read(event)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_READ = (
    "user_send_text",
    "user_send_image",
    "follow",
    "user_submit_info",
    "user_received_message",
    "user_seen_message",
    "user_click_response_button",
    "user_click_chatnow",
)
_FIELDS = ("app_id", "sender", "recipient", "message", "oa_id", "user_id", "follower", "info", "timestamp")


@given(
    name=st.sampled_from(_READ),
    rest=st.dictionaries(st.sampled_from(_FIELDS), _JSON),
)
def test_any_shape_is_read_ignored_or_malformed(name: str, rest: dict[str, object]) -> None:
    """There is no fourth thing that can happen."""
    try:
        got = read(from_lan(name, text="a") | rest)
    except Malformed:
        return
    assert isinstance(got, Inbound | Ignored)
