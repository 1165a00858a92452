"""Operators come in by a one-time link to a mailbox of the settings, and by nothing else."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.operators import links, sessions
from core.settings import Settings
from tests.bot.ops.conftest import MINH, TRUC, fields_of, record, signs_in
from tests.bot.web.conftest import SECRET, Answered, Site, settings_for


async def asks(site: Site, typed: str) -> Answered:
    """Open the sign-in, type a mailbox and send it."""
    page = await site.opens("/ops/login")
    return await site.sends("/ops/login", {**fields_of(page, "/ops/login"), "email": typed})


async def asks_for_link(site: Site, email: str) -> None:
    """Have a link sent as somebody at another computer would."""
    async with site.database.pool.acquire() as connection, connection.transaction():
        await links.ask(connection, email, operators=(MINH, TRUC), client="other", now=site.now)


async def sent_links(site: Site) -> list[tuple[str, str]]:
    """Return to whom links were sent, and their paths, oldest first."""
    rows = await site.database.pool.fetch(
        "SELECT data FROM notices WHERE kind = 'operator_login' ORDER BY owed_at, id"
    )
    return [
        (row["data"]["to"]["value"], f"/ops/login/{site.signer.one_time(UUID(row['data']['link']))}")
        for row in rows
    ]


async def presses_in(site: Site, path: str) -> Answered:
    """Open a one-time link and press its button."""
    page = await site.opens(path)
    action = f"{path}?next=/ops"
    return await site.sends(action, fields_of(page, action))


async def test_an_operator_comes_in_by_the_link_that_is_sent(site: Site) -> None:
    """From the mailbox to the board, and the sign-in is put on record."""
    asked = await asks(site, " Minh@ChotDon.vn ")
    assert asked.url.endswith("/ops/login/sent")
    ((to, path),) = await sent_links(site)
    assert to == MINH
    came = await presses_in(site, path)
    assert came.url.endswith("/ops")
    assert "Bảng đơn" in came.text
    (deed,) = await record(site)
    assert (deed["who"], deed["via"], deed["deed"]) == (MINH, "console", "operator.signed_in")


async def test_a_stranger_is_told_what_an_operator_is_told(site: Site) -> None:
    """Word for word, and nothing is sent: nobody learns whose mailbox an operator's is."""
    ours, theirs = await asks(site, MINH), await asks(site, "nobody@chotdon.vn")
    assert (ours.status, ours.text, ours.url) == (theirs.status, theirs.text, theirs.url)
    assert [to for to, _ in await sent_links(site)] == [MINH]


async def test_opening_a_link_changes_nothing(site: Site) -> None:
    """Mail apps open links by themselves; the button works afterwards."""
    await asks(site, MINH)
    ((_, path),) = await sent_links(site)
    for _ in range(3):
        assert (await site.opens(path)).status == 200
    assert await record(site) == []
    assert (await presses_in(site, path)).url.endswith("/ops")


async def test_a_link_works_once(site: Site) -> None:
    """Whoever finds it later, in another browser, is told that it is over."""
    await asks(site, MINH)
    ((_, path),) = await sent_links(site)
    page = await site.opens(path)
    action = f"{path}?next=/ops"
    fields = fields_of(page, action)
    await site.sends(action, fields)
    site.client.session.cookie_jar.clear(lambda cookie: cookie.key == "chotdon-ops")
    again = await site.sends(action, fields)
    assert again.status == 410
    assert (await site.opens(path)).status == 410
    assert len(await record(site)) == 1


async def test_who_comes_in_anew_leaves_no_session_behind(site: Site) -> None:
    """A shared computer: the session that its browser had ends with the next one's beginning."""
    before = await signs_in(site, MINH)
    await asks_for_link(site, TRUC)
    ((_, path),) = await sent_links(site)
    await presses_in(site, path)
    operators = (MINH, TRUC)
    pool = site.database.pool
    assert await sessions.of_secret(pool, before, operators=operators, now=site.now) is None
    assert [session.email for session in await sessions.of_operator(pool, TRUC, now=site.now)] == [TRUC]


async def test_a_colleagues_used_link_says_nothing_to_others(site: Site) -> None:
    """Pressed twice it leads its own operator on; anybody else is told that it is over."""
    await asks(site, TRUC)
    ((_, path),) = await sent_links(site)
    page = await site.opens(path)
    action = f"{path}?next=/ops"
    fields = fields_of(page, action)
    await site.sends(action, fields)
    assert (await site.sends(action, fields)).url.endswith("/ops")
    await signs_in(site, MINH)
    assert (await site.sends(action, fields)).status == 410


async def test_a_link_dies_after_a_quarter_of_an_hour(site: Site) -> None:
    """Old mails let nobody in."""
    await asks(site, MINH)
    ((_, path),) = await sent_links(site)
    await site.goes_to(site.now + links.LIFE)
    assert (await site.opens(path)).status == 410


async def test_a_link_is_bound_to_the_browser_that_presses_it(site: Site) -> None:
    """Another site cannot sign somebody in as somebody else."""
    await asks(site, MINH)
    ((_, path),) = await sent_links(site)
    await site.opens(path)
    forged = await site.sends(f"{path}?next=/ops", {"nonce": "made up"})
    assert forged.status == 403
    assert await record(site) == []


@pytest.mark.parametrize(
    "token",
    ["x", "a" * 300, "AAAAAAAAAAAAAAAAAAAAAA.AAAA", "..%2f..%2fops", "%00"],
    ids=["short", "long", "forged", "path", "nul"],
)
async def test_a_forged_link_is_over(site: Site, token: str) -> None:
    """Whatever stands there, it is told in the same words."""
    assert (await site.opens(f"/ops/login/{token}")).status in {404, 410}


async def test_a_kitchens_link_is_no_operators(site: Site) -> None:
    """A token of ours for something else opens nothing here."""
    path = f"/ops/login/{site.signer.one_time(site.partner_id)}"
    assert (await site.opens(path)).status == 410


async def test_a_link_of_who_is_no_operator_any_more_is_over(site: Site) -> None:
    """The settings are read when it is pressed."""
    link = await links.issue(site.database.pool, "gone@chotdon.vn", now=site.now)
    assert (await site.opens(f"/ops/login/{site.signer.one_time(link)}")).status == 410


async def test_a_link_lets_nobody_in_who_was_taken_out_meanwhile(site: Site) -> None:
    """The page was open already: what counts is the moment at which the button is pressed."""
    link = await links.issue(site.database.pool, "gone@chotdon.vn", now=site.now)
    async with site.database.pool.acquire() as connection:
        assert await links.take(connection, link, operators=(MINH, TRUC), now=site.now) is None


async def test_a_mailbox_is_one_however_it_is_spelled(site: Site) -> None:
    """Nobody has more links sent by typing it otherwise."""
    for typed in (MINH, MINH.upper(), MINH.title(), f" {MINH} ", MINH.capitalize()):
        await asks(site, typed)
    assert len(await sent_links(site)) == 3


@pytest.mark.parametrize("email", [MINH, "nobody@chotdon.vn"], ids=["operator", "stranger"])
async def test_the_answer_takes_its_time(site: Site, email: str) -> None:
    """A fifth of a second at least, for whomever: how quick it is tells nothing either."""
    fields = fields_of(await site.opens("/ops/login"), "/ops/login")
    began = time.monotonic()
    await site.sends("/ops/login", {**fields, "email": email})
    assert time.monotonic() - began >= 0.2


async def test_a_mailbox_gets_three_links_in_a_quarter_of_an_hour(site: Site) -> None:
    """More is answered the same, and not sent."""
    answers = [await asks(site, MINH) for _ in range(5)]
    assert {answer.url.rpartition("/")[2] for answer in answers} == {"sent"}
    assert len(await sent_links(site)) == 3
    await site.goes_to(site.now + timedelta(minutes=16))
    await asks(site, MINH)
    assert len(await sent_links(site)) == 4


async def test_one_place_asks_ten_times(site: Site) -> None:
    """Then it waits, whomever it asks for."""
    for number in range(10):
        assert (await asks(site, f"somebody{number}@chotdon.vn")).status == 200
    assert (await asks(site, TRUC)).status == 429
    assert await sent_links(site) == []


@pytest.mark.parametrize(
    "typed", ["", "minh", "a" * 300 + "@b.vn", "a\n@b.vn"], ids=["empty", "no at", "long", "line"]
)
async def test_what_is_no_mailbox_is_asked_for_again(site: Site, typed: str) -> None:
    """In the same place, with what to do."""
    answered = await asks(site, typed)
    assert answered.status == 422
    assert "Chưa đọc được" in answered.text


PAGES = ("/ops", "/ops/items", "/ops/alarms", "/ops/search", "/ops/audit", "/ops/devices")


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_not_signed_in_is_led_to_the_sign_in(site: Site, path: str) -> None:
    """And back afterwards."""
    answered = await site.opens(path)
    assert "Email trực ca" in answered.text
    assert fields_of(answered, "/ops/login")["next"] == path


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/ops/../orders",
        "/orders",
        "/ops\\evil",
        "/opsevil",
        "\x00",
        "/ops/login",
        "/ops//evil.example",
    ],
    ids=["site", "slashes", "dots", "kitchens", "backslash", "prefix", "nul", "sign-in", "slashes within"],
)
async def test_the_sign_in_leads_nowhere_else(site: Site, wanted: str) -> None:
    """Whatever the address asks for, it ends on the board."""
    async with site.client.get("/ops/login", params={"next": wanted}) as response:
        page = Answered(response.status, await response.text(), {}, "")
    assert fields_of(page, "/ops/login")["next"] == "/ops"


async def test_who_is_taken_out_of_the_settings_is_out_at_once(site: Site) -> None:
    """Their session is there, and opens nothing."""
    await signs_in(site, "gone@chotdon.vn")
    assert "Email trực ca" in (await site.opens("/ops")).text


async def test_a_session_ends_when_nobody_uses_it(site: Site) -> None:
    """After twelve hours; one that is used lives on, a week at most."""
    await signs_in(site)
    began = site.now
    for hour in range(11, 24 * 7, 11):
        await site.goes_to(began + timedelta(hours=hour))
        assert "Bảng đơn" in (await site.opens("/ops")).text, hour
    await site.goes_to(began + sessions.LONGEST)
    assert "Email trực ca" in (await site.opens("/ops")).text
    await signs_in(site)
    await site.goes_to(site.now + sessions.IDLE)
    assert "Email trực ca" in (await site.opens("/ops")).text


async def test_a_kitchens_cookie_opens_nothing_here(site: Site) -> None:
    """Nor does a made-up one, however long."""
    for secret in ("x", "x" * 5_000, SECRET):
        site.client.session.cookie_jar.update_cookies({"chotdon-ops": secret}, site.client.make_url("/"))
        assert "Email trực ca" in (await site.opens("/ops")).text


async def test_signing_out_ends_the_session(site: Site) -> None:
    """The secret opens nothing any more, and both deeds are on record."""
    secret = await signs_in(site)
    page = await site.opens("/ops")
    left = await site.sends("/ops/logout", fields_of(page, "/ops/logout"))
    assert "Bạn đã thoát" in left.text
    site.client.session.cookie_jar.update_cookies({"chotdon-ops": secret}, site.client.make_url("/"))
    assert "Email trực ca" in (await site.opens("/ops")).text
    assert [deed["deed"] for deed in await record(site)] == ["operator.signed_out"]


async def test_an_operator_ends_their_other_devices_and_nobody_elses(site: Site) -> None:
    """A form with a colleague's session ends nothing."""
    theirs = await signs_in(site, TRUC)
    other = await signs_in(site, MINH)
    await signs_in(site, MINH)
    page = await site.opens("/ops/devices")
    fields = fields_of(page, "/ops/devices")
    colleague = await site.database.pool.fetchval("SELECT id FROM operator_sessions WHERE email = $1", TRUC)
    await site.sends("/ops/devices", {**fields, "session": str(colleague)})
    await site.sends("/ops/devices", fields)
    living = await site.database.pool.fetch("SELECT email FROM operator_sessions WHERE ended_at IS NULL")
    assert sorted(row["email"] for row in living) == [MINH, TRUC]
    assert [deed["deed"] for deed in await record(site)] == ["operator.device_ended"]
    assert other != theirs


async def test_a_form_is_made_for_one_session(site: Site) -> None:
    """Not even another session of the same operator sends it, nor one that has ended since."""
    other = await signs_in(site, MINH)
    fields = fields_of(await site.opens("/ops/devices"), "/ops/logout")
    await signs_in(site, MINH)
    assert (await site.sends("/ops/logout", fields)).status == 403
    operators = (MINH, TRUC)
    assert await sessions.of_secret(site.database.pool, other, operators=operators, now=site.now)
    assert await record(site) == []


async def test_the_cookie_is_for_this_host_alone(site: Site) -> None:
    """Scripts cannot read it, other sites' forms do not bring it along."""
    await asks(site, MINH)
    ((_, path),) = await sent_links(site)
    page = await site.opens(path)
    action = f"{path}?next=/ops"
    async with site.client.post(action, data=fields_of(page, action), allow_redirects=False) as response:
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


class TestWithoutOperators:
    """An installation whose settings name nobody."""

    @pytest.fixture
    def settings(self) -> Settings:
        """Return settings without operators."""
        return settings_for()

    async def test_the_sign_in_says_how_to_name_some(self, site: Site) -> None:
        """Instead of a form that could never work."""
        answered = await site.opens("/ops")
        assert "CHOTDON_OPERATOR_EMAILS" in answered.text
        assert "<form" not in answered.html


class TestOnHttps:
    """Where the public address is https."""

    @pytest.fixture
    def settings(self) -> Settings:
        """Return settings of a real service, without mail."""
        changes: dict[str, Any] = {"base_url": "https://chotdon.example", "operator_emails": (MINH,)}
        return settings_for(**changes)

    async def test_browsers_take_the_cookie_from_this_very_host(self, site: Site) -> None:
        """And by https only."""
        link = await links.issue(site.database.pool, MINH, now=site.now)
        path = f"/ops/login/{site.signer.one_time(link)}?next=/ops"
        async with site.client.get(path) as response:
            browser = response.cookies["__Host-chotdon-form"].value
            page = Answered(200, await response.text(), {}, "")
        headers = {"Cookie": f"__Host-chotdon-form={browser}"}
        fields = fields_of(page, path)
        async with site.client.post(path, data=fields, headers=headers, allow_redirects=False) as response:
            cookies = response.headers.getall("Set-Cookie")
        assert any(cookie.startswith("__Host-chotdon-ops=") and "Secure" in cookie for cookie in cookies)

    async def test_without_mail_the_page_says_which_command_makes_a_link(self, site: Site) -> None:
        """Somebody at the server can always come in."""
        assert "chotdon ops-link" in (await site.opens("/ops/login")).text
