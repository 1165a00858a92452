"""The pictures of the guide: taken of the real pages, small enough for a slow line.

`TAKE_PICTURES=1 pytest tests/browser/test_guide_pictures.py` takes them anew into `bot/web/static`, where
the page `/help` and `docs/huong-dan-doi-tac.md` have them from.
"""

import os
import struct
from pathlib import Path

import pytest
from playwright.async_api import Browser

import bot.web
from core.actors import Role
from core.settings import Settings
from tests.bot.web.conftest import MORNING, NOON, Site, settings_for, site

__all__ = ["site"]  # the fixture of tests/bot/web, used here as well

TAKES = "TAKE_PICTURES"
PICTURES = Path(bot.web.__file__).parent / "static"
SCREEN = {"width": 360, "height": 640}
MOST = 60_000


@pytest.fixture
def settings() -> Settings:
    """Return the usual settings."""
    return settings_for()


def size_of(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return int(width), int(height)


@pytest.mark.parametrize("name", ["guide-order", "guide-orders"])
async def test_a_picture_of_the_guide(site: Site, browser: Browser, name: str) -> None:
    """The page is still there to be taken, and what was taken is a phone's screen of it."""
    order = await site.places()
    await site.confirmed(deliver_at=NOON + (NOON - MORNING))
    secret = await site.signs_in(Role.OWNER)
    base = str(site.client.make_url("")).rstrip("/")
    path = {"guide-order": site.path(order), "guide-orders": "/orders"}[name]
    context = await browser.new_context(viewport=SCREEN, locale="vi-VN", java_script_enabled=False)  # type: ignore[arg-type]
    await context.add_cookies([{"name": "chotdon", "value": secret, "url": base}])
    page = await context.new_page()
    answered = await page.goto(base + path)
    assert answered is not None
    assert answered.status == 200
    taken = await page.screenshot()
    await context.close()
    assert len(taken) <= MOST
    kept = PICTURES / f"{name}.png"
    if os.environ.get(TAKES):
        kept.write_bytes(taken)
    assert size_of(taken) == size_of(kept.read_bytes()) == tuple(SCREEN.values())
    assert kept.stat().st_size <= MOST
