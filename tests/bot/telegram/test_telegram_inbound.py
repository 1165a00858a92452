"""Every update that Telegram posts, and much that it does not."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.inbound import ASKED_FOR, Ignored, names_a_bot, parse, read, tap_of
from core.channels import (
    Address,
    AddressKind,
    Followed,
    Inbound,
    Left,
    Moved,
    Pressed,
    Said,
    SharedPhone,
    Unreadable,
)
from core.errors import Malformed

BOT = "ChotDonBot"
LAN = {"id": 700000001, "is_bot": False, "first_name": "Lan"}
PRIVATE = {"id": 700000001, "type": "private", "first_name": "Lan"}
GROUP = {"id": -100400, "type": "supergroup", "title": "Bếp Lan"}
OURS = {"id": 812, "is_bot": True, "first_name": "Chốt Đơn", "username": BOT}
LAN_AT = Address(AddressKind.TELEGRAM_CHAT, "700000001")
GROUP_AT = Address(AddressKind.TELEGRAM_CHAT, "-100400")


def message(chat: Mapping[str, Any] = PRIVATE, **parts: Any) -> dict[str, Any]:
    """Return an update with a message of Lan's."""
    return {"update_id": 9, "message": {"message_id": 5, "date": 1, "chat": chat, "from": LAN, **parts}}


def tapped(chat: Mapping[str, Any] = PRIVATE, **parts: Any) -> dict[str, Any]:
    """Return an update with a press of Lan's."""
    on = {"message_id": 5, "date": 1, "chat": chat, "from": OURS, "text": "Đơn 48273"}
    query = {"id": "77", "from": LAN, "chat_instance": "1", "message": on, "data": "abc", **parts}
    return {"update_id": 9, "callback_query": query}


def member(old: str, new: str, chat: Mapping[str, Any] = PRIVATE) -> dict[str, Any]:
    """Return an update that says what became of the bot in a chat."""
    change = {
        "chat": chat,
        "from": LAN,
        "date": 1,
        "old_chat_member": {"user": OURS, "status": old, "until_date": 0},
        "new_chat_member": {"user": OURS, "status": new, "until_date": 0},
    }
    return {"update_id": 9, "my_chat_member": change}


def told(update: Mapping[str, Any], bot_name: str = BOT) -> Inbound | Ignored:
    """Return what a body with this update tells."""
    return parse(read(json.dumps(update).encode()), bot_name=bot_name)


def body(update: Mapping[str, Any], bot_name: str = BOT) -> object:
    """Return what somebody did."""
    inbound = told(update, bot_name)
    assert isinstance(inbound, Inbound), inbound
    return inbound.body


def why(update: Mapping[str, Any], bot_name: str = BOT) -> str:
    """Return why an update asks nothing of us."""
    ignored = told(update, bot_name)
    assert isinstance(ignored, Ignored), ignored
    return ignored.why


# --- words ------------------------------------------------------------------------------------


def test_what_somebody_writes_comes_from_their_own_chat() -> None:
    """The number of the update names it for ever."""
    inbound = told(message(text="xn 48273"))
    assert isinstance(inbound, Inbound)
    assert (inbound.key, inbound.sender, inbound.group) == ("telegram:9", LAN_AT, None)
    assert inbound.body == Said("xn 48273")


def test_in_a_group_it_is_still_the_person_who_speaks() -> None:
    """The group is where it is answered, never who asked."""
    inbound = told(message(GROUP, text="/homnay"))
    assert isinstance(inbound, Inbound)
    assert (inbound.sender, inbound.group, inbound.answer_to) == (LAN_AT, GROUP_AT, GROUP_AT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/donhang", "DS"),
        ("/homnay@ChotDonBot", "HN"),
        ("/tien@chotdonbot 11/2026", "TIEN 11/2026"),
        ("/khongbiet", "/khongbiet"),
        ("/start 482913", "LK 482913"),
        ("/start@ChotDonBot 482913", "LK 482913"),
        ("48273 / 2", "48273 / 2"),
    ],
    ids=["list", "named", "with more", "unknown", "deep link", "deep link in a group", "no command"],
)
def test_commands_become_words(text: str, said: str) -> None:
    """The conversation knows words only; a deep link is the link code that it carries."""
    assert body(message(text=text)) == Said(said)


@pytest.mark.parametrize("text", ["/start", "/start@ChotDonBot", "/start "], ids=["bare", "named", "space"])
def test_start_alone_opens_the_conversation(text: str) -> None:
    """Nothing is linked by it."""
    assert body(message(text=text)) == Followed()


@pytest.mark.parametrize(
    "text", ["/homnay@OtherBot", "/start@OtherBot", "/start@OtherBot 482913"], ids=["word", "start", "link"]
)
def test_a_command_for_another_bot_is_not_ours(text: str) -> None:
    """A group may have several; while nobody knows our own name yet, what comes is taken for ours."""
    assert why(message(GROUP, text=text)) == "another bot's"
    assert isinstance(body(message(GROUP, text=text), bot_name=""), Said | Followed)
    assert names_a_bot(message(GROUP, text=text))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"sender_chat": GROUP, "text": "XN 48273"}, "anonymous"),
        ({"from": {**LAN, "is_bot": True}, "text": "XN 48273"}, "bot"),
        ({"via_bot": {**OURS, "id": 5}, "text": "XN 48273"}, "bot"),
        ({"from": None, "text": "XN 48273"}, "no person"),
        ({"new_chat_title": "Bếp"}, "group talk"),
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, "group talk"),
        (
            {"contact": {"phone_number": "84901234567", "first_name": "Lan", "user_id": LAN["id"]}},
            "group talk",
        ),
    ],
    ids=["anonymous admin", "bot", "by way of a bot", "nobody", "title", "picture", "contact"],
)
def test_whose_word_does_not_count(parts: Mapping[str, Any], expected: str) -> None:
    """An anonymous admin of a group, a bot, nobody: they do nothing in anybody's name."""
    update = message(GROUP, **parts)
    update["message"] = {name: part for name, part in update["message"].items() if part is not None}
    assert why(update) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, Unreadable("photo")),
        ({"voice": {"file_id": "a", "file_unique_id": "b", "duration": 3}}, Unreadable("voice")),
        ({"location": {"latitude": 10.7, "longitude": 106.7}}, Unreadable("location")),
        (
            {
                "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}],
                "caption": "huy 48273",
            },
            Said("huy 48273"),
        ),
    ],
    ids=["picture", "voice", "place", "words beside a picture"],
)
def test_what_we_do_not_read_is_named(parts: Mapping[str, Any], expected: object) -> None:
    """Words beside a picture count."""
    assert body(message(**parts)) == expected


def test_a_text_can_be_stored_whatever_is_in_it() -> None:
    """PostgreSQL takes no NUL."""
    assert body(message(text="xn\x00 48273")) == Said("xn 48273")


# --- phones -----------------------------------------------------------------------------------


def contact(**parts: Any) -> dict[str, Any]:
    """Return a contact of Lan's own."""
    return {"phone_number": "84909123456", "first_name": "Lan", "user_id": LAN["id"], **parts}


@pytest.mark.parametrize(
    "phone", ["84909123456", "+84909123456", "0909123456"], ids=["bare", "plus", "local"]
)
def test_ones_own_contact_is_vouched_for(phone: str) -> None:
    """Telegram says whose account has the phone."""
    shared = body(message(contact=contact(phone_number=phone)))
    assert shared == SharedPhone("+84909123456", "Lan", is_own=True)


@pytest.mark.parametrize(
    "parts",
    [
        {"contact": contact(user_id=5)},
        {"contact": {"phone_number": "84909123456", "first_name": "Lan"}},
        {
            "contact": contact(),
            "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Lan"},
        },
    ],
    ids=["somebody else's", "nobody's", "forwarded"],
)
def test_another_contact_is_not(parts: Mapping[str, Any]) -> None:
    """Anybody can send the contact of an owner, or forward one."""
    assert body(message(**parts)) == SharedPhone("+84909123456", "Lan", is_own=False)


def test_what_is_no_phone_is_none() -> None:
    """Nobody can be found by it."""
    assert why(message(contact=contact(phone_number="12"))) == "no phone"


# --- buttons ----------------------------------------------------------------------------------


def test_who_presses_is_who_acts_wherever_the_card_is() -> None:
    """The card can be changed in its place."""
    alone, together = told(tapped()), told(tapped(GROUP))
    assert isinstance(alone, Inbound)
    assert isinstance(together, Inbound)
    assert (alone.sender, alone.group, alone.pressed_on) == (LAN_AT, None, "700000001:5")
    assert (together.sender, together.group, together.pressed_on) == (LAN_AT, GROUP_AT, "-100400:5")
    assert alone.body == together.body == Pressed("abc")


def test_a_card_that_telegram_shows_no_more_is_still_pressed() -> None:
    """Of an old message only its place is told."""
    old = {"message_id": 5, "date": 0, "chat": PRIVATE}
    inbound = told(tapped(message=old))
    assert isinstance(inbound, Inbound)
    assert (inbound.body, inbound.pressed_on) == (Pressed("abc"), "700000001:5")


def test_a_press_has_an_id_to_be_answered_by() -> None:
    """Whatever else is wrong with it; anything else has none."""
    assert tap_of(tapped()) == "77"
    assert tap_of({"callback_query": {"id": "77", "from": 3}}) == "77"
    assert [tap_of(update) for update in ({}, message(text="a"), {"callback_query": {"id": 7}})] == [None] * 3


# --- coming and going -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("member", "kicked", Left()),
        ("member", "left", Left()),
        ("kicked", "member", Followed()),
        ("left", "administrator", Followed()),
    ],
    ids=["blocked", "left", "unblocked", "made an admin"],
)
def test_the_bot_comes_and_goes(old: str, new: str, expected: object) -> None:
    """In a group it is the group that ends or lives again, not who threw it out."""
    updates = [member(old, new), member(old, new, GROUP)]
    for update in updates:
        for side in ("old_chat_member", "new_chat_member"):
            if update["my_chat_member"][side]["status"] == "administrator":
                update["my_chat_member"][side] |= dict.fromkeys(ADMIN_RIGHTS, False)
    alone, together = map(told, updates)
    assert isinstance(alone, Inbound)
    assert isinstance(together, Inbound)
    assert (alone.body, alone.answer_to) == (expected, LAN_AT)
    assert (together.body, together.answer_to) == (expected, GROUP_AT)


ADMIN_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


def test_a_change_of_rights_is_no_coming_or_going() -> None:
    """Nor is anything that happens in a channel."""
    assert why(member("member", "member")) == "still there"
    channel = {"id": -100500, "type": "channel", "title": "Tin"}
    assert why(member("member", "kicked", channel)) == "channel"


def test_a_group_that_moved_says_where_to() -> None:
    """Telegram gives a supergroup another id."""
    inbound = told(message({**GROUP, "id": -400, "type": "group"}, migrate_to_chat_id=-100400))
    assert isinstance(inbound, Inbound)
    assert (inbound.body, inbound.answer_to.value) == (Moved("-100400"), "-400")


# --- what is none of ours ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["edited_message", "channel_post", "inline_query", "poll", "message_reaction", "something_new"]
)
def test_what_we_did_not_ask_for_is_let_go(name: str) -> None:
    """An edited word does not act a second time."""
    assert name not in ASKED_FOR
    assert why({"update_id": 9, name: message(text="xn 48273")["message"]}) == "not asked for"


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"{", b"\xff", b'"text"', b"[" * 100_000, b'{"a":' * 50_000],
    ids=["nothing", "list", "null", "half", "not utf-8", "text", "deep lists", "deep objects"],
)
def test_what_is_no_object_is_malformed(raw: bytes) -> None:
    """It is told as such, whatever it is."""
    with pytest.raises(Malformed):
        read(raw)


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"update_id": "9", "message": {}},
        {"update_id": True, "message": {}},
        {"update_id": -9, "message": {}},
        {"update_id": 9, "message": None},
        {"update_id": 9, "message": []},
        {"update_id": 9, "message": {"message_id": 5}},
        {"update_id": 9, "callback_query": {"id": "77"}},
        message(text=["xn"]),
        message(text={"a": 1}),
        message(contact={"phone_number": "0909123456"}),
        message({**PRIVATE, "type": "group"}, text="xn"),
        tapped(data=5),
        tapped(**{"from": {**LAN, "id": "700000001"}}),
        tapped(**{"from": {**LAN, "id": 2**60}}),
        tapped({**PRIVATE, "id": "1; DROP TABLE"}),
        message(text="a", date=10**20),
    ],
    ids=[
        "nothing",
        "id is text",
        "id is true",
        "id is negative",
        "null",
        "list",
        "no chat",
        "no person",
        "text is a list",
        "text is an object",
        "contact without a name",
        "group with a person's id",
        "payload is a number",
        "person's id is text",
        "person's id is huge",
        "chat's id is text",
        "far future",
    ],
)
def test_what_is_written_wrongly_is_malformed(update: Mapping[str, Any]) -> None:
    """The library checks no types: we do."""
    with pytest.raises(Malformed):
        told(update)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
names = st.sampled_from(
    ["update_id", *ASKED_FOR, "from", "chat", "id", "type", "text", "data", "message_id", "date", "contact"]
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(names, trees, max_size=6))
def test_nothing_that_comes_in_breaks_it(update: dict[str, Any]) -> None:
    """It is read, let go or malformed; nothing else."""
    try:
        outcome = parse(update, bot_name=BOT)
    except Malformed:
        return
    assert isinstance(outcome, Inbound | Ignored)


@given(st.sampled_from([message(text="xn"), tapped(), tapped(GROUP), member("member", "kicked")]), st.data())
def test_no_wrong_part_of_a_good_update_breaks_it(update: dict[str, Any], data: st.DataObject) -> None:
    """One value after another is put in the place of what belongs there."""
    broken = json.loads(json.dumps(update))
    place, name = broken, data.draw(st.sampled_from(sorted(broken)))
    while isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
        place = place[name]
        name = data.draw(st.sampled_from(sorted(place)))
    place[name] = data.draw(trees)
    try:
        outcome = parse(broken, bot_name=BOT)
    except Malformed:
        return
    assert isinstance(outcome, Inbound | Ignored)
