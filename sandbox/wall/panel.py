"""What a panel of the wall is: a phone, an inbox, a list. One file and one template each."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web


class Panel(Protocol):
    """One part of the page.

    `key` names the template `<key>.html` and the part's address.
    """

    @property
    def key(self) -> str:
        """What the template and the address are called."""

    @property
    def label(self) -> str:
        """What the tab on a phone says."""

    @property
    def hears(self) -> Sequence[str]:
        """The beginnings of the kinds of hops that change this panel."""

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return what the template needs; `query` is what the reader has chosen in every panel."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what the panel's buttons call."""


async def read_body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object a button posted. Raises HTTPBadRequest for anything else."""
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="not an object")
    return body


def said(text: str = "") -> web.Response:
    """Return the answer to a button: a sentence for the reader, or nothing to add."""
    return web.json_response({"say": text})


def failed(text: str) -> web.Response:
    """Return the answer to a button whose deed failed."""
    return web.json_response({"say": text, "failed": True})
