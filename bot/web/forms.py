"""Reading the forms of our pages: from our own site, not too big, each field once."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import SETTINGS
from bot.web.nonces import NONCES
from core.channels import Address, AddressKind
from core.errors import RuleError
from core.partners import addresses

Form = Mapping[str, str]

_MOST_FORM: Final = 16 * 1024
_MOST_FIELDS: Final = 24
_LONGEST_ADDRESS: Final = 254
_FARTHEST: Final = timedelta(days=366)
_FORM: Final = "application/x-www-form-urlencoded"


def check_origin(request: web.Request) -> None:
    """Refuse a form that another site made; `null` is what our `no-referrer` and mail apps' browsers send."""
    origin = request.headers.get("Origin", "null")
    ours = urlsplit(request.config_dict[SETTINGS].base_url)
    at_home = {f"{ours.scheme}://{ours.netloc}", f"{request.scheme}://{request.host}"}
    if origin != "null" and origin not in at_home:
        raise web.HTTPForbidden


async def read_form(request: web.Request) -> Form:
    """Return the fields of the form, the last of each name."""
    if request.content_type != _FORM:
        raise web.HTTPUnsupportedMediaType
    raw = bytearray()
    async for piece in request.content.iter_chunked(4096):
        raw += piece
        if len(raw) > _MOST_FORM:
            raise web.HTTPRequestEntityTooLarge(max_size=_MOST_FORM, actual_size=len(raw))
    try:
        fields = parse_qs(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise web.HTTPBadRequest from None
    return {name: values[-1] for name, values in fields.items()}


async def read_bound_form(request: web.Request, owner: str) -> Form:
    """Return the fields of a form of our own site whose nonce was made for `owner`, a session.

    Raises the refusals of a form that is another site's, too big, or somebody else's.
    """
    check_origin(request)
    form = await read_form(request)
    if not request.config_dict[NONCES].is_of(form.get("nonce", ""), owner):
        raise web.HTTPForbidden
    return form


def time_of(text: str) -> time | None:
    """Return a time of the day, None for nothing. Raises RuleError("time")."""
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise RuleError("time") from None


def end_of_day(text: str, zone: ZoneInfo, *, now: datetime) -> datetime:
    """Return when a day is over at a place. Raises RuleError for no day, or one more than a year away."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise RuleError("day") from None
    if day > (now + _FARTHEST).date():
        raise RuleError("paused_until_too_far")
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


def address_of(typed: str) -> Address:
    """Return what somebody typed as a mail address or a phone; raises RuleError."""
    if len(typed) > _LONGEST_ADDRESS or "\0" in typed:
        raise RuleError("address_invalid")
    kind = AddressKind.EMAIL if "@" in typed else AddressKind.PHONE
    return addresses.normalised(kind, typed)
