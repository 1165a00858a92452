"""What axe-core says about a page."""

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page


async def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return each broken rule with the pieces of the page that break it; nothing for a good page."""
    found = (await Axe().run(page)).response["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
