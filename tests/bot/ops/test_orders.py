"""An order before an operator: who ordered is masked, and what is done to it is done once and on record."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from core.actors import Role
from core.channels import AddressKind
from core.orders.commands import ChangeOrder, ConfirmOrder
from core.orders.order import Order
from core.orders.status import Status
from tests.bot.ops.conftest import MINH, TRUC, fields_of, fills, record, signs_in
from tests.bot.web.conftest import NOON, Answered, Site
from tests.bot.web.signing import LANS_PHONE, known_at

PRIVATE = ("Nguyễn Văn An", "+84909123456", "0909123456", "an@example.com", "12 Lê Lợi")


def page_of(order: Order) -> str:
    """Return where the order is."""
    return f"/ops/orders/{order.id}"


async def acts(site: Site, order: Order, action: str, reason: str = "Chị Lan gọi điện") -> Answered:
    """Open the order, say why and press."""
    return await fills(site, page_of(order), f"{page_of(order)}/{action}", reason=reason)


def told_of(page: Answered) -> list[str]:
    """Return what stands on a page of what nobody should see unasked."""
    return [piece for piece in PRIVATE if piece in page.html]


async def test_the_whole_order_is_shown_without_its_customer(site: Site) -> None:
    """Dishes, money, the platform's id; of who ordered only what a colleague would recognise."""
    order = await site.places()
    await signs_in(site)
    page = await site.opens(page_of(order))
    assert page.status == 200
    for words in (order.code, "Chờ xác nhận", "Cơm gà", "2.450.000 đ", "N••• V•• A•", "•••, TP.HCM"):
        assert words in page.text, words
    assert order.external_id in page.text
    assert told_of(page) == []


async def test_a_confirmed_order_does_not_show_its_customer_either(site: Site) -> None:
    """The kitchen may call; an operator says why first. Changes of the address are masked as well."""
    order = await site.places()
    await site.ledger.submit(
        ChangeOrder(order.id, address="34 Hai Bà Trưng, Quận 3, TP.HCM"), actor=site.platform
    )
    await site.does(ConfirmOrder(order.id))
    await signs_in(site)
    page = await site.opens(page_of(order))
    assert told_of(page) == []
    assert "Hai Bà Trưng" not in page.html


async def test_a_phone_in_a_note_is_masked_too(site: Site) -> None:
    """Platforms write into it what customers write to them: the order's note, a dish's, and what each was."""
    order = await site.places()
    changes = (
        ChangeOrder(order.id, note="Gọi 0909 123 456 trước khi giao"),
        ChangeOrder(order.id, items=(replace(order.items[0], note="Ít cay, hỏi 0909123456"),)),
        ChangeOrder(order.id, items=(replace(order.items[0], note="Không cay, hỏi 0911.222.333"),)),
    )
    for change in changes:
        await site.ledger.submit(change, actor=site.platform)
    await signs_in(site)
    page = await site.opens(page_of(order))
    for shown in ("trước khi giao", "Ít cay, hỏi •••", "Không cay, hỏi •••"):
        assert shown in page.text
    for hidden in ("0909 123 456", "0909123456", "0911.222.333"):
        assert hidden not in page.html


async def test_news_of_an_order_are_for_operators(site: Site) -> None:
    """Whoever is not signed in learns nothing, not even when it changes."""
    order = await site.places()
    async with site.client.get(f"{page_of(order)}/live") as response:
        assert response.status == 404
    await signs_in(site)
    async with site.client.get(f"{page_of(order)}/live") as response:
        assert response.status == 200


async def test_what_a_colleague_was_answered_is_not_told_to_others(site: Site) -> None:
    """The address of their page names their form: before another session it says nothing."""
    order = await site.places()
    await signs_in(site, TRUC)
    theirs = await acts(site, order, "confirm")
    told = "Quán và mọi nền tảng được báo ngay."
    assert told in theirs.text
    place = urlsplit(theirs.url)
    await signs_in(site, MINH)
    assert told not in (await site.opens(f"{place.path}?{place.query}")).text


async def test_who_ordered_is_shown_for_a_reason_that_is_put_on_record(site: Site) -> None:
    """And only this once, the page itself stays masked."""
    order = await site.places()
    await signs_in(site)
    shown = await fills(site, page_of(order), f"{page_of(order)}/reveal", reason="  Khách gọi\nhỏi đơn ")
    assert told_of(shown) == list(PRIVATE)
    (deed,) = await record(site)
    assert (deed["who"], deed["deed"], deed["about_id"]) == (MINH, "customer.shown", order.id)
    assert (deed["about"], deed["reason"]) == (f"com-nha-lan/{order.code}", "Khách gọi hỏi đơn")
    assert told_of(await site.opens(page_of(order))) == []


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 2_000], ids=["empty", "blank", "long"])
async def test_without_a_reason_nothing_is_shown_and_nothing_is_done(site: Site, reason: str) -> None:
    """It is asked for again, in the same place."""
    order = await site.places()
    await signs_in(site)
    for deed in ("reveal", "confirm", "cancel"):
        answered = await fills(site, page_of(order), f"{page_of(order)}/{deed}", reason=reason)
        assert answered.status == 422
        assert "Chưa có gì được làm" in answered.text
        assert told_of(answered) == []
    assert await record(site) == []
    assert (await site.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize(
    ("action", "status", "deed"),
    [
        ("confirm", Status.CONFIRMED, "order.confirmed"),
        ("cancel", Status.CANCELLED, "order.cancelled"),
    ],
)
async def test_an_operator_acts_for_the_kitchen(site: Site, action: str, status: Status, deed: str) -> None:
    """The order moves, its history says who and why, and so does the record."""
    order = await site.places()
    await signs_in(site)
    page = await acts(site, order, action)
    moved = await site.order(order.id)
    assert (moved.status, moved.status_changed_by.name) == (status, "minh")
    assert page.url.partition("?")[0].endswith(page_of(order))
    assert "Chị Lan gọi điện" in page.text
    (written,) = await record(site)
    assert (written["who"], written["via"], written["deed"]) == (MINH, "console", deed)
    assert (written["about_id"], written["reason"]) == (order.id, "Chị Lan gọi điện")
    assert written["at"] == moved.status_changed_at
    told = await site.database.pool.fetchval(
        "SELECT data -> 'reason' FROM events WHERE order_id = $1 ORDER BY version DESC LIMIT 1", order.id
    )
    assert told == {"code": None, "text": "Chị Lan gọi điện"}


async def test_an_operator_completes_a_delivered_order(site: Site) -> None:
    """Too early it is told from when on; nothing is put on record that was not done."""
    order = await site.confirmed()
    await signs_in(site)
    early = await acts(site, order, "complete")
    assert (await site.order(order.id)).status is Status.CONFIRMED
    assert await record(site) == []
    assert "10:30" in early.text
    await site.goes_to(NOON)
    await signs_in(site)
    await acts(site, order, "complete")
    assert (await site.order(order.id)).status is Status.COMPLETED
    assert [deed["deed"] for deed in await record(site)] == ["order.completed"]


async def test_a_form_that_is_sent_twice_acts_once(site: Site) -> None:
    """Both times the page says what came of it."""
    order = await site.places()
    await signs_in(site)
    page = await site.opens(page_of(order))
    action = f"{page_of(order)}/confirm"
    fields = {**fields_of(page, action), "reason": "Chị Lan gọi điện"}
    first, second = await site.sends(action, fields), await site.sends(action, fields)
    assert first.text == second.text
    assert len(await record(site)) == 1
    assert (
        await site.database.pool.fetchval("SELECT count(*) FROM events WHERE type = 'order.confirmed'") == 1
    )


async def test_of_two_operators_at_once_one_acts(site: Site) -> None:
    """The other is told who was quicker; the order moves once."""
    order = await site.places()
    action = f"{page_of(order)}/confirm"
    forms = []
    for email in (MINH, TRUC):
        secret = await signs_in(site, email)
        fields = fields_of(await site.opens(page_of(order)), action)
        forms.append((secret, {**fields, "reason": email}))
    site.client.session.cookie_jar.clear()

    async def sends(secret: str, fields: dict[str, str]) -> int:
        headers = {"Cookie": f"chotdon-ops={secret}"}
        async with site.client.post(action, data=fields, headers=headers, allow_redirects=False) as answer:
            return answer.status

    assert await asyncio.gather(*(sends(*form) for form in forms)) == [303, 303]
    deeds = await record(site)
    assert len(deeds) == 1
    assert (await site.order(order.id)).status_changed_by.name == deeds[0]["who"].partition("@")[0]


async def test_who_comes_too_late_is_told_who_was_quicker(site: Site) -> None:
    """A button of a page that has been open since before does no harm."""
    order = await site.places()
    await signs_in(site)
    page = await site.opens(page_of(order))
    await site.does(ConfirmOrder(order.id))
    action = f"{page_of(order)}/confirm"
    late = await site.sends(action, {**fields_of(page, action), "reason": "Gọi rồi"})
    assert "Minh" in late.text
    assert await record(site) == []


async def test_a_colleagues_form_does_nothing(site: Site) -> None:
    """A form is made for one session, and for nobody without one."""
    order = await site.places()
    await signs_in(site, TRUC)
    action = f"{page_of(order)}/confirm"
    theirs = fields_of(await site.opens(page_of(order)), action)
    await signs_in(site, MINH)
    for fields in (theirs, {}, {"nonce": ""}, {"nonce": "x" * 500}):
        assert (await site.sends(action, {**fields, "reason": "x"})).status == 403
    other = await site.sends(action, {**theirs, "reason": "x"}, Origin="http://evil.test")
    assert other.status == 403
    site.client.session.cookie_jar.clear()
    assert "Email trực ca" in (await site.sends(action, {**theirs, "reason": "x"})).text
    assert (await site.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize(
    "order", ["x", "%00", str(UUID(int=7)), "1" * 500], ids=["word", "nul", "nobody's", "long"]
)
async def test_what_is_no_order_is_not_found(site: Site, order: str) -> None:
    """In a page that people can read."""
    await signs_in(site)
    for path in (f"/ops/orders/{order}", f"/ops/orders/{order}/live"):
        answered = await site.opens(path)
        assert answered.status == 404 or not answered.html.replace("retry: 5000", "").strip(), path


async def test_a_strange_parameter_of_what_was_answered_tells_nothing(site: Site) -> None:
    """Only a nonce of this session is looked up."""
    order = await site.places()
    await signs_in(site)
    for answered in ("confirm.x", "x.y", ".", "confirm." + "x" * 400, "\u0000"):
        async with site.client.get(page_of(order), params={"answered": answered}) as response:
            assert response.status == 200


async def test_whom_to_phone_stands_beside_what_can_be_done(site: Site) -> None:
    """The kitchen's people with a number, as a phone dials it; where nobody has one it says so."""
    order = await site.places()
    await signs_in(site)
    assert "Không ai trong quán có số điện thoại." in (await site.opens(page_of(order))).text
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    page = await site.opens(page_of(order))
    assert f'href="tel:{LANS_PHONE}">Gọi 0{LANS_PHONE.removeprefix("+84")}</a>' in page.html
    assert "Lan Chủ quán Nhắc lại quán" in page.text


async def test_an_operator_is_not_told_what_a_kitchen_should_do(site: Site) -> None:
    """Who hears of it instead: a cook is told to stop cooking, the one at the desk is not cooking."""
    order = await site.places()
    await signs_in(site)
    confirmed = await acts(site, order, "confirm")
    assert "Quán và mọi nền tảng được báo ngay." in confirmed.text
    assert "bấm Hoàn thành" not in confirmed.text
    cancelled = await acts(site, order, "cancel", "Bếp mất điện")
    assert "Lý do: Bếp mất điện Quán, khách và mọi nền tảng được báo ngay." in cancelled.text
    assert "Đừng làm" not in cancelled.text
    assert "Đừng làm" not in (await site.opens(page_of(order))).text
