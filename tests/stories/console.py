"""The operators' console in a browser without JavaScript."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Final

import aiohttp

from bot.ops.figures import SHOWN_FOR
from tests.stories.world import OPERATORS, World

_UNSEEN: Final = re.compile(r"<(head|svg)\b.*?</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """One page as it came."""

    status: int
    path: str
    html: str

    @property
    def text(self) -> str:
        """What a reader reads."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", _UNSEEN.sub(" ", self.html))).split())

    def lines(self, marked: str) -> list[str]:
        """Return what stands in each `li` of a list of this class, in words."""
        found = re.search(rf'<[ou]l class="{marked}".*?</[ou]l>', self.html, re.DOTALL)
        items = re.findall(r"<li.*?</li>", found[0], re.DOTALL) if found else []
        return [Shown(200, "", item).text for item in items]

    def hidden(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form that goes there."""
        found = re.search(rf'method="post" action="{re.escape(action)}".*?</form>', self.html, re.DOTALL)
        assert found, f"no form to {action}"
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
        return {name: unescape(value) for name, value in fields}


@dataclass(frozen=True, slots=True)
class Console:
    """An operator's browser; it waits until what a press has caused has settled."""

    session: aiohttp.ClientSession
    world: World

    async def opens(self, path: str) -> Shown:
        """Open a page."""
        async with self.session.get(f"{self.world.url}{path}") as answer:
            return Shown(answer.status, str(answer.url.relative()), await answer.text())

    async def board(self, query: str = "") -> Shown:
        """Open the board, once its numbers are counted anew."""
        await asyncio.sleep(SHOWN_FOR)
        return await self.opens(f"/ops{query}")

    async def sends(self, path: str, action: str, **fields: str) -> Shown:
        """Open a page, fill one of its forms and send it; return the page it leads to."""
        data = {**(await self.opens(path)).hidden(action), **fields}
        async with self.session.post(f"{self.world.url}{action}", data=data) as answer:
            shown = Shown(answer.status, str(answer.url.relative()), await answer.text())
        await self.world.settles()
        return shown

    async def signs_in(self) -> Shown:
        """Ask for a link, open the mail, press."""
        await self.sends("/ops/login", "/ops/login", email=OPERATORS)
        mail = self.world.operators.gets("Vào trang tổng đài")
        found = re.search(r"https?://[^/\s]+(/ops/login/[A-Za-z0-9_.-]+)", mail.text)
        assert found, mail.text
        return await self.sends(found[1], f"{found[1]}?next=/ops")


@asynccontextmanager
async def open_console(world: World) -> AsyncIterator[Console]:
    """Open a browser until the block ends, and sign the operator in."""
    jar = aiohttp.CookieJar(unsafe=True)  # the story's site has no name, only a number
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        console = Console(session, world)
        await console.signs_in()
        yield console
