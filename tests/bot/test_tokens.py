"""A token says what we put into it, to nobody but whom it was made for, and nothing else passes for one."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.tokens import (
    MAX_PAYLOAD,
    Bearer,
    ButtonToken,
    LinkToken,
    Purpose,
    Signer,
    cancel_for,
    is_button,
)
from core.actors import Via
from core.errors import Malformed, Untrusted
from core.orders.order import OrderId

RICE = OrderId(UUID("0199a000-0000-7000-8000-00000000000a"))
LAN = UUID("0199a000-0000-7000-8000-000000000001")
SIGNER = Signer(["a secret of this test"])

buttons = st.builds(
    ButtonToken,
    order_id=st.uuids().map(OrderId),
    revision=st.integers(0, 2**32 - 1),
    purpose=st.sampled_from(Purpose),
    staff_id=st.uuids(),
)
links = st.builds(
    LinkToken,
    order_id=st.uuids().map(OrderId),
    revision=st.integers(0, 2**32 - 1),
    bearer=st.sampled_from(Bearer),
    staff_id=st.none() | st.uuids(),
)


@given(token=buttons)
def test_a_button_comes_back_as_it_was_made(token: ButtonToken) -> None:
    """It fits Telegram's 64 bytes and uses letters that every gateway takes."""
    payload = SIGNER.button(token)

    assert SIGNER.read_button(payload) == token
    assert len(payload) <= MAX_PAYLOAD
    assert re.fullmatch(r"[A-Za-z0-9_-]+", payload)
    assert is_button(payload)


@given(token=links)
def test_a_link_comes_back_as_it_was_made(token: LinkToken) -> None:
    """It fits the 200 characters of a Zalo template's parameter."""
    text = SIGNER.link(token)

    assert SIGNER.read_link(text) == token
    assert len(text) == 94
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", text)


@given(token=buttons, at=st.integers(0, 59), other=st.sampled_from("AZaz09_-"))
def test_a_button_with_one_letter_changed_is_not_ours(token: ButtonToken, at: int, other: str) -> None:
    """Order, revision, purpose and person are all under the seal."""
    payload = SIGNER.button(token)
    forged = payload[:at] + other + payload[at + 1 :]

    if forged != payload:
        with pytest.raises(Untrusted):
            SIGNER.read_button(forged)


@given(text=st.text(max_size=220))
@example(text="A" * 60)
@example(text="é" * 60)
@example(text="\udc80" * 60)
@example(text="A" * 50 + "." + "A" * 43)
@example(text=".")
def test_nothing_else_passes_for_a_token(text: str) -> None:
    """Whatever somebody sends, it ends in one of two errors."""
    with pytest.raises((Untrusted, Malformed)):
        SIGNER.read_button(text)
    with pytest.raises((Untrusted, Malformed)):
        SIGNER.read_link(text)
    with pytest.raises((Untrusted, Malformed)):
        SIGNER.read_one_time(text)


def test_a_seal_of_a_button_opens_no_page() -> None:
    """Buttons and links have keys of their own."""
    packed = SIGNER.button(ButtonToken(RICE, 1, Purpose.CONFIRM, LAN))

    with pytest.raises((Untrusted, Malformed)):
        SIGNER.read_link(packed)


@given(link_id=st.uuids())
def test_a_one_time_link_comes_back_as_it_was_made(link_id: UUID) -> None:
    """Short enough for a QR code that any phone reads."""
    text = SIGNER.one_time(link_id)

    assert SIGNER.read_one_time(text) == link_id
    assert len(text) == 66
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", text)


@given(link_id=st.uuids(), at=st.integers(0, 64), other=st.sampled_from("AZaz09_-"))
def test_a_one_time_link_with_one_letter_changed_is_not_ours(link_id: UUID, at: int, other: str) -> None:
    """Nobody guesses another one from theirs."""
    text = SIGNER.one_time(link_id)
    forged = text[:at] + other + text[at + 1 :]

    if forged != text:
        with pytest.raises((Untrusted, Malformed)):
            SIGNER.read_one_time(forged)


def test_a_one_time_link_and_an_orders_link_are_two_things() -> None:
    """Each has a key of its own."""
    with pytest.raises(Untrusted):
        SIGNER.read_one_time(SIGNER.link(LinkToken(RICE, 1, Bearer.STAFF_MAIL, LAN)))
    with pytest.raises(Untrusted):
        SIGNER.read_link(SIGNER.one_time(LAN))


def test_old_keys_are_recognised_and_the_new_one_signs() -> None:
    """After the secret was changed, yesterday's cards still work; after the old one is gone, they do not."""
    button = ButtonToken(RICE, 1, Purpose.CONFIRM, LAN)
    link = LinkToken(RICE, 1, Bearer.STAFF_MAIL, LAN)
    old, both, new = Signer(["old"]), Signer(["new", "old"]), Signer(["new"])

    assert both.read_button(old.button(button)) == button
    assert both.read_link(old.link(link)) == link
    assert new.read_button(both.button(button)) == button
    assert new.read_link(both.link(link)) == link
    with pytest.raises(Untrusted):
        new.read_button(old.button(button))
    with pytest.raises(Untrusted):
        new.read_link(old.link(link))


@pytest.mark.parametrize("keys", [[], [""], ["good", ""]])
def test_a_signer_without_a_secret_does_not_start(keys: list[str]) -> None:
    """An empty key would be everybody's key."""
    with pytest.raises(ValueError, match="needs keys"):
        Signer(keys)


def test_the_six_reasons_have_a_button_each() -> None:
    """And no other button gives a reason."""
    assert [cancel_for(n).reason for n in range(1, 7)] == [1, 2, 3, 4, 5, 6]
    assert {purpose.reason for purpose in Purpose} == {None, 1, 2, 3, 4, 5, 6}


def test_a_page_knows_by_which_way_its_visitor_came() -> None:
    """A mail's link is the way of mail; a chat's link is the web."""
    assert LinkToken(RICE, 1, Bearer.STAFF_MAIL, LAN).via is Via.EMAIL
    assert LinkToken(RICE, 1, Bearer.STAFF_CHAT, LAN).via is Via.WEB


def test_a_page_of_nobody_names_nobody() -> None:
    """Customers and operators are no staff."""
    token = LinkToken(OrderId(uuid4()), 3, Bearer.OPERATOR)

    assert SIGNER.read_link(SIGNER.link(token)).staff_id is None


def test_a_review_link_is_of_one_order_and_nobody_elses() -> None:
    """What another key made, what was changed, and other tokens of ours are not read."""
    ours, other = Signer(["a key"]), Signer(["another key"])
    order = OrderId(UUID(int=7))
    link = ours.review(order)

    assert ours.read_review(link) == order
    assert Signer(["a new key", "a key"]).read_review(link) == order
    for forged in (other.review(order), ("B" if link[0] == "A" else "A") + link[1:]):
        with pytest.raises(Untrusted):
            ours.read_review(forged)
    for malformed in ("", "x" * 35, "é" * 36, ours.one_time(order)):
        with pytest.raises(Malformed):
            ours.read_review(malformed)
