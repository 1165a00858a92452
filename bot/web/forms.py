"""Reading the forms of our pages: from our own site, not too big, each field once."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from bot.keys import SETTINGS
from core.channels import Address, AddressKind
from core.errors import RuleError
from core.partners import addresses

Form = Mapping[str, str]

_MOST_FORM: Final = 16 * 1024
_MOST_FIELDS: Final = 24
_LONGEST_ADDRESS: Final = 254
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


def address_of(typed: str) -> Address:
    """Return what somebody typed as a mail address or a phone; raises RuleError."""
    if len(typed) > _LONGEST_ADDRESS or "\0" in typed:
        raise RuleError("address_invalid")
    kind = AddressKind.EMAIL if "@" in typed else AddressKind.PHONE
    return addresses.normalised(kind, typed)
