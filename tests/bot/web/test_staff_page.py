"""The list of who works in a kitchen, and what owners and managers may do with it."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.database import Database
from core.outbox import reach
from core.partners import linking, one_time_links, staff
from core.partners.models import StaffRow
from core.partners.one_time_links import LinkPurpose
from core.settings import Settings
from tests.bot.web.conftest import SECRET, Answered, Site, settings_for
from tests.bot.web.signing import (
    LANS_MAIL,
    LANS_PHONE,
    another_kitchen,
    asks_for_a_code,
    fields_of,
    hires,
    known_at,
    sent_codes,
    types_code,
)

ZALO = {"zalo_app_id": "1", "zalo_app_secret": "s", "zalo_oa_id": "4567", "zalo_oa_secret": "o"}
ESMS = {"sms_gateway": "esms", "esms_api_key": "k", "esms_secret_key": "s", "esms_brandname": "CHOTDON"}
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "email_from": "chotdon@chotdon.example"}
POSTS = ["", "/address", "/address/end", "/out", "/remove", "/invite"]


@pytest.fixture
def settings() -> Settings:
    """Return settings with every chat but Telegram."""
    return settings_for(**ZALO, **ESMS, **MAIL, sms_reply_number="8041", sms_reply_prefix="COM")


async def sends(site: Site, path: str, fields: dict[str, str]) -> Answered:
    """Send a form with a nonce of this session."""
    nonce = fields_of(await site.opens("/staff"), "/logout")["nonce"]
    return await site.sends(path, {"nonce": nonce, **fields})


async def member(site: Site, role: Role) -> str:
    """Return the path of somebody's page."""
    return f"/staff/{site.staff[role]}"


async def role_of(site: Site, role: Role) -> str:
    """Return the role that somebody has now."""
    return (await StaffRow.get(id=site.staff[role])).role


# --- Seeing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
async def test_everybody_sees_who_works_here(site: Site, role: Role) -> None:
    """Names, roles, masked addresses; buttons only for those who may."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await site.signs_in(role)
    page = await site.opens("/staff")
    assert "Lan" in page.text
    assert "Chủ quán" in page.text
    assert "09•••567" in page.text
    assert "1234567" not in page.html
    assert ("Thêm nhân viên" in page.text) == (role in {Role.OWNER, Role.MANAGER})
    links = re.findall(r'href="/staff/([^"]+)"', page.html)
    manages = {
        Role.OWNER: ["new", *[str(site.staff[each]) for each in Role]],
        Role.MANAGER: ["new", *[str(site.staff[each]) for each in Role if each is not Role.OWNER]],
    }
    assert sorted(links) == sorted(manages.get(role, []))


async def test_an_address_says_whether_it_works(site: Site) -> None:
    """What is known last counts, by any channel of it; an ended one is said so."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    await known_at(site, Role.OWNER, AddressKind.TELEGRAM_CHAT, "-1001")
    pool = site.database.pool
    await reach.worked(pool, ChannelName.SMS, [LANS_PHONE], site.now)
    async with pool.acquire() as connection:
        mail = Address(AddressKind.EMAIL, LANS_MAIL)
        await reach.failed(connection, ChannelName.EMAIL, mail, "no such box", now=site.now)
    await pool.execute("UPDATE addresses SET ended_at = now() WHERE kind = 'telegram_chat'")
    await site.signs_in(Role.CASHIER)
    text = (await site.opens("/staff")).text
    assert re.search(r"Điện thoại 09•••567 tin lúc 08:10 24/11 đã đến", text)
    assert re.search(r"Email l•••@example.com tin lúc 08:10 24/11 không đến", text)
    assert re.search(r"Nhóm Telegram •••001 đã ngắt lúc", text)


# --- Adding -----------------------------------------------------------------------------------------


async def test_somebody_is_added(site: Site) -> None:
    """With what was typed, and may be invited at once."""
    await site.signs_in(Role.OWNER)
    page = await site.opens("/staff/new")
    fields = {
        **fields_of(page, "/staff/new"),
        "name": " Bình  An ",
        "role": "kitchen",
        "phone": "0912 345 678",
        "email": "",
        "notify": "on",
    }
    page = await site.sends("/staff/new", fields)
    assert "Bình An" in page.text
    assert "Tạo lời mời" in page.text
    added = await staff.by_name(site.database.pool, site.partner_id, "Bình An")
    assert (added.role, added.notify) == (Role.KITCHEN, True)
    assert [each.value for each in added.addresses] == ["+84912345678"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": ""}, "Nhập tên"),
        ({"name": "x" * 121}, "Nhập tên"),
        ({"name": "lan"}, "đã có người tên này"),
        ({"phone": "123"}, "Số điện thoại chưa đúng"),
        ({"email": "a@b"}, "Email chưa đúng"),
        ({"role": "boss"}, "Chọn một vai"),
        ({"role": ""}, "Chọn một vai"),
    ],
    ids=["no name", "a long name", "a name twice", "no phone", "no mail", "no such role", "no role"],
)
async def test_what_is_wrong_is_said_in_place(site: Site, typed: dict[str, str], told: str) -> None:
    """And what was typed is still there."""
    await site.signs_in(Role.OWNER)
    fields = {"name": "Bình", "role": "kitchen", "phone": "0912345678", "email": "b@example.com", **typed}
    page = await sends(site, "/staff/new", fields)
    assert page.status == 422
    assert told in page.text
    assert 'value="0912345678"' in page.html or "phone" in typed
    assert await StaffRow.filter(partner_id=site.partner_id).count() == 4


async def test_a_kitchen_has_at_most_a_hundred(site: Site) -> None:
    """A form that is sent again and again fills no table."""
    for number in range(96):
        await hires(site, site.partner_id, f"Người {number}", Role.KITCHEN)
    await site.signs_in(Role.OWNER)
    page = await sends(site, "/staff/new", {"name": "Bình", "role": "kitchen"})
    assert page.status == 422
    assert "100 người" in page.text


# --- Changing ---------------------------------------------------------------------------------------


async def test_a_role_is_changed(site: Site) -> None:
    """From the next press on it counts."""
    await site.signs_in(Role.MANAGER)
    path = await member(site, Role.KITCHEN)
    page = await sends(site, path, {"role": "cashier"})
    assert "Đã lưu." in page.text
    assert await role_of(site, Role.KITCHEN) == "cashier"


async def test_the_last_owner_is_not_demoted(site: Site) -> None:
    """Not even by herself."""
    await site.signs_in(Role.OWNER)
    page = await sends(site, await member(site, Role.OWNER), {"role": "manager"})
    assert page.status == 422
    assert "chủ quán cuối cùng" in page.text
    page = await sends(site, await member(site, Role.OWNER) + "/remove", {})
    assert page.status == 422
    assert await role_of(site, Role.OWNER) == "owner"


async def test_an_address_is_added_and_taken_away(site: Site) -> None:
    """Taken away it is nobody's, and the session that it had proven ends."""
    await site.signs_in(Role.OWNER)
    path = await member(site, Role.KITCHEN)
    page = await sends(site, f"{path}/address", {"address": "0901234567"})
    assert "Đã thêm địa chỉ." in page.text
    mine = {each.key: each.value for each in site.client.session.cookie_jar}["chotdon"]
    site.client.session.cookie_jar.clear()
    asked = await asks_for_a_code(site, LANS_PHONE)
    await types_code(site, asked, (await sent_codes(site))[-1][1])
    cooks = {each.key: each.value for each in site.client.session.cookie_jar}["chotdon"]
    site.client.session.cookie_jar.update_cookies({"chotdon": mine}, site.client.make_url("/"))
    page = await site.opens(path)
    page = await site.sends(f"{path}/address/end", fields_of(page, f"{path}/address/end"))
    assert "Đã bỏ địa chỉ." in page.text
    assert "09•••567" not in page.text
    site.client.session.cookie_jar.update_cookies({"chotdon": cooks}, site.client.make_url("/"))
    assert "/login" in (await site.opens("/staff")).url


async def test_an_address_that_is_none_is_said_so(site: Site) -> None:
    """In place."""
    await site.signs_in(Role.OWNER)
    path = await member(site, Role.KITCHEN)
    page = await sends(site, f"{path}/address", {"address": "xyz"})
    assert page.status == 422
    assert "Số điện thoại chưa đúng" in page.text


# --- Removing ---------------------------------------------------------------------------------------


async def test_somebody_is_removed_after_a_question(site: Site) -> None:
    """Sessions, links, codes and buttons of theirs end at once; a second press is no error."""
    secret = await site.signs_in(Role.KITCHEN)
    gone = site.staff[Role.KITCHEN]
    pool = site.database.pool
    link = await one_time_links.issue(pool, gone, LinkPurpose.LOGIN, via="zalo", now=site.now)
    invite = await one_time_links.issue(pool, gone, LinkPurpose.INVITE, via="invite", now=site.now)
    await site.signs_in(Role.OWNER)
    path = await member(site, Role.KITCHEN)
    page = await site.opens(f"{path}/remove")
    assert "Cho Tú nghỉ?" in page.text
    fields = fields_of(page, f"{path}/remove")
    page = await site.sends(f"{path}/remove", fields)
    assert "Đã cho nghỉ." in page.text
    assert "Tú" not in page.text.replace("Đã cho nghỉ.", "")
    assert (await site.sends(f"{path}/remove", fields)).status == 404
    assert (await site.opens(f"/login/{site.signer.one_time(link)}")).status == 410
    assert (await site.opens(f"/invite/{site.signer.one_time(invite)}")).status == 410
    site.client.session.cookie_jar.update_cookies({"chotdon": secret}, site.client.make_url("/"))
    assert "/login" in (await site.opens("/staff")).url


async def test_somebody_is_signed_out_everywhere(site: Site) -> None:
    """By whoever may manage them."""
    await site.signs_in(Role.CASHIER)
    await site.signs_in(Role.MANAGER)
    path = await member(site, Role.CASHIER)
    page = await site.opens(path)
    assert "Thoát khỏi 1 thiết bị" in page.text
    page = await site.sends(f"{path}/out", fields_of(page, f"{path}/out"))
    assert "Thoát khỏi 1 thiết bị" not in page.text


# --- Who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.KITCHEN, Role.CASHIER])
async def test_cooks_and_cashiers_change_nothing(site: Site, role: Role) -> None:
    """Whatever they send."""
    await site.signs_in(role)
    path = await member(site, Role.MANAGER)
    assert (await site.opens("/staff/new")).status == 403
    assert (await site.opens(path)).status == 403
    assert (await sends(site, "/staff/new", {"name": "x", "role": "owner"})).status == 403
    for post in POSTS:
        assert (await sends(site, path + post, {"role": "owner", "address": LANS_PHONE})).status == 403
    assert await StaffRow.filter(partner_id=site.partner_id, removed_at=None).count() == 4


async def test_a_manager_touches_no_owner(site: Site) -> None:
    """Nor becomes one, nor makes one."""
    await site.signs_in(Role.MANAGER)
    path = await member(site, Role.OWNER)
    assert (await site.opens(path)).status == 403
    for post in POSTS:
        assert (await sends(site, path + post, {"role": "kitchen", "address": LANS_PHONE})).status == 403
    page = await sends(site, await member(site, Role.MANAGER), {"role": "owner"})
    assert page.status == 422
    page = await sends(site, "/staff/new", {"name": "Bình", "role": "owner"})
    assert page.status == 422
    assert await role_of(site, Role.MANAGER) == "manager"


async def test_nobody_reaches_into_another_kitchen(site: Site) -> None:
    """Its people do not exist here."""
    stranger = await hires(site, await another_kitchen(site), "Hương", Role.KITCHEN)
    await site.signs_in(Role.OWNER)
    for name in (str(stranger.id), str(uuid4()), "x", "%00", "0" * 2000):
        path = f"/staff/{name}"
        assert (await site.opens(path)).status == 404
        for post in POSTS:
            assert (await sends(site, path + post, {"role": "owner", "address": LANS_PHONE})).status == 404
    assert (await StaffRow.get(id=stranger.id)).role == "kitchen"


async def test_a_form_needs_its_nonce_and_our_origin(site: Site) -> None:
    """Without them nobody is removed."""
    await site.signs_in(Role.OWNER)
    path = await member(site, Role.KITCHEN)
    fields = fields_of(await site.opens(f"{path}/remove"), f"{path}/remove")
    assert (await site.sends(f"{path}/remove", {})).status == 403
    assert (await site.sends(f"{path}/remove", fields, Origin="https://evil.example")).status == 403
    await site.signs_in(Role.OWNER)
    assert (await site.sends(f"{path}/remove", fields)).status == 403
    assert (await StaffRow.get(id=site.staff[Role.KITCHEN])).removed_at is None


async def test_without_a_session_there_is_only_the_sign_in(site: Site) -> None:
    """By GET and by POST."""
    path = await member(site, Role.KITCHEN)
    for each in ("/staff", "/staff/new", path, f"{path}/remove"):
        assert "/login?next=/staff" in (await site.opens(each)).url
        if each != "/staff":
            assert "/login?next=/staff" in (await site.sends(each, {})).url


# --- Invitations ------------------------------------------------------------------------------------


async def invited(site: Site, role: Role = Role.KITCHEN) -> str:
    """Return the path of an invitation that the owner made for somebody."""
    await site.signs_in(Role.OWNER)
    path = await member(site, role)
    page = await site.opens(path)
    page = await site.sends(f"{path}/invite", fields_of(page, f"{path}/invite"))
    assert 'src="data:image/svg+xml' in page.html
    found = re.search(r'href="http://chotdon.example(/invite/[^"]+)"', page.html)
    assert found
    site.client.session.cookie_jar.clear()
    return found[1]


async def draws(site: Site, path: str) -> Answered:
    """Open an invitation and ask for codes."""
    page = await site.opens(path)
    return await site.sends(path, fields_of(page, path))


async def link_zalo(database: Database, code: str) -> linking.Redeemed:
    """Send a code from a Zalo account."""
    address = Address(AddressKind.ZALO_USER, "9001")
    async with database.pool.acquire() as connection, connection.transaction():
        return await linking.redeem(
            connection,
            code=code,
            address=address,
            key=linking.code_key(SECRET),
            now=database.clock.now(),
        )


async def test_an_invitation_shows_how_each_chat_is_linked(site: Site) -> None:
    """Opening it draws nothing; a code of it links a chat, and ends it."""
    path = await invited(site)
    page = await site.opens(path)
    assert "Cơm Nhà Lan mời Tú làm việc ở đây" in page.text
    assert await site.counted("link_codes") == 0
    page = await draws(site, path)
    assert 'href="https://zalo.me/4567"' in page.html
    assert re.search(r"Soạn tin COM LK [0-9]{6} gửi 8041", page.text)
    assert re.search(r'href="sms:8041\?body=COM%20LK%20[0-9]{6}"', page.html)
    found = re.search(r"Nhắn cho Chốt Đơn: LK ([0-9]{6})", page.text)
    assert found
    linked = await link_zalo(site.database, found[1])
    assert isinstance(linked, linking.Linked)
    assert linked.staff.name == "Tú"
    assert (await site.opens(path)).status == 410


async def test_an_invitation_signs_in_once(site: Site) -> None:
    """And is used up by that."""
    path = await invited(site)
    page = await site.opens(path)
    page = await site.sends(f"{path}/web", fields_of(page, f"{path}/web"))
    assert page.url.endswith("/settings")
    assert "Tú" in page.text
    site.client.session.cookie_jar.clear()
    assert (await site.opens(path)).status == 410


async def test_an_invitation_lasts_a_week(site: Site) -> None:
    """Of the product's time."""
    path = await invited(site)
    await site.goes_to(site.now + timedelta(days=6, hours=23))
    assert (await site.opens(path)).status == 200
    await site.goes_to(site.now + timedelta(hours=2))
    assert (await site.opens(path)).status == 410
    assert (await site.sends(path, {})).status == 410
    assert (await site.sends(f"{path}/web", {})).status == 410


async def test_an_invitation_draws_ten_times(site: Site) -> None:
    """In a quarter of an hour."""
    path = await invited(site)
    for _ in range(9):
        await draws(site, path)
    page = await draws(site, path)
    assert page.status == 200
    page = await draws(site, path)
    assert page.status == 429


async def test_an_invitations_forms_belong_to_their_browser(site: Site) -> None:
    """Another site can neither draw codes nor sign somebody in."""
    path = await invited(site)
    fields = fields_of(await site.opens(path), path)
    site.client.session.cookie_jar.clear()
    assert (await site.sends(path, fields)).status == 403
    assert (await site.sends(f"{path}/web", fields)).status == 403
    assert (await site.sends(path, fields, Origin="https://evil.example")).status == 403
    assert await site.counted("link_codes") == 0


async def test_a_sign_in_link_is_no_invitation_and_the_other_way_round(site: Site) -> None:
    """Each opens its own page only."""
    path = await invited(site)
    assert (await site.opens(path.replace("/invite/", "/login/"))).status == 410
    link = await one_time_links.issue(
        site.database.pool, site.staff[Role.OWNER], LinkPurpose.LOGIN, via="web", now=site.now
    )
    assert (await site.opens(f"/invite/{site.signer.one_time(link)}")).status == 410


async def test_an_invitation_is_shown_to_who_may_manage(site: Site) -> None:
    """Its page is not a colleague's, nor one for somebody else's link."""
    link = await one_time_links.issue(
        site.database.pool, site.staff[Role.KITCHEN], LinkPurpose.INVITE, via="invite", now=site.now
    )
    await site.signs_in(Role.CASHIER)
    assert (await site.opens(f"/staff/{site.staff[Role.KITCHEN]}/invite/{link}")).status == 403
    await site.signs_in(Role.OWNER)
    page = await site.opens(f"/staff/{site.staff[Role.MANAGER]}/invite/{link}")
    assert page.url.endswith(f"/staff/{site.staff[Role.MANAGER]}")
    for name in ("x", str(uuid4()), "%00"):
        page = await site.opens(f"/staff/{site.staff[Role.MANAGER]}/invite/{name}")
        assert page.url.endswith(f"/staff/{site.staff[Role.MANAGER]}")
