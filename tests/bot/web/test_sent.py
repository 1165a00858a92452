"""The order page's "Tin đã gửi": who was told of the order, by which way, and what became of it."""

import re

import pytest

from bot.tokens import Bearer
from core.actors import Role
from core.orders.order import Order
from core.partners.models import PartnerRow
from tests.bot.web.conftest import MORNING, Answered, Site
from tests.bot.web.sending import MESSAGES, tells


def section(page: Answered) -> str:
    """Return what stands in the section, as it is read."""
    found = re.search(r'<details class="sheet sent">.*?</details>', page.html, re.DOTALL)
    return Answered(page.status, found[0], {}, page.url).text if found else ""


@pytest.fixture
async def told(site: Site) -> Order:
    """Return an order about which messages of every sort were sent."""
    order = await site.places()
    await tells(site, order, *MESSAGES)
    return order


async def test_every_attempt_stands_there_the_newest_first(site: Site, told: Order) -> None:
    """What, what became of it, who, by which way."""
    shown = section(await site.opens(site.path(told)))
    said = [
        f"Tin đã gửi {len(MESSAGES)}",
        "Báo đánh giá · bị từ chối Minh · Zalo",
        "Báo động tổng đài · đang chờ gửi Tổng đài · thư",
        "Báo khách đơn huỷ · chưa gửi được, sẽ thử lại Khách · thư",
        "Báo đơn đổi · chưa rõ đã đến chưa · 1.640 đ Tú · SMS",
        "Nhắc xác nhận · đã đến máy · 820 đ Lan · SMS",
        "Báo đơn mới · không liên lạc được Lan · Zalo",
    ]
    places = [shown.find(words) for words in said]
    assert -1 not in places, [words for words, at in zip(said, places, strict=True) if at == -1]
    assert places == sorted(places)


async def test_nobody_s_address_stands_there(site: Site, told: Order) -> None:
    """Not of colleagues, not of the customer, not of operators; enough of it to know which one it was."""
    page = await site.opens(site.path(told))
    for message in MESSAGES:
        assert message.address not in page.html
        assert message.address.removeprefix("+84") not in page.html
    assert "•••" in section(page)
    assert "567" in section(page)


@pytest.mark.parametrize(
    ("role", "sees_cost"),
    [(Role.OWNER, True), (Role.MANAGER, True), (Role.CASHIER, True), (Role.KITCHEN, False)],
    ids=lambda value: value.value if isinstance(value, Role) else str(value),
)
async def test_costs_are_for_whoever_sees_money(
    site: Site, told: Order, role: Role, *, sees_cost: bool
) -> None:
    """A cook sees what was sent, and no đồng."""
    shown = section(await site.opens(site.path(told, role=role)))
    assert "Nhắc xác nhận · đã đến máy" in shown
    assert ("820 đ" in shown, "1.640 đ" in shown) == (sees_cost, sees_cost)


async def test_a_customer_does_not_see_it(site: Site, told: Order) -> None:
    """Who of the kitchen was told, and how, is not theirs to know."""
    page = await site.opens(site.path(told, role=None, bearer=Bearer.CUSTOMER))
    assert page.status == 200
    assert f"Đơn {told.code}" in page.text
    assert "Tin đã gửi" not in page.html
    assert "Nhắc xác nhận" not in page.html


async def test_who_has_left_does_not_see_it(site: Site, told: Order) -> None:
    """A link dies with its holder's leave."""
    path = site.path(told, role=Role.CASHIER)
    assert section(await site.opens(path))
    await site.leaves(Role.CASHIER)
    assert "Nhắc xác nhận" not in (await site.opens(path)).html


async def test_without_a_message_there_is_no_such_section(site: Site) -> None:
    """Nothing to open, nothing to count."""
    assert section(await site.opens(site.path(await site.places()))) == ""


async def test_it_is_read_in_english_too(site: Site, told: Order) -> None:
    """No Vietnamese word is left in it but names."""
    await PartnerRow.filter(id=site.partner_id).update(locale="en")
    shown = section(await site.opens(site.path(told)))
    for words in ("Tin đã gửi", "Nhắc", "Báo", "đã", "Khách", "Tổng đài", "thư"):
        assert words not in shown
    assert f"{MORNING:%Y}" not in shown  # this year needs no telling
