from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.keys import SETTINGS
from bot.web.middleware import HEADERS, middlewares
from bot.web.nonces import Nonces
from bot.web.pages import PAGES, Pages
from bot.web.routes import add_routes
from core.database import Database
from core.errors import Misconfigured, Unavailable, Untrusted
from core.ledger import Ledger
from core.settings import Settings
from tests.bot.web.conftest import Site, application, settings_for

CODE = "VVkdYSBy73eHq"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def settings() -> Settings:
    """Return settings with Zalo's proof."""
    return settings_for(zalo_verifier=CODE)


async def _fail(request: web.Request) -> web.Response:
    """Fail as a bug does."""
    raise ZeroDivisionError


async def _miss(request: web.Request) -> web.Response:
    """Fail as a database does that is away."""
    raise Unavailable


async def _read(request: web.Request) -> web.Response:
    """Read a body."""
    return web.Response(body=await request.read())


@pytest.fixture
async def broken() -> AsyncIterator[Client]:
    """Yield a client of an application whose handlers fail."""
    app = web.Application(middlewares=middlewares(), client_max_size=100)
    app[PAGES] = Pages()
    app.router.add_get("/bug", _fail)
    app.router.add_get("/away", _miss)
    app.router.add_get("/webhooks/away", _miss)
    app.router.add_get("/api/v1/bug", _fail)
    app.router.add_post("/big", _read)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/nowhere", "/o/x", "/o/x/confirm", f"/zalo_verifier{CODE}.html"])
async def test_every_page_has_safe_headers(site: Site, path: str) -> None:
    """Nothing is run, framed, kept or passed on; faults included."""
    page = await site.opens(path)
    for name, value in HEADERS.items():
        assert page.headers[name] == value
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/o/x"])
async def test_pages_need_no_script_and_no_inline_style(site: Site, path: str) -> None:
    """What the policy forbids is not there."""
    html = (await site.opens(path)).html
    for forbidden in ("<script", "<style", " style=", "onclick", "javascript:"):
        assert forbidden not in html


async def test_the_style_sheet_may_be_kept(site: Site) -> None:
    """Its address changes with it."""
    html = (await site.opens("/")).html
    address = html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    style = await site.opens(address)
    assert "?v=" in address
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]


async def test_the_front_page_proves_the_domain_to_zalo(site: Site) -> None:
    """By the meta tag, and by the file of that name."""
    meta = '<meta name="zalo-platform-site-verification" content="' + CODE + '">'
    assert meta in (await site.opens("/")).html
    assert meta in (await site.opens(f"/zalo_verifier{CODE}.html")).html


@pytest.mark.parametrize("code", ["", "x", "VVkdYSBy73eHqX", "vvkdysby73ehq", "%C3%A1"])
async def test_another_proof_is_not_given(site: Site, code: str) -> None:
    """We vouch for no code but our own."""
    assert (await site.opens(f"/zalo_verifier{code}.html")).status == 404


def test_without_a_code_nothing_is_proved() -> None:
    """The front page of somebody without Zalo has no tag."""
    html = Pages().answer("front.html", locale="vi", verifier=None).text
    assert html is not None
    assert "zalo-platform" not in html


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "Không có trang này"),
        ("POST", "/", 405, "Mở lại đường dẫn"),
        ("GET", "/o/x/confirm", 405, "Mở lại đường dẫn"),
        ("POST", "/o/x/explode", 404, "Không có trang này"),
    ],
)
async def test_faults_are_told_politely(site: Site, method: str, path: str, status: int, words: str) -> None:
    """In a page that says what to do."""
    async with site.client.request(method, path) as response:
        assert response.status == status
        assert words in await response.text()
        assert (status == 405) is ("Allow" in response.headers)


async def test_faults_speak_the_browsers_language(site: Site) -> None:
    """Nobody knows who reads a page that is not there."""
    page = await site.opens("/nowhere", **{"Accept-Language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in page.html
    assert "There is no such page" in page.text


async def test_a_bug_shows_no_stack_trace(broken: Client) -> None:
    """The reader is told what to do; machines get a line."""
    async with broken.get("/bug") as response:
        assert response.status == 500
        html = await response.text()
        assert "Có lỗi ở phía chúng tôi" in html
        assert "ZeroDivision" not in html
    async with broken.get("/api/v1/bug") as response:
        assert (response.status, await response.text()) == (500, "500\n")


@pytest.mark.parametrize(("path", "kind"), [("/away", "text/html"), ("/webhooks/away", "text/plain")])
async def test_a_database_that_is_away(broken: Client, path: str, kind: str) -> None:
    """503, and when to come again: gateways do."""
    async with broken.get(path) as response:
        assert response.status == 503
        assert response.headers["Retry-After"].isdigit()
        assert response.content_type == kind


async def test_a_body_that_is_too_large(broken: Client) -> None:
    """It is refused with a page."""
    async with broken.post("/big", data=b"x" * 200) as response:
        assert response.status == 413
        assert "dài quá" in await response.text()


async def test_a_ledger_that_is_away(site: Site) -> None:
    """A press that cannot be committed says so, and the same form works once the ledger is back."""
    order = await site.places()
    path = site.path(order)
    form = {"nonce": (await site.opens(path)).nonce("confirm")}
    server = TestServer(application(site.settings, site.database, _closed(site)))
    async with TestClient(server) as client, client.post(f"{path}/confirm", data=form) as response:
        assert response.status == 503
        assert "chỉ tính một lần" in await response.text()
    assert (await site.sends(f"{path}/confirm", form)).status == 200


def _closed(site: Site) -> Ledger:
    """Return a ledger that was never opened."""

    async def wake(notices: object, webhooks: object) -> None:
        """Nobody is there to be woken."""

    database: Database = site.database
    return Ledger(database, policy=site.settings.policy, code_key=b"k" * 32, wake=wake)


def test_pages_cannot_be_added_without_a_secret() -> None:
    """Nonces of a guessable key would be none."""
    app = web.Application()
    app[SETTINGS] = Settings(_env_file=None)
    with pytest.raises(Misconfigured, match="SECRET_KEY"):
        add_routes(app)


def test_a_nonce_is_recognised_by_whoever_has_the_key() -> None:
    """Another process of the same service takes it; another key or link does not."""
    nonce = Nonces(b"key").issue("token")
    assert Nonces(b"key").check(nonce, "token") == nonce
    for key, token in ((b"other", "token"), (b"key", "other")):
        with pytest.raises(Untrusted):
            Nonces(key).check(nonce, token)


def test_no_two_nonces_are_alike() -> None:
    """Each form acts for itself."""
    nonces = {Nonces(b"key").issue("token") for _ in range(100)}
    assert len(nonces) == 100
