"""The console before a browser without JavaScript, beside the kitchen of the partner's pages."""

import re
from collections.abc import AsyncIterator, Sequence
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.ops.routes import add_routes
from bot.tokens import Signer
from core.database import connect
from core.ledger import Ledger
from core.operators import sessions
from core.settings import Settings
from tests.bot.web.conftest import MORNING, SECRET, Answered, Site, _settle_in, application, settings_for

MINH = "minh@chotdon.vn"
TRUC = "truc@chotdon.vn"


async def _wake(notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
    """Nobody is there to be woken."""


@pytest.fixture
def settings() -> Settings:
    """Return settings with two operators and mail; a test module may have its own."""
    return settings_for(
        operator_emails=(MINH, TRUC), smtp_url="smtp://127.0.0.1:1?tls=none", email_from="don@chotdon.vn"
    )


@pytest.fixture
async def site(database_url: str, settings: Settings) -> AsyncIterator[Site]:
    """Yield the console at ten past eight, with a kitchen but without an order."""
    async with connect(database_url, connections=4) as database:
        ledger = Ledger(database, policy=settings.policy, code_key=b"k" * 32, wake=_wake)
        app = application(settings, database, ledger)
        add_routes(app)
        async with ledger, TestClient(TestServer(app)) as client:
            site = Site(database, ledger, settings, client, Signer([SECRET]), uuid4(), uuid4())
            await site.goes_to(MORNING)
            await _settle_in(site)
            yield site


async def signs_in(site: Site, email: str = MINH) -> str:
    """Give the browser a session of this operator, in the place of the one it has; return its secret."""
    async with site.database.pool.acquire() as connection:
        secret = await sessions.begin(connection, email, device="Chrome · Linux", now=site.now)
    site.client.session.cookie_jar.update_cookies({"chotdon-ops": secret}, site.client.make_url("/"))
    return secret


def fields_of(page: Answered, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that goes there; raises LookupError without such a form."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.html, re.DOTALL)
    if found is None:
        raise LookupError(f"no form to {action}")
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return {name: unescape(value) for name, value in hidden}


async def fills(site: Site, path: str, action: str, **fields: str) -> Answered:
    """Open a page, fill one of its forms and send it."""
    page = await site.opens(path)
    return await site.sends(action, {**fields_of(page, action), **fields})


async def record(site: Site) -> list[dict[str, Any]]:
    """Return the record, oldest deed first."""
    rows = await site.database.pool.fetch("SELECT * FROM audit ORDER BY id")
    return [dict(row) for row in rows]
