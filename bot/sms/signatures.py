"""Whether a gateway itself sent something: compared in constant time, before anything is read. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

TWILIO_HEADER: Final = "X-Twilio-Signature"


def is_twilios(url: str, form: Iterable[tuple[str, str]], signature: str | None, *, token: str) -> bool:
    """Return whether Twilio signed this form for this URL: the public one, with its query.

    docs/facts.md#twilio-signature: with or without the port, nobody can tell beforehand.
    """
    fields = sorted(set(form))
    return any(_equal(_of_form(each, fields, token), signature) for each in _with_and_without_port(url))


def is_esms(signed: Iterable[str], signature: str | None, *, private_key: str) -> bool:
    """Return whether eSMS signed these values: cpid, smsid, content and receiverTime, in this order.

    docs/facts.md#esms-signature: an MD5, and the sender's number is not covered; the path's secret is
    the better proof. A "+" that was not escaped has become a space.
    """
    text = "".join(signed) + private_key
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return _equal(base64.b64encode(digest), signature.replace(" ", "+") if signature else None)


def is_secret(given: str, secret: str) -> bool:
    """Return whether a path's last part is the secret."""
    return _equal(secret.encode(), given)


def _of_form(url: str, fields: Iterable[tuple[str, str]], token: str) -> bytes:
    signed = url + "".join(name + value for name, value in fields)
    digest = hmac.new(token.encode(), signed.encode("utf-8", "replace"), hashlib.sha1).digest()
    return base64.b64encode(digest)


def _with_and_without_port(url: str) -> tuple[str, str]:
    told = urlsplit(url)
    before, _, after = url.partition(told.netloc)  # taken apart and joined again, a bare "?" would be lost
    host = told.netloc.removesuffix(f":{told.port}")
    port = told.port or (443 if told.scheme == "https" else 80)
    return f"{before}{host}{after}", f"{before}{host}:{port}{after}"


def _equal(right: bytes, given: str | None) -> bool:
    return given is not None and hmac.compare_digest(right, given.encode("utf-8", "replace"))
