"""Linking a phone: what is to be sent, and where."""

import pytest

from tests.cli.conftest import Operator


@pytest.mark.parametrize(
    ("prefix", "number", "words"),
    [
        ("COM", "8041", "soạn  COM LK {code}  gửi 8041 until"),
        ("", "8041", "soạn  LK {code}  gửi 8041 until"),
        ("", "", "send  LK {code}  by SMS until"),
    ],
    ids=["a rented short code", "a number of our own", "no number is set"],
)
def test_a_phone_is_linked_by_what_the_gateway_routes(
    operator: Operator, kitchen: str, prefix: str, number: str, words: str
) -> None:
    """The routing keyword stands before the code, and the number beside it."""
    operator.settings.update(CHOTDON_SMS_REPLY_PREFIX=prefix, CHOTDON_SMS_REPLY_NUMBER=number)
    printed = operator.types("link", kitchen, "--channel", "sms").stdout
    code = printed.partition("LK ")[2][:6]
    assert words.format(code=code) in printed
    told = operator.reads("link", kitchen, "--channel", "sms")
    assert told["text"] == f"{prefix} LK {told['code']}".strip()


def test_a_chat_needs_no_prefix(operator: Operator, kitchen: str) -> None:
    """The keyword of a short code means nothing in Zalo."""
    operator.settings.update(CHOTDON_SMS_REPLY_PREFIX="COM", CHOTDON_SMS_REPLY_NUMBER="8041")
    told = operator.reads("link", kitchen, "--channel", "zalo")
    assert told["text"] == f"LK {told['code']}"
