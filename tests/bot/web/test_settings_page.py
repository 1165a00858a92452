"""Settings: one's own for everybody, the kitchen's for owners and managers."""

import re
from datetime import time, timedelta
from uuid import uuid4

import pytest

from core.actors import Role
from core.partners import partners, sessions
from core.partners.models import StaffRow
from core.partners.partners import Partner
from core.settings import Settings
from tests.bot.web.conftest import Answered, Site, settings_for
from tests.bot.web.signing import fields_of

ZALO = {"zalo_app_id": "1", "zalo_app_secret": "s", "zalo_oa_id": "4567", "zalo_oa_secret": "o"}


@pytest.fixture
def settings() -> Settings:
    """Return settings with Zalo."""
    return settings_for(**ZALO)


async def sets(site: Site, what: str, **fields: str) -> Answered:
    """Send one form of the settings with a nonce of this session."""
    nonce = fields_of(await site.opens("/settings"), "/logout")["nonce"]
    return await site.sends(f"/settings/{what}", {"nonce": nonce, **fields})


async def kitchen(site: Site) -> Partner:
    """Return the kitchen as it is now."""
    return await partners.by_id(site.database.pool, site.partner_id)


@pytest.mark.parametrize("role", Role)
async def test_everybody_chooses_a_language(site: Site, role: Role) -> None:
    """Their own, and the page speaks it at once."""
    await site.signs_in(role)
    page = await sets(site, "language", locale="en")
    assert "Settings" in page.text
    assert (await StaffRow.get(id=site.staff[role])).locale == "en"
    assert await StaffRow.filter(partner_id=site.partner_id, locale="en").count() == 1


@pytest.mark.parametrize(
    ("what", "fields", "told"),
    [
        ("language", {"locale": "fr"}, "Chọn một ngôn ngữ"),
        ("language", {}, "Chọn một ngôn ngữ"),
        ("quiet", {"from": "22:00", "to": ""}, "Điền cả giờ bắt đầu"),
        ("quiet", {"from": "22:00", "to": "22:00"}, "phải khác nhau"),
        ("quiet", {"from": "25:00", "to": "06:00"}, "Giờ chưa đúng"),
        ("sheet", {"at": "sáu giờ"}, "Giờ chưa đúng"),
        ("pause", {"until": "2026-11-23"}, "hôm nay hoặc một ngày sau"),
        ("pause", {"until": "2020-01-01"}, "hôm nay hoặc một ngày sau"),
        ("pause", {"until": "9999-12-31"}, "trong vòng một năm"),
        ("pause", {"until": "mai"}, "Ngày chưa đúng"),
        ("pause", {"until": ""}, "Ngày chưa đúng"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "-".join(value.values()) or "none",
)
async def test_what_is_wrong_is_said_in_place(
    site: Site, what: str, fields: dict[str, str], told: str
) -> None:
    """And nothing is changed."""
    await site.signs_in(Role.OWNER)
    before = await kitchen(site)
    page = await sets(site, what, **fields)
    assert page.status == 422
    assert told in page.text
    assert await kitchen(site) == before


async def test_quiet_hours_and_the_morning_sheet(site: Site) -> None:
    """Set and taken away."""
    await site.signs_in(Role.MANAGER)
    await sets(site, "quiet", **{"from": "22:00", "to": "06:30"})
    page = await sets(site, "sheet", at="05:30")
    assert "Đã lưu giờ gửi phiếu buổi sáng." in page.text
    assert (await kitchen(site)).quiet == (time(22), time(6, 30))
    assert (await kitchen(site)).sheet_at == time(5, 30)
    await site.signs_in(Role.CASHIER)
    text = (await site.opens("/settings")).text
    assert "Giờ yên tĩnh: 22:00–06:30" in text
    assert "Phiếu buổi sáng: 05:30" in text
    await site.signs_in(Role.OWNER)
    await sets(site, "quiet", **{"from": "", "to": ""})
    await sets(site, "sheet", at="")
    assert (await kitchen(site)).quiet is None
    assert (await kitchen(site)).sheet_at is None


async def test_the_kitchen_pauses_and_takes_orders_again(site: Site) -> None:
    """Until a day is over for it; platforms hear of both, once each."""
    await site.signs_in(Role.OWNER)
    page = await sets(site, "pause", until="2026-11-26")
    assert "Quán đang nghỉ, không nhận đơn mới đến hết thứ Năm 26/11." in page.text
    paused = (await kitchen(site)).paused_until
    assert paused is not None
    assert paused.isoformat() == "2026-11-26T17:00:00+00:00"
    page = await sets(site, "resume")
    assert "Quán đang nhận đơn." in page.text
    await sets(site, "resume")
    types = [row["type"] for row in await site.database.pool.fetch("SELECT type FROM partner_events")]
    assert types == ["partner.paused", "partner.resumed"]


@pytest.mark.parametrize("role", [Role.KITCHEN, Role.CASHIER])
async def test_cooks_and_cashiers_change_nothing_of_the_kitchen(site: Site, role: Role) -> None:
    """They see how it is."""
    await site.signs_in(role)
    before = await kitchen(site)
    for what in ("quiet", "sheet", "pause", "resume"):
        page = await sets(site, what, until="2026-11-27", at="05:00")
        assert page.status == 403
    assert await kitchen(site) == before
    page = await site.opens("/settings")
    assert 'action="/settings/pause"' not in page.html
    assert "nhờ chủ quán hoặc quản lý" in page.text


async def test_devices_are_listed_and_signed_out(site: Site) -> None:
    """One of them, or all others; this one stays."""
    other = await site.signs_in(Role.OWNER, via="email")
    third = await site.signs_in(Role.OWNER, via="telegram")
    mine = await site.signs_in(Role.OWNER)
    page = await site.opens("/settings")
    assert page.text.count("Chrome · Android") >= 3
    assert "vào bằng mã trong thư" in page.text
    assert "thiết bị này" in page.text
    pool = site.database.pool
    found = await sessions.of_secret(pool, other, now=site.now)
    assert found is not None
    await sets(site, "devices", session=str(found.session.id))
    assert await sessions.of_secret(pool, other, now=site.now) is None
    assert await sessions.of_secret(pool, third, now=site.now) is not None
    await sets(site, "devices", session="others")
    assert await sessions.of_secret(pool, third, now=site.now) is None
    assert await sessions.of_secret(pool, mine, now=site.now) is not None


async def test_nobody_signs_a_colleague_out_here(site: Site) -> None:
    """Whatever id they send."""
    secret = await site.signs_in(Role.MANAGER)
    found = await sessions.of_secret(site.database.pool, secret, now=site.now)
    assert found is not None
    await site.signs_in(Role.KITCHEN)
    for name in (str(found.session.id), str(uuid4()), "x", ""):
        assert (await sets(site, "devices", session=name)).status == 200
    assert await sessions.of_secret(site.database.pool, secret, now=site.now) is not None


async def test_one_links_another_chat_of_ones_own(site: Site) -> None:
    """By a code that is shown once."""
    await site.signs_in(Role.KITCHEN)
    page = await sets(site, "link")
    assert re.search(r"LK [0-9]{6}", page.text)
    linked = await site.database.pool.fetchval("SELECT staff_id FROM link_codes")
    assert linked == site.staff[Role.KITCHEN]


async def test_a_pause_that_is_over_is_none(site: Site) -> None:
    """Also before anybody has looked after it."""
    await site.signs_in(Role.OWNER)
    await sets(site, "pause", until="2026-11-26")
    await site.goes_to(site.now + timedelta(days=3))
    assert "Quán đang nhận đơn." in (await site.opens("/settings")).text
