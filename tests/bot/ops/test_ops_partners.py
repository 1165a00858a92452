"""Kitchens on the operators' console: the list, one kitchen, its people, and what is done to them."""

import re
from datetime import time, timedelta

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.orders.commands import CompleteOrder, ConfirmOrder
from core.outbox import reach
from core.partners import one_time_links, partners, staff
from core.partners.models import StaffRow
from core.partners.one_time_links import LinkPurpose
from core.settings import Settings
from tests.bot.ops.console import HA, KITCHEN, deeds, presses, sign_in, site
from tests.bot.web.conftest import NOON, Site, settings_for
from tests.bot.web.signing import LANS_MAIL, LANS_PHONE, known_at

__all__ = ["site"]

ZALO = {"zalo_app_id": "1", "zalo_app_secret": "s", "zalo_oa_id": "4567", "zalo_oa_secret": "o"}
EVIL = "<script>alert(1)</script>"
HOSTILE = {
    "script": EVIL,
    "attribute": '" onmouseover="alert(1)" x="',
    "rtl": "\u202eBếp\u2066",
    "emoji": "🍜" * 30,
    "long": "ă" * 120,
    "braces": "{{ 7 * 7 }}{name}",
}


@pytest.fixture
def settings() -> Settings:
    """Return settings with an operator, and Zalo on."""
    return settings_for(operator_emails=HA, **ZALO)


# --- Who may ----------------------------------------------------------------------------------------

PAGES = ["/ops/partners", "/ops/partners/_new", KITCHEN, f"{KITCHEN}/staff/_new"]


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_no_operator_is_led_to_the_sign_in(site: Site, path: str) -> None:
    """The owner of the kitchen is none."""
    await site.signs_in(Role.OWNER)
    page = await site.opens(path)
    assert "/ops/login" in page.url
    assert "Cơm Nhà Lan" not in page.text


@pytest.mark.parametrize("deed", ["settings", "pause", "resume", "staff/_new"])
async def test_a_form_without_its_nonce_does_nothing(site: Site, deed: str) -> None:
    """Nothing is changed and nothing is written down."""
    await sign_in(site)
    page = await site.sends(f"{KITCHEN}/{deed}", {"nonce": "x", "reason": "vì", "until": "2026-11-30"})
    assert page.status == 403
    assert await deeds(site) == []


@pytest.mark.parametrize(
    "path", ["/ops/partners/no-such", f"{KITCHEN}/staff/none", f"{KITCHEN}/staff/{'0' * 32}"]
)
async def test_what_is_not_there_is_said_so(site: Site, path: str) -> None:
    """404, whatever the address says."""
    await sign_in(site)
    assert (await site.opens(path)).status == 404


# --- Seeing -----------------------------------------------------------------------------------------


async def test_the_list_has_each_kitchen_once(site: Site) -> None:
    """With what is open and what is wrong, and no score where there is none."""
    await sign_in(site)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    async with site.database.pool.acquire() as connection:
        mail = Address(AddressKind.EMAIL, LANS_MAIL)
        await reach.failed(connection, ChannelName.EMAIL, mail, "no such box", now=site.now)
    await site.places()
    text = (await site.opens("/ops/partners")).text
    assert "Cơm Nhà Lan com-nha-lan · 4 người 1 địa chỉ không nhận được tin" in text
    assert "1 đơn chờ xác nhận · 0 đơn đã xác nhận" in text
    assert "chưa có đơn đến hạn giao" in text
    assert "0 %" not in text


async def test_kitchens_are_searched(site: Site) -> None:
    """Without accents too; what is not found says so."""
    await sign_in(site)
    assert KITCHEN in (await site.opens("/ops/partners?q=nha+lan")).html
    missing = await site.opens(f"/ops/partners?q={EVIL}")
    assert "Không có quán nào như vậy" in missing.text
    assert EVIL not in missing.html


async def test_the_list_is_paged_by_code(site: Site) -> None:
    """Twenty-five a page, then the rest, then the beginning again."""
    await sign_in(site)
    for number in range(30):
        await site.database.pool.execute(
            "INSERT INTO partners (id, code, name, created_at) VALUES (gen_random_uuid(), $1, 'Bếp', now())",
            f"bep-{number:02}",
        )
    first = await site.opens("/ops/partners?q=bep")
    assert "bep-24" in first.text
    assert "bep-25" not in first.text
    more = re.search(r'href="(/ops/partners\?[^"]*after=[^"]*)"', first.html)
    assert more
    second = await site.opens(more[1].replace("&amp;", "&"))
    assert "bep-25" in second.text
    assert "Xem tiếp" not in second.text
    assert "Về đầu danh sách" in second.text


async def test_an_address_that_is_dead_is_seen_on_the_page(site: Site) -> None:
    """What failed, since when, in the gateway's words, and until when it is not tried."""
    await sign_in(site)
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    async with site.database.pool.acquire() as connection:
        await reach.failed(
            connection,
            ChannelName.SMS,
            Address(AddressKind.PHONE, LANS_PHONE),
            "number not in use",
            now=site.now,
            out_for=timedelta(days=1),
        )
    text = (await site.opens(KITCHEN)).text
    assert "Điện thoại 0901234567 tin lúc 08:10 24/11 không đến SMS: number not in use" in text
    assert "SMS nghỉ gửi đến 08:10 25/11" in text
    assert "Chưa có cách nào để báo tin" in text


async def test_a_kitchen_without_orders_says_so(site: Site) -> None:
    """And is not said to have confirmed 0 %."""
    await sign_in(site)
    text = (await site.opens(KITCHEN)).text
    assert "Chưa có đơn nào đến hạn giao trong những ngày này, nên chưa có điểm." in text
    assert "Chưa có đơn nào." in text
    assert "0 %" not in text


async def test_the_score_stands_on_the_page(site: Site) -> None:
    """Confirmed after five minutes, and completed: 100 %, five minutes, by Zalo."""
    await sign_in(site)
    order = await site.places()
    await site.goes_to(site.now + timedelta(minutes=5))
    await site.does(ConfirmOrder(order.id))
    waiting = (await site.opens(KITCHEN)).text
    assert f"Đơn {order.code} nhắc bấm Hoàn thành 11:40 thứ Ba 24/11" in waiting
    await site.goes_to(NOON)
    await site.does(CompleteOrder(order.id))
    await site.goes_to(NOON + timedelta(days=1))
    await sign_in(site)
    text = (await site.opens(KITCHEN)).text
    assert "Tự xác nhận 100 % 1/1 đơn" in text
    assert "Thường xác nhận sau 5 phút" in text
    assert "Đã hoàn thành 100 % 1/1 đơn" in text
    assert "11/2026 1 100 % 5 phút 100 % –" in text
    assert re.search(r"Quán xác nhận bằng gì.*Zalo 1", text)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_names_are_only_names(site: Site, name: str) -> None:
    """Whatever a kitchen and its people are called, a page shows it and does nothing."""
    await sign_in(site)
    await site.database.pool.execute("UPDATE partners SET name = $1", name)
    await site.database.pool.execute("UPDATE staff SET name = $1 WHERE role = 'owner'", name)
    await site.places()
    for path in (
        "/ops/partners",
        KITCHEN,
        f"{KITCHEN}/staff/{site.staff[Role.OWNER]}",
        f"{KITCHEN}/staff/_new",
    ):
        page = await site.opens(path)
        assert page.status == 200
        assert EVIL not in page.html
        assert 'onmouseover="' not in page.html
    owner = await site.opens(f"{KITCHEN}/staff/{site.staff[Role.OWNER]}")
    assert owner.text.count(" ".join(name.split())) >= 3  # the kitchen, the person, and what is done to them


# --- Adding a kitchen -------------------------------------------------------------------------------

BEP_HOA = {"code": "bep-hoa", "name": "Bếp Hoa", "owner": "Hoa", "phone": "0912345678", "locale": "vi"}


async def test_a_kitchen_is_added(site: Site) -> None:
    """As the command line does it, and it is written down."""
    await sign_in(site)
    page = await presses(site, "/ops/partners/_new", "/ops/partners/_new", **BEP_HOA, email="")
    assert page.url.endswith("/ops/partners/bep-hoa?done=added")
    assert "Đã thêm quán" in page.text
    kitchen = await partners.by_code(site.database.pool, "bep-hoa")
    (hoa,) = await staff.staff_of(site.database.pool, kitchen.id)
    assert (hoa.name, hoa.role, hoa.addresses[0].value) == ("Hoa", Role.OWNER, "+84912345678")
    assert await deeds(site) == [
        {
            "who": HA,
            "via": "console",
            "deed": "partner.added",
            "about": "bep-hoa",
            "reason": "",
            "data": {},
        }
    ]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"code": "com-nha-lan"}, "Đã có quán dùng mã này"),
        ({"code": "Bếp Hoa"}, "Mã quán chỉ gồm"),
        ({"code": "_new"}, "Mã quán chỉ gồm"),
        ({"name": ""}, "Nhập tên"),
        ({"phone": "12"}, "Số điện thoại chưa đúng"),
        ({"locale": "fr"}, "Chọn một ngôn ngữ"),
    ],
    ids=["taken", "no slug", "a path", "no name", "no phone", "no language"],
)
async def test_what_is_wrong_with_a_new_kitchen_is_said(site: Site, typed: dict[str, str], told: str) -> None:
    """In place, with what was typed, and nothing is added."""
    await sign_in(site)
    page = await presses(site, "/ops/partners/_new", "/ops/partners/_new", **{**BEP_HOA, **typed})
    assert (page.status, told in page.text) == (422, True)
    assert await site.counted("partners") == 1
    assert await deeds(site) == []


# --- What is done to a kitchen ----------------------------------------------------------------------


async def test_a_kitchen_is_paused_with_a_reason_and_resumed(site: Site) -> None:
    """Its people and platforms are told, and both are written down."""
    await sign_in(site)
    page = await presses(
        site, KITCHEN, f"{KITCHEN}/pause", until="2026-11-26", reason="Bếp cháy, chủ quán gọi"
    )
    assert "Quán đang nghỉ, không nhận đơn mới đến 00:00 thứ Sáu 27/11." in page.text
    assert "Đang nghỉ đến 00:00 thứ Sáu 27/11" in (await site.opens("/ops/partners")).text
    page = await presses(site, KITCHEN, f"{KITCHEN}/resume", reason="Đã sửa xong")
    assert "Quán nhận đơn lại" in page.text
    assert "Quán đang nghỉ" not in page.text
    told = [(deed["deed"], deed["about"], deed["reason"]) for deed in await deeds(site)]
    assert told == [
        ("partner.paused", "com-nha-lan", "Bếp cháy, chủ quán gọi"),
        ("partner.resumed", "com-nha-lan", "Đã sửa xong"),
    ]
    kinds = await site.database.pool.fetch("SELECT kind FROM notices ORDER BY owed_at")
    assert [row["kind"] for row in kinds] == ["kitchen_paused", "kitchen_resumed"]
    by = await site.database.pool.fetchval("SELECT by FROM partner_events WHERE number = 1")
    assert (by["via"], by["name"]) == ("operator", "ha")


@pytest.mark.parametrize(
    ("until", "reason", "told"),
    [
        ("2026-11-26", "  ", "Ghi lý do"),
        ("2026-11-26", "x" * 301, "Lý do dài quá"),
        ("2026-11-20", "vì", "Chọn hôm nay"),
        ("mai", "vì", "Ngày chưa đúng"),
        ("2029-01-01", "vì", "trong vòng một năm"),
    ],
    ids=["no reason", "a long one", "yesterday", "no day", "far away"],
)
async def test_a_pause_that_cannot_be_is_refused(site: Site, until: str, reason: str, told: str) -> None:
    """In words, and nothing is written down."""
    await sign_in(site)
    page = await presses(site, KITCHEN, f"{KITCHEN}/pause", until=until, reason=reason)
    assert (page.status, told in page.text) == (422, True)
    assert await deeds(site) == []


async def test_settings_are_changed(site: Site) -> None:
    """What differs is written down, before and after."""
    await sign_in(site)
    typed = {"from": "22:00", "to": "06:00", "sheet": "05:30", "locale": "en", "timezone": "Asia/Ho_Chi_Minh"}
    page = await presses(site, KITCHEN, f"{KITCHEN}/settings", **typed)
    assert "Đã lưu" in page.text
    kitchen = await partners.by_code(site.database.pool, "com-nha-lan")
    assert (kitchen.locale, kitchen.sheet_at) == ("en", time(5, 30))
    assert kitchen.quiet == (time(22), time(6))
    (deed,) = await deeds(site)
    assert deed["deed"] == "partner.changed"
    assert deed["data"] == {
        "locale": ["vi", "en"],
        "quiet": [None, "22:00-06:00"],
        "sheet_at": [None, "05:30"],
    }


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"from": "22:00", "to": ""}, "Điền cả giờ bắt đầu"),
        ({"from": "22:00", "to": "22:00"}, "phải khác nhau"),
        ({"sheet": "sáng"}, "Giờ chưa đúng"),
        ({"timezone": "Mars/Base"}, "Múi giờ chưa đúng"),
        ({"locale": "fr"}, "Chọn một ngôn ngữ"),
    ],
    ids=["half", "empty", "no hour", "no zone", "no language"],
)
async def test_settings_that_cannot_be_are_refused(site: Site, typed: dict[str, str], told: str) -> None:
    """In words, with what was typed."""
    await sign_in(site)
    usual = {"from": "", "to": "", "sheet": "06:00", "locale": "vi", "timezone": "Asia/Ho_Chi_Minh"}
    page = await presses(site, KITCHEN, f"{KITCHEN}/settings", **{**usual, **typed})
    assert (page.status, told in page.text) == (422, True)
    assert await deeds(site) == []


# --- Its people -------------------------------------------------------------------------------------


def page_of(site: Site, role: Role) -> str:
    """Return the path of a member's page."""
    return f"{KITCHEN}/staff/{site.staff[role]}"


async def test_somebody_is_added_changed_and_let_go(site: Site) -> None:
    """Each step is written down with its reason."""
    await sign_in(site)
    new = f"{KITCHEN}/staff/_new"
    page = await presses(site, new, new, name="Bình", role="kitchen", phone="0912 345 678", email="")
    path = page.url.split("?")[0].removeprefix(str(site.client.make_url("")).rstrip("/"))
    page = await presses(site, path, path, role="manager")
    assert "Đã lưu" in page.text
    page = await presses(site, path, f"{path}/address", address="binh@example.com")
    assert "binh@example.com" in page.text
    page = await presses(site, path, f"{path}/address/end")
    assert "0912345678" not in page.text
    page = await presses(site, path, f"{path}/remove", reason="Nghỉ việc")
    assert "Đã cho nghỉ" in page.text
    assert [(deed["deed"], deed["about"], deed["reason"], deed["data"]) for deed in await deeds(site)] == [
        ("staff.added", "com-nha-lan", "", {"role": "kitchen"}),
        ("staff.changed", "com-nha-lan", "", {"role": ["kitchen", "manager"]}),
        ("staff.address_added", "com-nha-lan", "", {"address": "b•••@example.com"}),
        ("staff.address_taken", "com-nha-lan", "", {"address": "09•••678"}),
        ("staff.removed", "com-nha-lan", "Nghỉ việc", {}),
    ]


async def test_the_last_owner_stays(site: Site) -> None:
    """Nobody else could run the kitchen."""
    await sign_in(site)
    path = page_of(site, Role.OWNER)
    page = await presses(site, path, f"{path}/remove", reason="Nghỉ việc")
    assert (page.status, "chủ quán cuối cùng" in page.text) == (422, True)
    page = await presses(site, path, path, role="kitchen")
    assert page.status == 422
    assert (await StaffRow.get(id=site.staff[Role.OWNER])).role == "owner"
    assert await deeds(site) == []


async def test_a_member_of_another_kitchen_is_not_reached_through_this_one(site: Site) -> None:
    """The address names both, and both must fit."""
    await sign_in(site)
    await presses(site, "/ops/partners/_new", "/ops/partners/_new", **BEP_HOA)
    assert (await site.opens(f"/ops/partners/bep-hoa/staff/{site.staff[Role.OWNER]}")).status == 404


async def test_an_invitation_and_a_sign_in_link_work_once_shown(site: Site) -> None:
    """The link that signs in asks for a reason; neither link stands in the record."""
    await sign_in(site)
    path = page_of(site, Role.OWNER)
    invite = await presses(site, path, f"{path}/link")
    url = re.search(r"http://chotdon.example(/invite/[^<\s]+)", invite.html)
    assert url
    assert "Lan" in (await site.opens(url[1])).text
    nonce = {"nonce": re.findall(r'name="nonce" value="([^"]+)"', (await site.opens(path)).html)[0]}
    refused = await site.sends(f"{path}/link", {**nonce, "purpose": "login", "reason": ""})
    assert (refused.status, "Ghi lý do" in refused.text) == (422, True)
    login = await site.sends(f"{path}/link", {**nonce, "purpose": "login", "reason": "Mất máy, đã gọi lại"})
    found = re.search(r"http://chotdon.example/login/([^<\s]+)", login.html)
    assert found
    link = await one_time_links.look(
        site.database.pool, site.signer.read_one_time(found[1]), LinkPurpose.LOGIN, now=site.now
    )
    assert link is not None
    assert (link.staff.name, link.via) == ("Lan", "operator")
    told = await deeds(site)
    assert [(deed["deed"], deed["reason"]) for deed in told] == [
        ("staff.invite_link_made", ""),
        ("staff.login_link_made", "Mất máy, đã gọi lại"),
    ]
    assert found[1] not in str(told)


async def test_codes_are_drawn_to_be_told_by_phone(site: Site) -> None:
    """For every chat that is on, and the record does not hold them."""
    await sign_in(site)
    path = page_of(site, Role.KITCHEN)
    page = await presses(site, path, f"{path}/codes")
    code = re.search(r"LK (\d{6})", page.text)
    assert code
    told = await deeds(site)
    assert [deed["deed"] for deed in told] == ["staff.link_codes_drawn"]
    assert code[1] not in str(told)


async def test_somebody_is_signed_out_everywhere_and_that_is_on_record(site: Site) -> None:
    """A phone was lost: its session opens nothing any more."""
    await site.signs_in(Role.OWNER)
    await sign_in(site)
    path = f"{KITCHEN}/staff/{site.staff[Role.OWNER]}"
    page = await presses(site, path, f"{path}/out")
    assert page.status == 200
    living = await site.database.pool.fetchval("SELECT count(*) FROM sessions WHERE ended_at IS NULL")
    assert living == 0
    assert [deed["deed"] for deed in await deeds(site)] == ["staff.signed_out"]
