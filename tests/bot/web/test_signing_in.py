"""Signing in without a password: by a code, by a link; and everything that must not sign anybody in."""

from datetime import timedelta
from uuid import uuid4

import pytest
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from bot.web.clients import client_of
from bot.web.devices import device_of
from bot.web.session import onward
from core.actors import Role
from core.channels import Address, AddressKind
from core.partners import one_time_links
from core.partners.models import StaffRow
from core.partners.one_time_links import LinkPurpose
from core.settings import Settings
from tests.bot.web.conftest import Answered, Site, settings_for
from tests.bot.web.signing import (
    LANS_MAIL,
    LANS_PHONE,
    MAIL,
    SMS_AND_MAIL,
    another_kitchen,
    asks_for_a_code,
    fields_of,
    hires,
    is_in,
    known_at,
    login_link,
    presses_in,
    sent_codes,
    types_code,
)


@pytest.fixture
def settings() -> Settings:
    """Return settings with SMS and mail."""
    return settings_for(**SMS_AND_MAIL)


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


# --- Codes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sent_to"),
    [
        ("0901234567", LANS_PHONE),
        (" 090 123 4567 ", LANS_PHONE),
        ("+84901234567", LANS_PHONE),
        ("lan@EXAMPLE.com", LANS_MAIL),
    ],
    ids=["a phone", "with spaces", "with the country", "a mailbox"],
)
async def test_a_code_signs_in(site: Site, typed: str, sent_to: str) -> None:
    """Whoever types what was sent to their own address is in, and goes where they wanted."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    page = await asks_for_a_code(site, typed, wanted="/staff")
    ((to, code),) = await sent_codes(site)
    assert to == sent_to
    page = await types_code(site, page, f"{code[:3]} {code[3:]}")
    assert page.url.endswith("/staff")
    assert await is_in(site)


async def test_strangers_are_told_the_same(site: Site) -> None:
    """Nobody learns here who works in a kitchen: not from the answer, nor from what a wrong code brings."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    told = []
    for typed in ("0901234567", "0909999999"):
        page = await asks_for_a_code(site, typed)
        pages = [page] + [page := await types_code(site, page, "000000") for _ in range(5)]
        told.append([(each.status, each.text) for each in pages])
    assert told[0] == told[1]
    assert len(await sent_codes(site)) == 1


async def test_a_code_is_dead_after_five_wrong_ones(site: Site) -> None:
    """The right one does not help any more; a new one does."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    asked = page = await asks_for_a_code(site, LANS_PHONE)
    ((_, code),) = await sent_codes(site)
    for left in (4, 3, 2, 1):
        page = await types_code(site, page, wrong(code))
        assert page.status == 422
        assert f"còn {left} lần" in page.text
    page = await types_code(site, page, wrong(code))
    assert "Xin mã mới" in page.text
    await types_code(site, asked, code)
    assert not await is_in(site)
    page = await asks_for_a_code(site, LANS_PHONE)
    await types_code(site, page, (await sent_codes(site))[-1][1])
    assert await is_in(site)


async def test_a_code_works_once(site: Site) -> None:
    """A second browser that has seen it gets nothing."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    code = (await sent_codes(site))[0][1]
    await types_code(site, page, code)
    assert await site.counted("sessions") == 1
    page = await types_code(site, page, code)
    assert "không dùng được nữa" in page.text
    assert await site.counted("sessions") == 1


async def test_a_code_lives_a_quarter_of_an_hour(site: Site) -> None:
    """Of the product's time."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    await site.goes_to(site.now + timedelta(minutes=15, seconds=1))
    page = await types_code(site, page, (await sent_codes(site))[0][1])
    assert page.status == 422
    assert not await is_in(site)


async def test_a_code_of_somebody_who_left_opens_nothing(site: Site) -> None:
    """Though it was sent before."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    await site.leaves(Role.OWNER)
    page = await types_code(site, page, (await sent_codes(site))[0][1])
    assert page.status == 422
    assert await site.counted("sessions") == 0


async def test_an_address_gets_three_codes(site: Site) -> None:
    """The fourth request is answered like every other, and nothing is sent; later it is again."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    pages = [await asks_for_a_code(site, LANS_PHONE) for _ in range(5)]
    assert len({page.text for page in pages}) == 1
    assert len(await sent_codes(site)) == 3
    await site.goes_to(site.now + timedelta(minutes=16))
    await asks_for_a_code(site, LANS_PHONE)
    assert len(await sent_codes(site)) == 4


async def test_one_place_asks_for_twenty_codes(site: Site) -> None:
    """Then it waits, whatever the address."""
    for number in range(20):
        await asks_for_a_code(site, f"09012345{number:02}")
    page = await asks_for_a_code(site, LANS_PHONE)
    assert page.status == 429
    assert "Đợi 15 phút" in page.text
    assert await sent_codes(site) == []


@pytest.mark.parametrize(
    "typed", ["", "abc", "12", "a@b", "0" * 300, "a@" + "x" * 300, "1900", "\0", "a@b.c\r\nBcc: x@y.z"]
)
async def test_what_is_no_address_is_said_so(site: Site, typed: str) -> None:
    """In the form, with what to write instead, and what was typed still there."""
    page = await asks_for_a_code(site, typed)
    assert page.status == 422
    assert "0901234567" in page.text
    assert 'aria-invalid="true"' in page.html


@pytest.mark.parametrize("settings", [settings_for(**MAIL)], ids=["no SMS"])
async def test_without_sms_the_code_goes_to_the_chat(site: Site) -> None:
    """Of the person whose phone it is; here none of theirs can carry it, so nothing is sent."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await asks_for_a_code(site, LANS_PHONE)
    assert await sent_codes(site) == []


@pytest.mark.parametrize(
    "settings", [settings_for(telegram_token="1:a", telegram_secret="s")], ids=["Telegram alone"]
)
async def test_a_code_goes_to_telegram_and_never_to_a_group(site: Site) -> None:
    """It proves the chat it went to, not the phone."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.KITCHEN, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.TELEGRAM_CHAT, "-100200")
    await asks_for_a_code(site, LANS_PHONE)
    assert await sent_codes(site) == []
    await known_at(site, Role.OWNER, AddressKind.TELEGRAM_CHAT, "77")
    page = await asks_for_a_code(site, LANS_PHONE)
    ((to, code),) = await sent_codes(site)
    assert to == "77"
    await types_code(site, page, code)
    page = await site.opens("/seats")
    assert "Lan" in page.text
    assert "Tú" not in page.text


async def test_a_ticket_is_ours_or_nothing(site: Site) -> None:
    """Codes are tried only against what this site handed out."""
    page = await site.opens("/login/code?ticket=abc.def")
    assert page.url.endswith("/login")
    page = await asks_for_a_code(site, LANS_PHONE)
    fields = fields_of(page, "/login/code")
    page = await site.sends("/login/code", {**fields, "ticket": "x" * 300, "code": "123456"})
    assert page.url.endswith("/login")


# --- Links ------------------------------------------------------------------------------------------


async def test_a_link_signs_in_once(site: Site) -> None:
    """Opening it changes nothing; the button uses it up."""
    path = await login_link(site, Role.MANAGER)
    page = await site.opens(path)
    assert "Vào trang của Cơm Nhà Lan" in page.text
    assert "Minh" in page.text
    await site.opens(path)
    assert not await is_in(site)
    page = await presses_in(site, path)
    assert page.url.endswith("/orders")
    assert await is_in(site)
    site.client.session.cookie_jar.clear()
    page = await site.opens(path)
    assert page.status == 410
    assert "không dùng được nữa" in page.text


async def test_a_button_pressed_twice_leads_on(site: Site) -> None:
    """The second press of the same browser is no error and no second session."""
    path = await login_link(site, Role.MANAGER)
    fields = fields_of(await site.opens(path), path)
    await site.sends(path, fields)
    page = await site.sends(path, fields)
    assert page.url.endswith("/orders")
    assert await site.counted("sessions") == 1


async def test_of_two_presses_at_one_moment_one_signs_in(site: Site) -> None:
    """A link is used up under its row's lock."""
    link_id = await one_time_links.issue(
        site.database.pool, site.staff[Role.OWNER], LinkPurpose.LOGIN, via="web", now=site.now
    )
    async with site.database.pool.acquire() as one, site.database.pool.acquire() as two:
        first = await one_time_links.use(one, link_id, LinkPurpose.LOGIN, now=site.now)
        second = await one_time_links.use(two, link_id, LinkPurpose.LOGIN, now=site.now)
    assert first is not None
    assert first.name == "Lan"
    assert second is None


@pytest.mark.parametrize("why", ["too old", "left", "invite", "tampered", "unknown", "no token"])
async def test_a_link_that_is_no_good(site: Site, why: str) -> None:
    """One page for all of them, by GET and by POST, and nobody is signed in."""
    path = await login_link(site, Role.OWNER)
    fields = fields_of(await site.opens(path), path)
    if why == "too old":
        await site.goes_to(site.now + timedelta(minutes=16))
    elif why == "left":
        await site.leaves(Role.OWNER)
    elif why == "invite":
        await site.database.pool.execute("UPDATE one_time_links SET purpose = 'invite'")
    elif why == "tampered":
        path = path[:-9] + ("a" if path[-9] != "a" else "b") + path[-8:]
    elif why == "unknown":
        path = f"/login/{site.signer.one_time(uuid4())}"
    else:
        path = "/login/%00%C3%A9"
    assert (await site.opens(path)).status == 410
    assert (await site.sends(path, fields)).status == 410
    assert await site.counted("sessions") == 0


async def test_a_form_belongs_to_the_browser_that_opened_it(site: Site) -> None:
    """Another site cannot sign somebody in as somebody else, not even with a nonce of its own."""
    path = await login_link(site, Role.OWNER)
    fields = fields_of(await site.opens(path), path)
    site.client.session.cookie_jar.clear()
    page = await site.sends(path, fields)
    assert page.status == 403
    assert await site.counted("sessions") == 0
    fields = fields_of(page, path)
    assert (await site.sends(path, fields, Origin="https://evil.example")).status == 403
    page = await site.sends(path, fields, Origin="null")
    assert page.url.endswith("/orders")


async def test_a_cookie_from_before_is_not_kept(site: Site) -> None:
    """Nobody can hand somebody a session to sign in with."""
    planted = "x" * 43
    site.client.session.cookie_jar.update_cookies({"chotdon": planted}, site.client.make_url("/"))
    await presses_in(site, await login_link(site, Role.OWNER))
    kept = {each.key: each.value for each in site.client.session.cookie_jar}
    assert kept["chotdon"] != planted
    site.client.session.cookie_jar.clear()
    site.client.session.cookie_jar.update_cookies({"chotdon": planted}, site.client.make_url("/"))
    assert not await is_in(site)


# --- Sessions ---------------------------------------------------------------------------------------


async def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    """And only its hash is stored."""
    path = await login_link(site, Role.OWNER)
    fields = fields_of(await site.opens(path), path)
    async with site.client.post(path, data=fields, allow_redirects=False) as answered:
        cookie = next(line for line in answered.headers.getall("Set-Cookie") if line.startswith("chotdon="))
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert part in cookie
    assert "Secure" not in cookie
    secret = cookie.partition("=")[2].partition(";")[0]
    stored = await site.database.pool.fetchval("SELECT token_hash FROM sessions")
    assert len(secret) == 43
    assert stored not in {secret.encode(), b""}


@pytest.mark.parametrize("settings", [settings_for(base_url="https://chotdon.example")], ids=["https"])
async def test_by_https_the_cookie_is_this_hosts_alone(site: Site) -> None:
    """`__Host-` and Secure, the sign-in's own cookie too."""
    path = await login_link(site, Role.OWNER)
    async with site.client.get(path) as opened:
        form = opened.headers["Set-Cookie"]
        page = Answered(200, await opened.text(), {}, "")
    headers = {"Cookie": form.partition(";")[0]}
    fields = fields_of(page, path)
    async with site.client.post(path, data=fields, headers=headers, allow_redirects=False) as answered:
        cookies = [form, *answered.headers.getall("Set-Cookie")]
    assert answered.status == 303
    for cookie in cookies:
        assert cookie.startswith("__Host-chotdon")
        assert "Secure" in cookie


async def test_a_session_lives_while_it_is_used(site: Site) -> None:
    """Thirty days from its last use, not from its first."""
    await site.signs_in(Role.OWNER)
    for _ in range(3):
        await site.goes_to(site.now + timedelta(days=29))
        assert await is_in(site)
    await site.goes_to(site.now + timedelta(days=30, minutes=1))
    assert not await is_in(site)


async def test_use_is_remembered_every_ten_minutes(site: Site) -> None:
    """Not with every page."""
    await site.signs_in(Role.OWNER)
    began = await site.database.pool.fetchval("SELECT seen_at FROM sessions")
    await is_in(site)
    assert await site.database.pool.fetchval("SELECT seen_at FROM sessions") == began
    await site.goes_to(site.now + timedelta(minutes=11))
    await is_in(site)
    assert await site.database.pool.fetchval("SELECT seen_at FROM sessions") > began


async def test_who_left_is_out_at_once(site: Site) -> None:
    """At the next page."""
    await site.signs_in(Role.KITCHEN)
    assert await is_in(site)
    await site.leaves(Role.KITCHEN)
    assert not await is_in(site)


async def test_a_session_dies_with_the_address_that_proved_it(site: Site) -> None:
    """A phone that is not hers any more signs nobody in."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    await types_code(site, page, (await sent_codes(site))[0][1])
    assert await is_in(site)
    await site.database.pool.execute("DELETE FROM addresses")
    assert not await is_in(site)


async def test_old_sessions_and_links_are_forgotten(site: Site) -> None:
    """A month after they ended, when the same member signs in again."""
    await site.signs_in(Role.OWNER)
    await login_link(site, Role.OWNER)
    await site.goes_to(site.now + timedelta(days=61))
    await site.signs_in(Role.OWNER)
    assert await site.counted("sessions") == 1
    assert await site.counted("one_time_links") == 0


async def test_nothing_personal_is_logged(site: Site) -> None:
    """Neither who signs in nor by what, whether it works or not."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    path = await login_link(site, Role.OWNER)
    with capture_logs() as logged:
        page = await asks_for_a_code(site, "0901234567")
        await types_code(site, page, "000000")
        await types_code(site, page, (await sent_codes(site))[0][1])
        await site.opens(path + "x")
        await presses_in(site, path)
        await site.opens("/staff/nobody")
    told = repr(logged)
    for secret in ("901234567", (await sent_codes(site))[0][1], path, "Lan"):
        assert secret not in told


async def test_signing_out(site: Site) -> None:
    """Ends the session on our side too: an old copy of the cookie opens nothing."""
    secret = await site.signs_in(Role.OWNER)
    page = await site.opens("/seats")
    page = await site.sends("/logout", fields_of(page, "/logout"))
    assert "đã thoát" in page.text
    site.client.session.cookie_jar.update_cookies({"chotdon": secret}, site.client.make_url("/"))
    assert not await is_in(site)


async def test_signing_out_needs_the_nonce_of_this_session(site: Site) -> None:
    """Neither another site nor another session's page signs anybody out."""
    await site.signs_in(Role.OWNER)
    fields = fields_of(await site.opens("/seats"), "/logout")
    await site.signs_in(Role.OWNER)
    assert (await site.sends("/logout", fields)).status == 403
    assert (await site.sends("/logout", {})).status == 403
    assert await is_in(site)


@pytest.mark.parametrize("secret", ["", "x", "x" * 5000, "é", "a b", "%00"])
async def test_a_cookie_that_is_none_of_ours(site: Site, secret: str) -> None:
    """Is as good as no cookie, and nothing breaks."""
    page = await site.opens("/seats", Cookie=f"chotdon={secret}".encode().decode("latin-1"))
    assert page.status == 200
    assert "/login" in page.url


# --- Several kitchens -------------------------------------------------------------------------------


async def test_a_person_of_two_kitchens_chooses(site: Site) -> None:
    """After the code, by buttons; and may change at any time."""
    huong = await another_kitchen(site)
    await known_at(site, Role.MANAGER, AddressKind.PHONE, LANS_PHONE)
    await hires(site, huong, "Minh", Role.OWNER, phone=LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE, wanted="/settings")
    page = await types_code(site, page, (await sent_codes(site))[0][1])
    assert "/seats" in page.url
    assert "Vào Bếp Hương là Minh" in page.text
    page = await site.sends("/seats", fields_of(page, "/seats"))
    assert page.url.endswith("/settings")
    page = await site.opens("/seats")
    assert "Ở lại Bếp Hương" in page.text
    assert "Vào Cơm Nhà Lan là Minh" in page.text
    assert await site.database.pool.fetchval("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 1


async def test_nobody_takes_a_seat_that_is_not_theirs(site: Site) -> None:
    """Neither a colleague's nor one in a kitchen that does not know the address that was proven."""
    huong = await another_kitchen(site)
    stranger = await hires(site, huong, "Hương", Role.OWNER)
    await site.signs_in(Role.KITCHEN)
    page = await site.opens("/seats")
    fields = {"nonce": fields_of(page, "/logout")["nonce"], "next": "/orders"}
    for seat in (str(stranger.id), str(site.staff[Role.OWNER]), "", "x", str(uuid4())):
        assert (await site.sends("/seats", {**fields, "seat": seat})).status == 404
    page = await site.opens("/seats")
    assert "Tú" in page.text


async def test_an_address_that_was_only_written_down_opens_no_other_kitchen(site: Site) -> None:
    """A session goes to other kitchens by the address that it has proven, by no other of that member."""
    huong = await another_kitchen(site)
    await hires(site, huong, "Hương", Role.OWNER, email="huong@example.com")
    await known_at(site, Role.OWNER, AddressKind.EMAIL, "huong@example.com")
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    await types_code(site, page, (await sent_codes(site))[0][1])
    assert "Bếp Hương" not in (await site.opens("/seats")).text


async def test_a_link_from_a_chat_opens_the_other_kitchens_of_that_chat(site: Site) -> None:
    """A group's link does not: a group is nobody's own."""
    huong = await another_kitchen(site)
    member = await hires(site, huong, "Lan", Role.MANAGER)
    for chat in ("55", "-66"):
        await known_at(site, Role.OWNER, AddressKind.TELEGRAM_CHAT, chat)
        await site.database.pool.execute(
            "INSERT INTO addresses (id, staff_id, kind, value, added_at) VALUES ($1, $2, $3, $4, $5)",
            uuid4(),
            member.id,
            "telegram_chat",
            chat,
            site.now,
        )
        address = Address(AddressKind.TELEGRAM_CHAT, chat)
        await presses_in(site, await login_link(site, Role.OWNER, via="telegram", address=address))
        assert ("Bếp Hương" in (await site.opens("/seats")).text) == (chat == "55")


# --- Where to go ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/staff", "/staff"),
        ("/orders?status=pending&from=2026-11-01", "/orders?status=pending&from=2026-11-01"),
        ("/orders/48273", "/orders/48273"),
        ("", "/orders"),
        ("https://evil.example/orders", "/orders"),
        ("//evil.example/orders", "/orders"),
        ("/\\evil.example", "/orders"),
        ("/orders\\..\\x", "/orders"),
        ("/orders/../../ops", "/orders"),
        ("/orders//evil.example", "/orders"),
        ("/login", "/orders"),
        ("/api/v1/orders", "/orders"),
        ("/orders\r\nSet-Cookie: a=b", "/orders"),
        ("javascript:alert(1)", "/orders"),
        ("/staff\0", "/orders"),
        ("/đơn", "/orders"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours(wanted: str, leads_to: str) -> None:
    """Whatever an address asks for."""
    assert onward(wanted) == leads_to


async def test_a_page_is_come_back_to(site: Site) -> None:
    """With its question; a form's page without it."""
    page = await site.opens("/seats?next=/staff")
    assert page.url.endswith("/login?next=/seats?next%3D/staff")
    page = await site.sends("/logout", {})
    assert "/login?next=/logout" in page.url


async def test_who_is_in_need_not_sign_in(site: Site) -> None:
    """The sign-in leads on."""
    await site.signs_in(Role.OWNER)
    page = await site.opens("/login?next=/settings")
    assert page.url.endswith("/settings")


@pytest.mark.parametrize("path", ["/login", "/login/code", "/login/x", "/logout", "/seats"])
async def test_forms_that_are_none(site: Site, path: str) -> None:
    """Too big, of another kind, or with broken text: refused without a fault of ours."""
    await site.signs_in(Role.OWNER)
    big = await site.sends(path, {"address": "x" * 20_000})
    many = await site.sends(path, {f"f{number}": "x" for number in range(100)})
    async with site.client.post(path, data=b"\xff\xfe", headers={"Content-Type": "text/plain"}) as answered:
        other = answered.status
    assert (big.status, many.status, other) == (413, 400, 415)


# --- Small parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (Linux; Android 13; SM-A047F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 12) Chrome/100 Mobile Zalo android/12", "Zalo · Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Firefox/121.0", "Firefox · Windows"),
        ("curl/8", ""),
        ("", ""),
    ],
    ids=["a phone", "an iPhone", "Zalo's own browser", "a desk", "a machine", "nothing"],
)
def test_a_device_is_called_what_its_owner_calls_it(user_agent: str, device: str) -> None:
    """By browser and system."""
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    ("socket", "told", "counted"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("10.7.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.8.0.2", "203.0.113.9", "10.8.0.2"),
        ("", "203.0.113.9", "unknown"),
    ],
)
async def test_a_place_on_the_net(site: Site, socket: str, told: str, counted: str) -> None:
    """Only proxies of ours are believed: on this machine, and where the settings say."""
    headers = {"X-Forwarded-For": told}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=socket)
    assert client_of(request, ("127.0.0.0/8", "::1/128", "10.7.0.0/16")) == counted


async def test_everybody_reads_their_own_language(site: Site) -> None:
    """The link's page speaks as its reader does, the sign-in as the browser."""
    await StaffRow.filter(id=site.staff[Role.OWNER]).update(locale="en")
    page = await site.opens(await login_link(site, Role.OWNER))
    assert "Go to the pages of Cơm Nhà Lan" in page.text
    page = await site.opens("/login", **{"Accept-Language": "en-GB"})
    assert "Send me a code" in page.text
