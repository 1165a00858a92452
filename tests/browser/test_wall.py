"""The phone wall in a real browser, with a toy in the product's place."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from sandbox.wall.preview import ToyClock
from sandbox.wall.toy import COOK, Toy
from tests.browser.axe import violations

WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 360, "height": 740}


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    """Yield the wall with a toy behind it and nothing on it yet."""
    async with Toy(clock=ToyClock()) as running:
        yield running


async def open_wall(page: Page, toy: Toy) -> None:
    """Open the wall and wait until its stream has begun."""
    async with page.expect_response("**/stream"):
        await page.goto(toy.wall.url)


def zalo(page: Page) -> Locator:
    """Return the chat on the Zalo phone."""
    return page.locator("#zalo").get_by_role("log")


def sms(page: Page) -> Locator:
    """Return the texts on the SMS phone."""
    return page.locator("#sms").get_by_role("log")


def telegram(page: Page) -> Locator:
    """Return the chat on the Telegram phone."""
    return page.locator("#telegram").get_by_role("log")


async def test_an_order_lives_on_the_wall(page: Page, toy: Toy) -> None:
    """Place, confirm, move the clock, complete, review: each step shows everywhere without a reload."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    chat, order = zalo(page), page.locator(".order").first
    await expect(order).to_contain_text("Chờ xác nhận")
    await chat.get_by_role("button", name="Xác nhận đơn hàng").click()
    await expect(order).to_contain_text("Đã xác nhận")
    await expect(page.locator(".steps")).to_contain_text("Lan bấm “Xác nhận đơn hàng” trên Zalo")
    await page.get_by_role("button", name="+1 giờ").click()
    await chat.get_by_role("button", name="Hoàn thành").click()
    await expect(order).to_contain_text("Hoàn thành")
    await page.get_by_role("button", name="Khách đánh giá").click()
    await expect(order).to_contain_text("★")
    await expect(page.locator(".mails li")).to_have_count(4)
    await expect(page.locator(".log .received")).to_have_count(4)
    assert [heard.type for heard in toy.platform.heard()] == [
        "order.placed",
        "order.confirmed",
        "order.completed",
        "order.reviewed",
    ]


async def test_the_clock_moves_and_goes_back(page: Page, toy: Toy) -> None:
    """Each button moves the product's clock by what it says; the day is Vietnam's."""
    await open_wall(page, toy)
    before = toy.clock.now()
    for name, by in [
        ("+10 phút", timedelta(minutes=10)),
        ("+1 giờ", timedelta(hours=1)),
        ("+1 ngày", timedelta(days=1)),
    ]:
        await page.get_by_role("button", name=name).click()
        await expect(page.locator(".steps li").first).to_contain_text("Đồng hồ chạy tới")
        before += by
    moved = toy.clock.now()
    assert timedelta() <= moved - before < timedelta(minutes=1)
    await expect(page.locator("#day")).to_have_text(re.compile(r"^(thứ \S+|Chủ nhật) \d\d/\d\d/\d{4}$"))
    await page.get_by_role("button", name="Về giờ thật").click()
    await expect(page.locator(".steps li").first).to_contain_text("Đồng hồ về giờ thật")
    assert toy.clock.now() < moved


async def test_somebody_types(page: Page, toy: Toy) -> None:
    """A typed text travels as a signed webhook, and the field is empty again."""
    await open_wall(page, toy)
    await page.get_by_label("Tin nhắn", exact=True).fill("CT 48273 <b>")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.mine")).to_contain_text("CT 48273 <b>")
    await expect(page.get_by_label("Tin nhắn", exact=True)).to_have_value("")
    await expect(page.locator(".message.theirs")).to_contain_text("Bạn nhắn “CT 48273 <b>”")


async def test_what_is_being_typed_stays(page: Page, toy: Toy) -> None:
    """A message that arrives takes neither the words nor the cursor from somebody who is typing."""
    await open_wall(page, toy)
    field = page.get_by_label("Tin nhắn", exact=True)
    await field.fill("CT 482")
    await toy.place(timedelta(hours=3))
    await expect(zalo(page)).to_contain_text("Chờ xác nhận")
    await expect(field).to_have_value("CT 482")
    await expect(field).to_be_focused()


async def test_another_phone_is_picked(page: Page, toy: Toy) -> None:
    """A message on a phone nobody looks at marks it; picking it shows its chat, after a reload too."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    await expect(page.locator("#zalo .chips .waiting")).to_have_text("Minh")
    await page.get_by_role("link", name="Minh").click()
    await expect(page.get_by_role("log", name="Tin nhắn Zalo của Minh")).to_be_visible()
    await expect(page.locator("#zalo .chips .waiting")).to_have_count(0)
    await page.reload()
    await zalo(page).get_by_role("button", name="Xác nhận đơn hàng").click()
    await expect(page.locator(".steps")).to_contain_text("Minh bấm “Xác nhận đơn hàng”")


async def test_an_order_is_confirmed_from_a_cheap_phone(page: Page, toy: Toy) -> None:
    """The text comes with length and price; what is typed travels as by eSMS, and the answer comes back."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    await expect(sms(page)).to_contain_text("cho xac nhan")
    await expect(sms(page)).to_contain_text("CHOTDON")
    await expect(sms(page)).to_contain_text("1 tin · 820 đ")
    code = next(iter(toy.orders.values()))["code"]
    await page.get_by_label("Soạn tin gửi 8041").fill(f"xn {code}")
    await page.keyboard.press("Enter")
    await expect(sms(page).locator(".wrote")).to_contain_text(f"xn {code}")
    await expect(sms(page).locator(".got").last).to_contain_text(f"Don {code} da xac nhan")
    await expect(page.get_by_label("Soạn tin gửi 8041")).to_have_value("")
    await expect(page.locator(".order").first).to_contain_text("Đã xác nhận")
    await expect(page.locator(".steps")).to_contain_text(f"Bình nhắn “xn {code}” tới 8041")


async def test_cards_change_on_every_telegram(page: Page, toy: Toy) -> None:
    """A press shows a toast; the card says so in its place, in the private chat and in the group."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    await telegram(page).get_by_role("button", name="Xác nhận đơn hàng").click()
    await expect(page.locator(".tg-toast")).to_have_text("Xong: Đã xác nhận")
    card = telegram(page).locator(".tg-message.carded")
    await expect(card).to_have_count(1)
    await expect(card).to_contain_text("Đã xác nhận bởi Tâm qua Telegram")
    await expect(card).to_contain_text("đã sửa")
    await expect(card.get_by_role("button", name="Xác nhận đơn hàng")).to_have_count(0)
    await page.locator("#telegram").get_by_role("link", name="Nhóm Bếp Lan").click()
    await expect(telegram(page).locator(".tg-message.carded")).to_contain_text("đã sửa")
    await expect(page.locator(".steps")).to_contain_text("Tâm bấm “✅ Xác nhận đơn hàng” trên Telegram")
    await expect(page.locator(".order").first).to_contain_text("Đã xác nhận")


async def test_a_neighbour_in_the_group_gets_an_alert(page: Page, toy: Toy) -> None:
    """Pressing with another's finger: the window stays until it is closed, and the order waits."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    phone = page.locator("#telegram")
    await phone.get_by_role("link", name="Nhóm Bếp Lan").click()
    await phone.locator(".tg-who").get_by_role("link", name="Chú Tư").click()
    await telegram(page).get_by_role("button", name="Xác nhận đơn hàng").click()
    await expect(phone.get_by_role("alertdialog")).to_contain_text("chưa bấm được")
    await expect(page.locator(".order").first).to_contain_text("Chờ xác nhận")
    assert await violations(page) == []
    await phone.get_by_role("button", name="Đóng").click()
    await expect(phone.get_by_role("alertdialog")).to_have_count(0)


async def test_somebody_writes_to_the_bot(page: Page, toy: Toy) -> None:
    """By a command of the menu, or in words; marks of the answer are shown as marks."""
    await open_wall(page, toy)
    await page.locator("#telegram").get_by_role("button", name="/homnay").click()
    await expect(telegram(page)).to_contain_text("Bạn nhắn “/homnay”")
    await page.get_by_label("Tin nhắn Telegram", exact=True).fill("CT 48273 <b>")
    await page.keyboard.press("Enter")
    await expect(telegram(page).locator(".mine").last).to_contain_text("CT 48273 <b>")
    await expect(telegram(page).locator(".theirs").last).to_contain_text("“CT 48273 <b>”")


async def test_a_key_writes_a_word(page: Page, toy: Toy) -> None:
    """The keys of the cheap phone send what stands on them; an empty line sends nothing."""
    await open_wall(page, toy)
    await page.locator("#sms").get_by_role("button", name="TG").click()
    await expect(sms(page).locator(".wrote")).to_contain_text("TG")
    await page.get_by_role("button", name="Gửi", exact=True).last.click()
    await expect(sms(page).locator(".got")).to_have_count(1)
    assert [text.text for text in toy.sms.phone(COOK).texts if not text.incoming] == ["TG"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("XN 48273", "8 ký tự · 1 tin"),
        ("Đơn 48273", "9 ký tự có dấu · 1 tin"),
        ("x" * 160, "160 ký tự · 1 tin"),
        ("x" * 161, "161 ký tự · 2 tin"),
        ("€" * 80, "160 ký tự · 1 tin"),
        ("[]^{}|~\\", "16 ký tự · 1 tin"),
        ("ạ" * 71, "71 ký tự có dấu · 2 tin"),
        ("", "gửi 8041"),
    ],
    ids=["plain", "accents", "full", "over", "euro", "brackets", "long-accents", "empty"],
)
async def test_what_is_typed_is_measured(page: Page, toy: Toy, text: str, told: str) -> None:
    """Letters and messages are counted while one types, also after something else has arrived."""
    await open_wall(page, toy)
    field = page.get_by_label("Soạn tin gửi 8041")
    await field.fill("x")
    await field.fill(text)
    await expect(page.locator("#sms-length")).to_have_text(told)
    await toy.sms.phone(COOK).writes("DS")
    await expect(sms(page).locator(".got")).to_have_count(1)
    await expect(page.locator("#sms-length")).to_have_text(told)


async def test_another_cheap_phone_is_picked(page: Page, toy: Toy) -> None:
    """A text to somebody else marks that phone; picking it shows what it got."""
    await open_wall(page, toy)
    lien = toy.sms.phone("+84987654321", "Liên")
    await lien.writes("DS")
    await expect(page.locator("#sms .chips a")).to_have_text(["Bình", "Liên"])
    await expect(page.locator("#sms .chips .waiting")).to_have_text("Liên")
    await lien.writes("TG")
    await expect(page.locator("#sms .chips .waiting")).to_have_text("Liên")
    await page.get_by_role("link", name="Liên").click()
    await expect(page.get_by_role("log", name="Tin SMS của Liên").locator(".note")).to_have_count(4)
    await expect(page.locator("#sms .chips .waiting")).to_have_count(0)


async def test_a_mail_is_opened(page: Page, toy: Toy) -> None:
    """The newest mail is open; its links open in a new tab; its plain text is one press away."""
    await toy.place(timedelta(hours=3))
    await open_wall(page, toy)
    mail = page.frame_locator(".mail iframe")
    async with page.expect_popup() as opened:
        await mail.get_by_role("link", name="Xem chi tiết đơn hàng").click()
    assert "/o/" in (await opened.value).url
    await page.get_by_role("link", name="Chữ thuần").click()
    await expect(mail.locator("pre")).to_contain_text("Chờ xác nhận")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="giao-hang.ics").click()
    assert (await download.value).suggested_filename == "giao-hang.ics"


async def test_a_mail_can_do_nothing_else(context: BrowserContext, toy: Toy) -> None:
    """A mail's script is blocked, by the frame and by the mail's own policy."""
    await toy.place(timedelta(hours=3))
    evil = "<html><body><script>parent.document.title='x'</script><h1 id=h>Thư</h1></body></html>"
    toy.mailbox.mails[0] = replace(toy.mailbox.mails[0], html=evil)
    tab = await context.new_page()
    async with tab.expect_console_message(lambda told: "Blocked script" in told.text):
        await tab.goto(toy.wall.url)
    await expect(tab.frame_locator(".mail iframe").locator("#h")).to_be_visible()
    assert await tab.title() == "Chốt Đơn · tường điện thoại"
    async with aiohttp.ClientSession() as session, session.get(f"{toy.wall.url}/mails/1") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")


async def test_a_product_that_is_away(page: Page, toy: Toy) -> None:
    """The newcomer reads what to do, and the hop is red and says that it is an error."""
    await open_wall(page, toy)
    await toy.go_away()
    await page.locator("#telegram").get_by_role("button", name="/donhang").click()
    await expect(page.get_by_role("alert")).to_contain_text("Chốt Đơn chưa nhận được")
    await page.get_by_role("button", name="DS đơn của tôi").click()
    await expect(page.get_by_role("alert")).to_contain_text("Chốt Đơn chưa nhận được")
    await expect(page.locator(".steps .error").first).to_contain_text("Lỗi:")
    await page.locator("#sms").get_by_role("button", name="TG").click()
    await expect(page.get_by_role("alert")).to_contain_text("Chốt Đơn chưa nhận được tin SMS")
    await page.get_by_role("button", name="Đặt đơn mới").click()
    await expect(page.get_by_role("alert")).to_contain_text("Chốt Đơn không trả lời")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [{"viewport": WIDE}, {"viewport": NARROW}], ids=["1280", "360"])
async def test_axe_finds_nothing(page: Page, toy: Toy, scheme: Any, screen: dict[str, Any]) -> None:
    """On both screens and in both colour schemes, every panel is accessible and nothing overflows."""
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await toy.fill()
    await toy.sms.phone(COOK).writes("Dạ em nhận đơn")
    await toy.go_away()
    await next(iter(toy.zalo.people.values())).say("DS")
    await open_wall(page, toy)
    for tab in await page.locator("[data-tab]").all():
        if screen["viewport"] == NARROW:
            await tab.click()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]


async def test_it_is_used_by_keyboard(page: Page, toy: Toy) -> None:
    """Every deed is reached by Tab and done by Enter."""
    await open_wall(page, toy)
    reached = []
    for _ in range(20):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Đặt đơn mới":
            await page.keyboard.press("Enter")
            break
    assert {"+10 phút", "+1 giờ", "+1 ngày", "Về giờ thật", "Đặt đơn mới"} <= set(reached)
    confirm = zalo(page).get_by_role("button", name="Xác nhận đơn hàng")
    await confirm.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".order").first).to_contain_text("Đã xác nhận")


@pytest.mark.parametrize("screen", [{"viewport": NARROW}])
async def test_phones_are_tabs_on_a_phone(page: Page, toy: Toy) -> None:
    """One screen at a time; what arrives elsewhere is counted on its tab until it is looked at."""
    await open_wall(page, toy)
    await page.get_by_role("button", name="Đặt đơn mới").click()
    mail = page.locator("[data-tab=mail]")
    await expect(mail.locator(".count")).to_have_text("1")
    await expect(page.locator("#mail")).to_be_hidden()
    await mail.click()
    await expect(page.locator("#mail")).to_be_visible()
    await expect(page.locator("#zalo")).to_be_hidden()
    await expect(mail.locator(".count")).to_be_hidden()


async def test_the_policy_of_the_page(toy: Toy) -> None:
    """No inline script or style, no framing, nothing cached; the mail has its own policy."""
    async with aiohttp.ClientSession() as session, session.get(toy.wall.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "style=" not in page
    assert "onclick" not in page


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/clock/advance", b"{", {}, 400),
        ("/clock/advance", b"[]", {}, 400),
        ("/clock/advance", b'{"minutes": -5}', {}, 400),
        ("/clock/advance", b'{"minutes": 1e99}', {}, 400),
        ("/clock/advance", b'{"minutes": true}', {}, 400),
        ("/orders", b'{"minutes": 7}', {}, 400),
        ("/zalo/tap", b'{"person": "0"}', {}, 404),
        ("/zalo/tap", b'{"person": "1111111111111111111", "message": "none", "index": 0}', {}, 404),
        ("/zalo/say", b'{"person": [], "text": "x"}', {}, 404),
        ("/telegram/tap", b'{"person": "0", "chat": 1, "message": 1, "label": "x"}', {}, 404),
        ("/telegram/tap", b'{"person": 700000001, "chat": 700000001, "message": -1, "label": "x"}', {}, 404),
        ("/telegram/say", b'{"person": [], "chat": 700000001, "text": "x"}', {}, 404),
        ("/telegram/share", b'{"person": "\\u0663"}', {}, 404),
        ("/sms/write", b'{"phone": "+84999999999", "text": "x"}', {}, 404),
        ("/sms/write", b'{"phone": ["+84912000111"], "text": "x"}', {}, 404),
        ("/sms/write", b'{"text": "x"', {}, 400),
        ("/platform/none/cancel", b"{}", {}, 404),
        ("/clock/reset", b"{}", {"Origin": "http://evil.example"}, 403),
        ("/clock/reset", b"{}", {"Content-Type": "text/plain"}, 403),
        ("/clock/reset", b"{}", {"Host": "evil.example"}, 421),
    ],
)
async def test_what_the_wall_refuses(
    toy: Toy, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Malformed bodies, strangers' pages and other hosts' names are refused, and nothing moves."""
    sent = {"Content-Type": "application/json", **headers}
    hops = len(toy.feed.hops)
    async with (
        aiohttp.ClientSession() as session,
        session.post(toy.wall.url + path, data=body, headers=sent) as answer,
    ):
        assert answer.status == status
    assert len(toy.feed.hops) == hops
