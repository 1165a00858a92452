"""A browser without JavaScript, in front of an order's page."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Final
from urllib.parse import urldefrag, urljoin

import aiohttp

from tests.stories.world import World

_FORM: Final = re.compile(r'<form[^>]* action="(/[or]/[^"]+)".*?name="nonce" value="([^"]+)"', re.DOTALL)
_UNSEEN: Final = re.compile(r"<(head|svg)\b.*?</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came; `forms` are addresses and nonces, by what they do."""

    status: int
    url: str
    html: str
    headers: Mapping[str, str]
    browser: "Browser"
    forms: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a reader reads."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", _UNSEEN.sub(" ", self.html))).split())

    async def presses(self, deed: str, **fields: str) -> "Page":
        """Send the form for this deed; return the page it leads to."""
        address, nonce = self.forms[deed]
        return await self.browser.asks("POST", urljoin(self.url, address), data={"nonce": nonce, **fields})


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody's browser; it waits until what a press has caused has settled."""

    session: aiohttp.ClientSession
    world: World

    async def opens(self, link: str) -> Page:
        """Open a link, as it stands in a mail or a chat."""
        return await self.asks("GET", urldefrag(link).url)

    async def asks(self, method: str, url: str, data: Mapping[str, str] | None = None) -> Page:
        """Make one request and follow where it leads."""
        async with self.session.request(method, url, data=data) as answer:
            html = await answer.text()
            page = Page(
                answer.status, str(answer.url), html, dict(answer.headers), self, dict(_forms_of(html))
            )
        await self.world.settles()
        return page


def _forms_of(html: str) -> list[tuple[str, tuple[str, str]]]:
    found = [(unescape(address), unescape(nonce)) for address, nonce in _FORM.findall(html)]
    return [(address.rpartition("/")[2], (address, nonce)) for address, nonce in found]


@asynccontextmanager
async def open_browser(world: World) -> AsyncIterator[Browser]:
    """Open a browser until the block ends."""
    async with aiohttp.ClientSession() as session:
        yield Browser(session, world)
