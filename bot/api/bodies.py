"""Reading a body: bounded, JSON, and nothing that JSON readers disagree about."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import StreamReader, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from bot.api.problems import Problem

MOST_BYTES: Final = 256 * 1024
_READ_WITHIN: Final = 20.0


async def read_json(request: web.Request) -> Any:
    """Return the body's JSON value.

    Raises Problem: 415 for another type, 413 beyond 256 kB, 400 for what is not UTF-8 or not JSON, or is
    JSON with a name twice, with NaN or infinities, or nested beyond reason.
    """
    return parsed(await read(request))


async def read(request: web.Request, *, most: int = MOST_BYTES, within: float = _READ_WITHIN) -> bytes:
    """Return a body of JSON as it came, within so many seconds.

    Raises Problem for another type, beyond `most` bytes, and for a body that comes too slowly or not whole.
    """
    _check_type(request)
    return await _all(request, most, within)


async def _all(request: web.Request, most: int, within: float) -> bytes:
    if (request.content_length or 0) > most:
        raise Problem("too_large")
    try:
        async with asyncio.timeout(within):
            return await _bounded(request.content, most)
    except TimeoutError:
        raise Problem("too_slow") from None
    except (ClientPayloadError, HttpProcessingError, web.RequestPayloadError):
        raise Problem("malformed", detail="The body ended early.") from None


def _check_type(request: web.Request) -> None:
    kind = request.content_type
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    charset = (request.charset or "utf-8").lower()
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if not is_json or charset not in {"utf-8", "utf8"} or coding != "identity":
        raise Problem("unsupported_media_type")


async def read_nothing(request: web.Request) -> None:
    """Read the body of a request that has nothing to say; an empty object says nothing too.

    Raises Problem for anything else: whoever sends it expects something of it.
    """
    if (await _all(request, MOST_BYTES, _READ_WITHIN)).strip() not in {b"", b"{}"}:
        raise Problem("malformed", detail="This takes no body.")


async def _bounded(content: StreamReader, most: int) -> bytes:
    read = bytearray()
    async for chunk in content.iter_any():
        read += chunk
        if len(read) > most:
            raise Problem("too_large")
    return bytes(read)


def parsed(raw: bytes) -> Any:
    """Return the JSON value; raises Problem for what cannot be read in one way only."""
    try:
        text = raw.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Problem("malformed", detail="The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        detail = f"This is not JSON: line {error.lineno}, column {error.colno}."
        raise Problem("malformed", detail=detail) from None
    except RecursionError:
        raise Problem("malformed", detail="The JSON is nested too deeply.") from None
    except ValueError:  # a number of thousands of digits
        raise Problem("malformed", detail="A number is too long.") from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem("malformed", detail="A name stands twice in one object.")
    if any(not name.isascii() and _has_surrogate(name) for name in found):
        raise Problem("malformed", detail="A name is not Unicode text.")
    return found


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def _refuse_constant(name: str) -> Any:
    raise Problem("malformed", detail=f"{name} is not JSON.")


def fingerprint(request: web.Request, content: Any) -> bytes:
    """Return what tells this request from another one under the same Idempotency-Key."""
    whole = json.dumps([request.method, request.path, content], sort_keys=True)
    return hashlib.sha256(whole.encode()).digest()
