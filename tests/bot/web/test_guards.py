"""What keeps a sign-in safe where one guard stands alone: codes, their limits, addresses, cookies."""

import time
from uuid import UUID

import pytest

from bot.tokens import Bearer, LinkToken
from bot.web.session import onward
from core.actors import Role
from core.channels import Address, AddressKind
from core.partners import addresses, login_codes, staff
from core.settings import Settings
from tests.bot.web.conftest import SECRET, Answered, Site, settings_for
from tests.bot.web.signing import (
    LANS_MAIL,
    LANS_PHONE,
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


def right_code(site: Site, page: Answered) -> str:
    """Return the code that this page asks for, whether or not it was sent to anybody."""
    ticket = fields_of(page, "/login/code")["ticket"]
    return login_codes.code_of(login_codes.code_key(SECRET), site.signer.read_one_time(ticket))


async def test_a_code_that_was_not_sent_opens_nothing(site: Site) -> None:
    """The fourth of a quarter of an hour: else whoever asks on and on could guess on and on."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    pages = [await asks_for_a_code(site, LANS_PHONE) for _ in range(4)]
    await types_code(site, pages[3], right_code(site, pages[3]))
    assert not await is_in(site)
    await types_code(site, pages[2], right_code(site, pages[2]))
    assert await is_in(site)


async def test_one_place_types_twenty_wrong_codes(site: Site) -> None:
    """Then it waits, though the code be right and the address another's."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await asks_for_a_code(site, LANS_PHONE)
    right = right_code(site, page)
    for number in range(5):
        other = await asks_for_a_code(site, f"09055555{number:02}")
        for _ in range(4):
            await types_code(site, other, "000000" if right_code(site, other) != "000000" else "000001")
    answered = await types_code(site, page, right)
    assert answered.status == 429
    assert not await is_in(site)


async def test_nobodys_address_takes_as_long_as_somebodys(site: Site) -> None:
    """Who measures learns nothing: nobody is answered before a fifth of a second has gone by."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    for typed in (LANS_PHONE, "0987654321"):
        page = await site.opens("/login")
        began = time.monotonic()
        await site.sends("/login", {**fields_of(page, "/login"), "address": typed})
        assert time.monotonic() - began >= 0.2


async def test_a_session_dies_though_other_addresses_stay(site: Site) -> None:
    """What counts is the address that was proven by signing in."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    page = await asks_for_a_code(site, LANS_PHONE)
    await types_code(site, page, (await sent_codes(site))[0][1])
    assert await is_in(site)
    await addresses.take_away(site.database.pool, site.staff[Role.OWNER], AddressKind.PHONE, LANS_PHONE)
    assert not await is_in(site)


async def test_the_cookie_of_a_form_is_kept_from_scripts(site: Site) -> None:
    """It proves in which browser a form was opened."""
    async with site.client.get("/login") as opened:
        cookie = next(line for line in opened.headers.getall("Set-Cookie") if "form" in line)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/orders/48273", "/o/x"])
async def test_browsers_are_told_what_a_page_may_do(site: Site, path: str) -> None:
    """Word for word: nothing is run but our own scripts, framed, kept, guessed at or passed on."""
    headers = (await site.opens(path)).headers
    policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";")}
    assert policy == {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize(
    "wanted",
    ["/orders?a=1\r\nSet-Cookie: a=b", "/orders?a=\0", "/orders?q=đơn", "/orders?\u2028x"],
    ids=["header", "nul", "accents", "line"],
)
def test_no_sign_of_an_address_gets_into_a_header(wanted: str) -> None:
    """Where to go after the sign-in is written as browsers write it, or it is not ours."""
    assert onward(wanted) == "/orders"


async def test_a_link_that_somebody_else_used_leads_nowhere(site: Site) -> None:
    """Who is signed in as another is not told that it was theirs."""
    path = await login_link(site, Role.OWNER)
    page = await site.opens(path)
    assert (await presses_in(site, path)).status == 200
    await site.signs_in(Role.KITCHEN)
    assert (await site.sends(path, fields_of(page, path))).status == 410


async def test_what_stands_for_an_address_is_another_in_each_session(site: Site) -> None:
    """Short of the address itself, nobody finds it out by trying phones until the sign is the same."""
    await known_at(site, Role.KITCHEN, AddressKind.PHONE, LANS_PHONE)
    signs = []
    for _ in range(2):
        await site.signs_in(Role.OWNER)
        page = await site.opens(f"/staff/{site.staff[Role.KITCHEN]}")
        signs.append(fields_of(page, f"/staff/{site.staff[Role.KITCHEN]}/address/end")["address"])
    assert signs[0] != signs[1]


async def test_leaving_ends_sessions_and_links_for_good(site: Site) -> None:
    """They stay ended on record, whatever is ever looked at beside them."""
    await site.signs_in(Role.KITCHEN)
    await login_link(site, Role.KITCHEN)
    await staff.remove_by_id(site.database, site.partner_id, site.staff[Role.KITCHEN])
    pool = site.database.pool
    assert await pool.fetchval("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 0
    assert await pool.fetchval("SELECT count(*) FROM one_time_links WHERE used_at IS NULL") == 0


async def test_a_link_for_somebody_of_another_kitchen_shows_nothing(site: Site) -> None:
    """Whatever we might ever sign by mistake."""
    order = await site.places()
    stranger = await hires(site, await another_kitchen(site), "Hương", Role.OWNER)
    link = site.signer.link(LinkToken(order.id, order.revision, Bearer.STAFF_MAIL, stranger.id))
    assert (await site.opens(f"/o/{link}")).status == 404


async def test_who_came_by_an_invitation_has_proven_no_address(site: Site) -> None:
    """No other kitchen opens by it."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    elsewhere: UUID = await site.database.pool.fetchval(
        "INSERT INTO partners (id, code, name, created_at)"
        " VALUES (gen_random_uuid(), 'bep-hai', 'Bếp Hải', $1) RETURNING id",
        site.now,
    )
    other: UUID = await site.database.pool.fetchval(
        "INSERT INTO staff (id, partner_id, name, role, added_at)"
        " VALUES (gen_random_uuid(), $1, 'Lan', 'owner', $2) RETURNING id",
        elsewhere,
        site.now,
    )
    await addresses.add(site.database.pool, other, Address(AddressKind.PHONE, LANS_PHONE), now=site.now)
    await site.signs_in(Role.OWNER, via="invite")
    page = await site.opens("/seats")
    assert "Bếp Hải" not in page.text
