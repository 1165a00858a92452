"""A real Chromium, as Debian ships it."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

# Set by .ci/run: there a missing browser is a fault and no reason to skip.
REQUIRED = "CHOTDON_REQUIRE_BROWSER"

# No sandbox: tests run as root in containers, and open nothing but loopback pages of ours.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Return where Chromium is; skip the test loudly, or fail it under `.ci/run`, where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    missing = "NO BROWSER: Chromium is not installed (Debian: apt-get install chromium), nothing was opened"
    if os.environ.get(REQUIRED):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Yield a headless Chromium."""
    path = chromium_path()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
def screen() -> dict[str, Any]:
    """Return the usual screen; a test may parametrize it."""
    return {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
async def context(browser: Browser, screen: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    """Yield a browser window of that screen."""
    opened = await browser.new_context(**screen)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """Yield a tab; whatever the page writes to the console as an error fails the test."""
    tab = await context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    yield tab
    assert faults == []
