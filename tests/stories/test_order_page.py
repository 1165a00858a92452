"""The page that a mail's button opens: it shows the order, and acts by POST only."""

from datetime import timedelta
from urllib.parse import urljoin

from core.orders.commands import ConfirmOrder
from tests.stories.browser import Browser, Page
from tests.stories.world import Placed, Somebody, World


async def from_mail(browser: Browser, lan: Somebody, label: str = "Xác nhận đơn hàng") -> Page:
    """Open the page that a button of Lan's newest mail leads to."""
    return await browser.opens(lan.mail.mailbox.inbox(lan.mail.address)[-1].link(label))


async def test_the_button_of_a_mail_opens_the_order(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """With everything a kitchen needs, and forms for what can be done now."""
    page = await from_mail(browser, lan)
    assert page.status == 200
    for text in (f"Đơn {rice.code}", "15:12", "20 suất · 900.000 đ", "Cơm gà", "12 Lê Lợi", "Giao cổng sau"):
        assert text in page.text
    assert set(page.forms) == {"confirm", "cancel"}


async def test_looking_changes_nothing(world: World, rice: Placed, lan: Somebody, browser: Browser) -> None:
    """Mail scanners follow every link, by GET and by HEAD, often."""
    page = await from_mail(browser, lan)
    for method in ("GET", "HEAD"):
        for address in (page.url, *(urljoin(page.url, address) for address, _ in page.forms.values())):
            answer = await browser.asks(method, address)
            assert answer.status in {200, 405}
    assert (await rice.shown())["version"] == 1


async def test_pressing_confirms_in_the_name_of_whom_the_mail_was_for(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """The page tells so and what comes next; the chat hears that it was by mail."""
    page = await (await from_mail(browser, lan)).presses("confirm")
    assert page.status == 200
    assert f"Đã xác nhận đơn {rice.code}" in page.text
    assert page.forms == {}
    assert (await rice.shown())["status_changed_by"] == {"channel": "email", "name": "Lan"}
    rice.heard("order.confirmed", times=1)


async def test_pressing_twice_is_pressing_once(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """The same form again gets the same answer, however often."""
    page = await from_mail(browser, lan)
    answers = [await page.presses("confirm") for _ in range(3)]
    assert all(f"Đã xác nhận đơn {rice.code}" in answer.text for answer in answers)
    assert (await rice.shown())["version"] == 2
    rice.heard("order.confirmed", times=1)


async def test_cancelling_needs_a_reason(world: World, rice: Placed, lan: Somebody, browser: Browser) -> None:
    """Without one the page asks for it and nothing is cancelled; with words of one's own they are kept."""
    page = await from_mail(browser, lan, "Huỷ đơn hàng")
    refused = await page.presses("cancel")
    assert refused.status == 422
    assert "Đơn chưa bị huỷ" in refused.text
    assert (await rice.shown())["version"] == 1
    done = await refused.presses("cancel", reason="6", note="Bếp mất điện")
    assert f"Đã huỷ đơn {rice.code}" in done.text
    assert (await rice.shown())["reason"] == {"code": 6, "text": "Bếp mất điện"}
    world.everybody_catches_up()


async def test_without_the_forms_nonce_nothing_happens(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """Nor with a nonce that was made up."""
    page = await from_mail(browser, lan)
    address, nonce = page.forms["confirm"]
    for fields in ({}, {"nonce": "x"}, {"nonce": nonce.swapcase()}):
        answer = await browser.asks("POST", urljoin(page.url, address), data=fields)
        assert answer.status == 403
    assert (await rice.shown())["version"] == 1


async def test_an_old_page_shows_who_was_faster(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """Opened before, pressed after an operator had confirmed."""
    page = await from_mail(browser, lan)
    await world.operator(ConfirmOrder(rice.order_id))
    answer = await page.presses("confirm")
    assert f"Đơn {rice.code} đã được tổng đài (Hà) xác nhận lúc 09:12" in answer.text
    assert (await rice.shown())["version"] == 2
    world.everybody_catches_up()


async def test_a_page_opened_before_a_change_acts_on_nothing(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """Its link shows the changed order without buttons and says where the new ones are."""
    page = await from_mail(browser, lan)
    await rice.platform.change(rice.id, items=[{"name": "Cơm gà", "quantity": 30, "unit_price": 45_000}])
    await world.settles()
    answer = await page.presses("confirm")
    assert "đã thay đổi" in answer.text
    assert answer.forms == {}
    assert (await rice.shown())["status"] == "pending"
    new = await from_mail(browser, lan)
    assert f"Đã xác nhận đơn {rice.code}" in (await new.presses("confirm")).text
    world.everybody_catches_up()


async def test_completing_on_the_page(world: World, rice: Placed, lan: Somebody, browser: Browser) -> None:
    """From an hour before delivery the form is there; before that the page tells from when."""
    await lan.phone.taps("Xác nhận đơn hàng")
    early = await from_mail(browser, lan)
    assert "(từ 14:12 thứ Sáu 20/05)" in early.text
    await world.passes_until(rice.deliver_at)
    page = await from_mail(browser, lan)
    answer = await page.presses("complete")
    assert f"Đã hoàn thành đơn {rice.code}" in answer.text
    assert "900.000 đ" in answer.text
    world.everybody_catches_up()


async def test_a_link_shows_its_order_until_30_days_after_its_end(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """Then it is gone."""
    link = world.mailbox.inbox(lan.mail.address)[0].link("Xem chi tiết")
    await world.passes_until(rice.deliver_at)
    world.everybody_catches_up()
    await world.passes_until(rice.deliver_at + timedelta(days=29, hours=23))
    assert (await browser.opens(link)).status == 200
    await world.passes_until(rice.deliver_at + timedelta(days=30, minutes=1))
    assert (await browser.opens(link)).status == 410


async def test_a_link_that_was_tampered_with_leads_nowhere(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """404, and nothing about any order."""
    link = world.mailbox.inbox(lan.mail.address)[0].link("Xem chi tiết")
    head, _, token = link.rpartition("/")
    # Not the last sign: some of its bits count for nothing.
    for forged in (f"{token[:-2]}{'A' if token[-2] != 'A' else 'B'}{token[-1]}", "x", token[:40]):
        page = await browser.opens(f"{head}/{forged}")
        assert page.status == 404
        assert rice.code not in page.text


async def test_a_details_link_in_the_chat_is_the_web(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """On record as such."""
    card = lan.phone.person.received[-1]
    page = await browser.opens(lan.phone.person.link("Xem chi tiết đơn hàng", on=card))
    await page.presses("confirm")
    assert (await rice.shown())["status_changed_by"] == {"channel": "web", "name": "Lan"}
    world.everybody_catches_up()
