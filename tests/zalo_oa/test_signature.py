"""Only what Zalo signed is let in, whatever else is thrown at the door."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zalo_oa.conftest import sample
from zalo_oa.signature import HEADER, sign, verify

APP = "1234567890"
SECRET = "TEST_OA_SECRET"
BODY = b'{"app_id":"1234567890","timestamp":"1787209817225"}'


def genuine(body: bytes, header: str | None) -> bool:
    """Verify with the secrets of the vector."""
    return verify(body, header, app_id=APP, secret=SECRET)


def plain_mac(body: bytes, timestamp: str) -> str:
    """Compute the mac without our code."""
    return hashlib.sha256(APP.encode() + body + timestamp.encode() + SECRET.encode()).hexdigest()


def test_the_vendors_vector_is_genuine() -> None:
    """A body with Vietnamese letters is verified byte for byte as it came."""
    vector = sample("webhook-signature-vector-SYNTHETIC")
    headers = vector["headers"]
    assert isinstance(headers, dict)
    assert genuine(str(vector["raw_body"]).encode(), headers[HEADER])


@pytest.mark.parametrize("dress", ["mac={}", "{}", "mac = {}", "MAC={}", " mac={} "])
def test_the_mac_may_be_dressed_in_several_ways(dress: str) -> None:
    """Zalo writes `mac=`; bare hex and stray spaces are the same signature."""
    assert genuine(BODY, dress.format(plain_mac(BODY, "1787209817225")))


def test_upper_case_hex_is_the_same_number() -> None:
    """Hexadecimal has no case."""
    assert genuine(BODY, plain_mac(BODY, "1787209817225").upper())


def test_a_number_as_timestamp_counts_as_its_digits() -> None:
    """Zalo sends strings; an integer is signed as it is written."""
    body = b'{"timestamp":1787209817225}'
    assert genuine(body, plain_mac(body, "1787209817225"))


def test_sign_and_verify_agree() -> None:
    """What `sign` makes, `verify` takes."""
    assert genuine(BODY, sign(BODY, app_id=APP, secret=SECRET))


@pytest.mark.parametrize(
    "header",
    [None, "", "mac=", "mac=zz", "mac=" + "0" * 64, "mac=" + "é" * 64, "\udcff" * 64, "x" * 100_000],
)
def test_a_wrong_or_missing_mac_is_refused(header: str | None) -> None:
    """No signature, no entry."""
    assert not genuine(BODY, header)


def test_a_changed_byte_is_refused() -> None:
    """The signature covers every byte, also spaces that JSON would ignore."""
    header = sign(BODY, app_id=APP, secret=SECRET)
    assert not genuine(BODY.replace(b",", b", "), header)


@pytest.mark.parametrize(("app_id", "secret"), [("", SECRET), (APP, ""), (APP, "another"), ("99", SECRET)])
def test_missing_or_foreign_secrets_refuse_everything(app_id: str, secret: str) -> None:
    """An unset secret must never mean that everything is genuine."""
    unset = hashlib.sha256(app_id.encode() + BODY + b"1787209817225" + secret.encode()).hexdigest()
    header = sign(BODY, app_id=APP, secret=SECRET)
    assert not verify(BODY, header, app_id=app_id, secret=secret)
    assert verify(BODY, unset, app_id=app_id, secret=secret) is bool(app_id and secret)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"1787209817225"',
        b'{"timestamp":null}',
        b'{"timestamp":NaN}',
        b'{"timestamp":1.5}',
        b'{"timestamp":-1}',
        b'{"timestamp":true}',
        b'{"timestamp":""}',
        b'{"timestamp":"1 "}',
        b'{"timestamp":"\xd9\xa1"}',  # an Arabic digit one
        b'{"timestamp":"\xff"}',
        b'{"timestamp":' + b"9" * 10_000 + b"}",
        b'{"timestamp":"1","deep":' + b"[" * 200_000 + b"}",
        b'{"timestamp":"1","deep":' + b'{"a":' * 200_000 + b"}",
        b'{"timestamp":"1"',
        b"\xff\xfe{\x00}\x00",
    ],
    ids=range(19),
)
def test_a_hostile_body_is_refused_without_an_error(body: bytes) -> None:
    """Whatever the bytes are, the answer is no, not a crash."""
    assert not genuine(body, "mac=" + "0" * 64)
    with pytest.raises(ValueError, match="timestamp of digits"):
        sign(body, app_id=APP, secret=SECRET)


def test_bytes_cannot_be_moved_across_the_seam() -> None:
    """Only digits are a timestamp, so no other body and timestamp join to the same bytes."""
    body = b'{"timestamp":"1"}'
    shifted = b'{"timestamp":"}1"'
    assert not genuine(shifted, plain_mac(body, "1"))
    assert not genuine(body[:-1], plain_mac(body, "1"))


def test_the_last_of_two_timestamps_counts() -> None:
    """A repeated key is read as JSON readers do, and never lets anything in by itself."""
    body = b'{"timestamp":"1","timestamp":"2"}'
    assert genuine(body, plain_mac(body, "2"))
    assert not genuine(body, plain_mac(body, "1"))


@given(st.binary(max_size=300), st.none() | st.text(max_size=100))
def test_random_calls_are_refused(body: bytes, header: str | None) -> None:
    """Nothing random is genuine and nothing random raises."""
    assert not genuine(body, header)
