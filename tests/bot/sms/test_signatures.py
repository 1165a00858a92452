import base64
import hashlib
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.sms.signatures import is_esms, is_secret, is_twilios

TOKEN: Final = "12345"
#: Twilio's own example.
URL: Final = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM: Final = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
)
SIGNATURE: Final = "GvWf1cFY/Q7PnoempGyD5oXAezc="

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FORMS: Final = st.lists(st.tuples(TEXT, TEXT), max_size=8)
URLS: Final = st.builds(
    "{}://{}{}/webhooks/sms/twilio/inbound{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["127.0.0.1", "localhost", "chotdon.vn", "a.b.example"]),
    st.sampled_from(["", ":8080", ":443", ":80"]),
    st.sampled_from(["", "?a=1", "?a=%20b&c=d+e", "?foo=1&foo=2"]),
)


def test_twilios_own_example_is_genuine() -> None:
    """The vector that its documents give."""
    assert is_twilios(URL, FORM, SIGNATURE, token=TOKEN)
    assert is_twilios(URL, FORM[::-1], SIGNATURE, token=TOKEN)


@pytest.mark.parametrize(
    ("url", "form", "signature", "token"),
    [
        (URL + "3", FORM, SIGNATURE, TOKEN),
        (URL, FORM[1:], SIGNATURE, TOKEN),
        (URL, (*FORM, ("Body", "XN 48273")), SIGNATURE, TOKEN),
        (URL, FORM, SIGNATURE.lower(), TOKEN),
        (URL, FORM, "", TOKEN),
        (URL, FORM, None, TOKEN),
        (URL, FORM, "đ\ud800", TOKEN),
        (URL, FORM, SIGNATURE, "123456"),
    ],
    ids=["url", "less", "more", "case", "empty", "none", "strange", "token"],
)
def test_anything_else_is_not_twilios(
    url: str, form: tuple[tuple[str, str], ...], signature: str | None, token: str
) -> None:
    """One letter is enough."""
    assert not is_twilios(url, form, signature, token=token)


@given(URLS, FORMS, st.text(st.characters(codec="ascii"), min_size=1, max_size=40))
@example("https://chotdon.vn:443/webhooks/sms/twilio/inbound", [("Body", "XN 48273"), ("Body", "HUY")], "t")
def test_what_twilios_own_code_signs_is_genuine(url: str, form: list[tuple[str, str]], token: str) -> None:
    """Its validator and ours agree on random forms, repeated names among them."""
    theirs = RequestValidator(token)
    signed = MultiDict(form)
    signature = theirs.compute_signature(url, signed)

    assert theirs.validate(url, signed, signature) is is_twilios(url, form, signature, token=token) is True


def test_a_bare_question_mark_is_part_of_what_is_signed() -> None:
    """The URL is signed as it was called, not as it could be written."""
    signature = RequestValidator(TOKEN).compute_signature(f"{URL.partition('?')[0]}?", dict(FORM))

    assert is_twilios(f"{URL.partition('?')[0]}?", FORM, signature, token=TOKEN)


@given(URLS, FORMS, FORMS)
def test_what_twilios_own_code_refuses_is_refused(
    url: str, form: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    """The signature of one form is worth nothing under another one, in the same cases."""
    theirs = RequestValidator(TOKEN)
    signature = theirs.compute_signature(url, MultiDict(form))

    assert theirs.validate(url, MultiDict(other), signature) is is_twilios(url, other, signature, token=TOKEN)


def test_the_documented_example_of_esms_is_genuine() -> None:
    """Base64 of the MD5's sixteen bytes, not of their hexadecimal form."""
    signed = ("CP01", "sms-1", "XN 1234", "20261123070000")

    assert is_esms(signed, "K5P+ttoIoxaqSnJXXDi7IQ==", private_key="PRIVKEY")
    assert is_esms(signed, "K5P ttoIoxaqSnJXXDi7IQ==", private_key="PRIVKEY")


@pytest.mark.parametrize(
    ("content", "signature", "key"),
    [
        ("XN 1235", "K5P+ttoIoxaqSnJXXDi7IQ==", "PRIVKEY"),
        ("XN 1234", "K5P+ttoIoxaqSnJXXDi7IR==", "PRIVKEY"),
        ("XN 1234", "K5P+ttoIoxaqSnJXXDi7IQ==", "PRIVKEY2"),
        ("XN 1234", "", "PRIVKEY"),
        ("XN 1234", None, "PRIVKEY"),
        ("\ud800", "đ", "PRIVKEY"),
    ],
    ids=["text", "signature", "key", "empty", "none", "strange"],
)
def test_anything_else_is_not_esms(content: str, signature: str | None, key: str) -> None:
    """One letter is enough."""
    assert not is_esms(("CP01", "sms-1", content, "20261123070000"), signature, private_key=key)


@given(TEXT, TEXT)
def test_a_vietnamese_text_is_signed_by_its_utf_8(text: str, key: str) -> None:
    """As their documents say of the bytes."""
    digest = hashlib.md5(f"CP01id{text}20261123{key}".encode(), usedforsecurity=False).digest()

    assert is_esms(("CP01", "id", text, "20261123"), base64.b64encode(digest).decode(), private_key=key)


@pytest.mark.parametrize("given", ["", "secre", "secrets", "SECRET", "đ\ud800"])
def test_a_wrong_secret_is_none(given: str) -> None:
    """Only the whole of it opens."""
    assert is_secret("secret", "secret")
    assert not is_secret(given, "secret")
