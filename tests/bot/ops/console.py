"""The pages of kitchens and platforms on the console, and an operator before them."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.ops.routes import add_routes as add_console
from bot.tokens import Signer
from core.database import connect
from core.ledger import Ledger
from core.operators import sessions
from core.platforms import webhook_outcomes, webhooks
from core.platforms.webhook_outcomes import Tried
from core.settings import Settings
from tests.bot.web.conftest import (
    MORNING,
    SECRET,
    Answered,
    Site,
    _settle_in,
    _wake,
    application,
    settings_for,
)

HA = "ha@chotdon.example"
KITCHEN = "/ops/partners/com-nha-lan"


@pytest.fixture
def settings() -> Settings:
    """Return settings with an operator; a test module may have its own."""
    return settings_for(operator_emails=HA)


@pytest.fixture
async def site(database_url: str, settings: Settings) -> AsyncIterator[Site]:
    """Yield the pages and the console, at ten past eight, with a kitchen but without an order."""
    async with connect(database_url, connections=4) as database:
        ledger = Ledger(database, policy=settings.policy, code_key=b"k" * 32, wake=_wake)
        app = application(settings, database, ledger)
        add_console(app)
        async with ledger, TestClient(TestServer(app)) as client:
            site = Site(database, ledger, settings, client, Signer([SECRET]), uuid4(), uuid4())
            await site.goes_to(MORNING)
            await _settle_in(site)
            yield site


async def sign_in(site: Site) -> str:
    """Give the browser a session of the operator; return its secret."""
    async with site.database.pool.acquire() as connection:
        secret = await sessions.begin(connection, HA, device="Firefox", now=site.now)
    site.client.session.cookie_jar.update_cookies({"chotdon-ops": secret}, site.client.make_url("/"))
    return secret


def fields_of(page: Answered, action: str) -> dict[str, str]:
    """Return the hidden fields of the first form with this action."""
    for form in re.findall(r"<form\b.*?</form>", page.html, re.DOTALL):
        if f'action="{action}"' in form:
            hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
            return {name: unescape(value) for name, value in hidden}
    raise LookupError(f"no form to {action} on {page.url}")


async def presses(site: Site, page: str, action: str, **fields: str) -> Answered:
    """Open a page and send one of its forms."""
    hidden = fields_of(await site.opens(page), action)
    return await site.sends(action, {**hidden, **fields})


async def deeds(site: Site) -> list[dict[str, Any]]:
    """Return the record, oldest first, without the sign-in."""
    rows = await site.database.pool.fetch(
        "SELECT who, via, deed, about, reason, data FROM audit WHERE deed NOT LIKE 'operator.%' ORDER BY id"
    )
    return [dict(row) for row in rows]


async def tried(site: Site, *, status: int | None, why: str) -> UUID:
    """Have every webhook that is due tried once, with this end; return one of them."""
    due = await webhooks.due(site.database)
    claimed = await webhooks.claim(site.database, due)
    took = timedelta(milliseconds=120)
    ends = [Tried(each, status, why, took) for group in claimed.groups for each in group]
    await webhook_outcomes.settle(site.database, ends)
    return ends[0].webhook.id
