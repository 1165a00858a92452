"""An order's page for who is signed in: everything of it, and what may be done about it."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from core.actors import Role, Via
from core.orders.commands import ConfirmOrder
from core.orders.models import OrderRow
from core.orders.order import Order
from core.orders.status import Status
from core.partners.models import PartnerRow, StaffRow
from tests.bot.web.conftest import MORNING, NOON, Answered, Site
from tests.bot.web.sending import MESSAGES, tells


async def presses(site: Site, path: str, action: str, **fields: str) -> Answered:
    """Open a page, and send its form for this deed with these fields beside its own."""
    page = await site.opens(path)
    form = re.search(rf'action="([^"]+/{action})".*?</form>', page.html, re.DOTALL)
    assert form, f"no form to {action}"
    own = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    return await site.sends(unescape(form[1]), {**{k: unescape(v) for k, v in own.items()}, **fields})


async def test_everything_of_an_order_is_there(site: Site) -> None:
    """Dishes, money, history, every attempt to tell somebody, and the review."""
    order = await site.completed()
    await tells(site, order, *MESSAGES)
    await site.signs_in(Role.OWNER)
    text = (await site.opens(f"/orders/{order.code}")).text
    for part in ("20 × Cơm gà", "2.450.000 đ", "Xác nhận đơn · Minh qua Zalo", "Nhắc xác nhận", "★★★★☆"):
        assert part in text


async def test_confirming_leads_back_to_what_happened(site: Site) -> None:
    """By whom and by which way is on record; once, however often the form is sent."""
    order = await site.places()
    await site.signs_in(Role.MANAGER)
    told = await presses(site, f"/orders/{order.code}", "confirm")
    assert told.url.partition("?")[0].endswith(f"/orders/{order.code}")
    assert "Giao xong, bấm Hoàn thành" in told.text
    now = await site.order(order.id)
    assert (now.status, now.status_changed_by.via, now.status_changed_by.name) == (
        Status.CONFIRMED,
        Via.WEB,
        "Minh",
    )
    assert "Hôm nay" not in told.text or now.version == 2


async def test_cancelling_asks_for_a_reason(site: Site) -> None:
    """Without one nothing is done, with one the order is cancelled."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    asked = await presses(site, f"/orders/{order.code}", "cancel")
    assert (asked.status, "Đơn chưa bị huỷ." in asked.text) == (422, True)
    assert (await site.order(order.id)).status is Status.PENDING
    await presses(site, f"/orders/{order.code}", "cancel", reason="1")
    assert (await site.order(order.id)).status is Status.CANCELLED


async def test_completing_from_the_page(site: Site) -> None:
    """From the time of delivery on."""
    order = await site.confirmed()
    await site.goes_to(NOON)
    await site.signs_in(Role.KITCHEN)
    assert "Hoàn thành" in (await presses(site, f"/orders/{order.code}", "complete")).text
    assert (await site.order(order.id)).status is Status.COMPLETED


async def test_a_cashier_sees_and_does_not_act(site: Site) -> None:
    """There is no form, and a forged one changes nothing."""
    order = await site.places()
    await site.signs_in(Role.KITCHEN)
    kitchens = await site.opens(f"/orders/{order.code}")
    await site.signs_in(Role.CASHIER)
    page = await site.opens(f"/orders/{order.code}")
    assert kitchens.offers("confirm")
    assert not page.offers("confirm")
    assert "2.450.000" not in kitchens.text
    assert "2.450.000" in page.text
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.html)
    assert nonce
    fields = {"nonce": unescape(nonce[1]), "order": str(order.id), "revision": "1"}
    await site.sends(f"/orders/{order.code}/confirm", fields)
    assert (await site.order(order.id)).status is Status.PENDING


async def test_a_form_of_an_older_content_does_nothing(site: Site) -> None:
    """What changed after the page was opened is looked at first."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    await site.changed(order, note="Giao cổng trước")
    await presses(site, f"/orders/{order.code}", "confirm", revision="1")
    assert (await site.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize(
    "revision", ["", "-1", "x", "9" * 20, "²"], ids=["none", "minus", "word", "huge", "sign"]
)
async def test_a_form_without_a_revision_is_none(site: Site, revision: str) -> None:
    """It is answered as a fault of the sender."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    assert (await presses(site, f"/orders/{order.code}", "confirm", revision=revision)).status == 400


async def test_a_nonce_of_another_session_is_none(site: Site) -> None:
    """A form that was made for somebody else is refused, so is one of another site."""
    order = await site.places()
    await site.signs_in(Role.MANAGER)
    page = await site.opens(f"/orders/{order.code}")
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.html)
    assert nonce
    fields = {"nonce": unescape(nonce[1]), "order": str(order.id), "revision": "1"}
    foreign = await site.sends(f"/orders/{order.code}/confirm", fields, Origin="http://elsewhere.example")
    await site.signs_in(Role.OWNER)
    assert (await site.sends(f"/orders/{order.code}/confirm", fields)).status == 403
    assert foreign.status == 403
    assert (await site.order(order.id)).status is Status.PENDING


async def _twin(site: Site, order: Order) -> Order:
    """Return a newer order that has the same code."""
    newer = await site.places(deliver_at=NOON + timedelta(days=40))
    await OrderRow.filter(id=newer.id).update(code=order.code, placed_at=order.placed_at + timedelta(days=35))
    return await site.order(newer.id)


async def test_a_code_means_the_newest_order(site: Site) -> None:
    """The older ones of the code are a link away, and act on themselves only."""
    older = await site.places()
    newer = await _twin(site, older)
    await site.signs_in(Role.OWNER)
    page = await site.opens(f"/orders/{older.code}")
    assert f"?order={older.id}" in page.html
    assert "Đơn khác cùng mã" in page.text
    await presses(site, f"/orders/{older.code}?order={older.id}", "confirm")
    statuses = [(await site.order(order.id)).status for order in (older, newer)]
    assert statuses == [Status.CONFIRMED, Status.PENDING]


@pytest.mark.parametrize(
    "path",
    ["/orders/00000", "/orders/{code}?order=x", "/orders/{code}?order={other}", "/orders/{wrong}?order={id}"],
)
async def test_an_order_that_is_none(site: Site, path: str) -> None:
    """A code of nobody, an id of nobody, and an id under a wrong code are not found."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    wrong = f"{(int(order.code) + 1) % 100_000:05}"
    asked = path.format(code=order.code, other=uuid4(), wrong=wrong, id=order.id)
    assert (await site.opens(asked)).status == 404


async def test_a_neighbours_order_is_not_found(site: Site) -> None:
    """Neither by code nor by id, and no form acts on it."""
    order = await site.places()
    partner_id, owner = uuid4(), uuid4()
    await PartnerRow.create(id=partner_id, code="hoa", name="Quán Hoa", created_at=MORNING)
    await StaffRow.create(id=owner, partner_id=partner_id, name="Bình", role="owner", added_at=MORNING)
    site.staff[Role.OWNER] = owner
    await site.signs_in(Role.OWNER)
    assert (await site.opens(f"/orders/{order.code}")).status == 404
    assert (await site.opens(f"/orders/{order.code}?order={order.id}")).status == 404
    nonce = re.search(r'name="nonce" value="([^"]+)"', (await site.opens("/orders")).html)
    assert nonce
    fields = {"nonce": unescape(nonce[1]), "order": str(order.id), "revision": "1"}
    assert (await site.sends(f"/orders/{order.code}/confirm", fields)).status == 404
    assert (await site.order(order.id)).status is Status.PENDING


async def test_an_old_order_is_masked(site: Site) -> None:
    """Thirty days after delivery the page is still there, the customer is not."""
    order = await site.completed()
    await site.goes_to(NOON + timedelta(days=31))
    await site.signs_in(Role.OWNER)
    text = (await site.opens(f"/orders/{order.code}")).text
    assert "Nguyễn Văn An" not in text
    assert "0909123456" not in text
    assert "12 Lê Lợi" not in text


async def test_a_group_card_leads_here_after_the_sign_in(site: Site) -> None:
    """Its link has no person in it: whoever opens it signs in first."""
    order = await site.places()
    page = await site.opens(f"/orders/{order.code}")
    assert f"next=/orders/{order.code}" in unescape(page.url)


async def test_what_a_colleague_did_shows(site: Site) -> None:
    """Whoever comes second reads who was first."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    await site.does(ConfirmOrder(order.id))
    assert "đã được Minh xác nhận lúc 08:10 qua Zalo" in (await site.opens(f"/orders/{order.code}")).text
