"""What a kitchen says to a review, from any chat and from its pages."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.sms import FakeEsms
from tests.stories.browser import Browser
from tests.stories.world import Placed, Somebody, World, open_world

CUSTOMER = "an@example.com"
THANKS = "Cảm ơn bạn đã đánh giá. Hẹn gặp lại bạn!"


async def eaten(world: World, by: Somebody, rating: int = 4, comment: str = "Ngon, hơi ít rau") -> Placed:
    """Return a completed order with a review, of which everybody has read."""
    order = await world.order()
    await by.phone.says(f"XN {order.code}")
    await world.passes_until(order.deliver_at - timedelta(hours=1))
    by.catches_up()
    await by.phone.says(f"HT {order.code}")
    await order.platform.review(order.id, rating, comment, "Chị Mai")
    await world.settles()
    return order


@pytest.fixture
async def rated(world: World, lan: Somebody) -> Placed:
    """Return an order with four stars, of a platform that has its customers asked."""
    await world.platform(ask_review=True)
    order = await eaten(world, lan)
    world.inbox(CUSTOMER).opens_all()
    lan.mail.opens_all()
    return order


async def test_a_tap_says_thanks(world: World, rated: Placed, lan: Somebody) -> None:
    """The platform hears the sentence and who said it; a second tap is told what was said."""
    card = await lan.phone.sees(f"Đơn {rated.code} được khách chấm 4/5")
    assert lan.phone.buttons(card) == ["Cảm ơn khách", "Xem chi tiết đơn hàng"]
    await lan.phone.taps("Cảm ơn khách", on=card)
    await lan.phone.sees(f"Đơn {rated.code}: đã ghi lời quán trả lời khách", f"Lan trả lời: {THANKS}")
    told = rated.heard("order.review_answered")["data"]
    answer = told["review"]["answer"]
    assert (answer["text"], answer["by"]) == (THANKS, {"channel": "zalo", "name": "Lan"})
    assert told["events"][-1]["data"]["answer"] == answer
    await lan.phone.taps("Cảm ơn khách", on=card)
    await lan.phone.sees("quán đã trả lời khách rồi", THANKS)
    rated.heard("order.review_answered", times=1)
    lan.catches_up()


@pytest.mark.parametrize(
    "said",
    [
        "CAM ON {code} Hẹn gặp lại chị!",
        "Cảm ơn khách {code}: Hẹn gặp lại chị!",
        "dạ cám ơn {code} Hẹn gặp lại chị!",
    ],
    ids=["plain", "whom", "polite"],
)
async def test_own_words(world: World, rated: Placed, lan: Somebody, said: str) -> None:
    """As they were written; shown to the customer who comes back, in `DG` and in `CT`."""
    lan.catches_up()
    await lan.phone.says(said.format(code=rated.code))
    await lan.phone.sees("đã ghi lời quán trả lời khách", "Hẹn gặp lại chị!")
    assert (await rated.shown())["review"]["answer"]["text"] == "Hẹn gặp lại chị!"
    await lan.phone.says("DG")
    await lan.phone.sees("4/5", "Quán: Hẹn gặp lại chị!")
    await lan.phone.says(f"CT {rated.code}")
    await lan.phone.sees("Lan trả lời: Hẹn gặp lại chị!", "quán trả lời đánh giá")
    lan.catches_up()


async def test_who_comes_back_reads_the_answer(world: World, lan: Somebody, browser: Browser) -> None:
    """On the page of the link that asked them."""
    await world.platform(ask_review=True)
    order = await eaten(world, lan)
    ((_, link),) = world.inbox(CUSTOMER).gets("có ngon không?").links()
    await lan.phone.says(f"CAM ON {order.code} Lần sau nhiều rau hơn ạ")
    page = await browser.opens(link)
    assert "Bếp Lan trả lời bạn Lần sau nhiều rau hơn ạ" in page.text
    assert "Lan trả lời:" not in page.text
    lan.catches_up()


async def test_thanks_are_polite_everywhere_else(world: World, rice: Placed, lan: Somebody) -> None:
    """An order without a review: the same words ask back, and "XN … cảm ơn" confirms."""
    await lan.phone.says(f"cảm ơn {rice.code}")
    await lan.phone.sees(f"Bạn muốn làm gì với đơn {rice.code}?")
    await lan.phone.says(f"XN {rice.code} cảm ơn")
    await lan.phone.sees("Đã xác nhận")
    assert (await rice.shown())["status"] == "confirmed"


async def test_only_owner_and_manager_answer(world: World, rated: Placed, lan: Somebody) -> None:
    """Who speaks to customers speaks for the kitchen; the cook is told so."""
    cook = await world.hires("Tí", "kitchen")
    await cook.phone.says(f"CAM ON {rated.code}")
    await cook.phone.sees("bạn không trả lời khách được", "Chỉ chủ quán và quản lý trả lời khách")
    assert (await rated.shown())["review"]["answer"] is None
    lan.catches_up()
    manager = await world.hires("Hoa", "manager")
    await manager.phone.says(f"CAM ON {rated.code}")
    await manager.phone.sees("đã ghi lời quán trả lời khách")
    lan.catches_up()


async def test_too_many_words_are_not_cut(world: World, rated: Placed, lan: Somebody) -> None:
    """Nothing is sent in somebody's name that they did not write."""
    lan.catches_up()
    await lan.phone.says(f"CAM ON {rated.code} {'rất ' * 80}vui")
    await lan.phone.sees("chưa trả lời gì", "dài quá 300 chữ")
    rated.heard("order.review_answered", times=0)


async def test_a_review_that_changed_is_not_thanked_for_by_the_old_card(
    world: World, rated: Placed, lan: Somebody
) -> None:
    """Four stars became one: the tap shows that, with a button for it."""
    card = await lan.phone.sees("được khách chấm 4/5")
    await rated.platform.review(rated.id, 1, "Đau bụng", "Chị Mai")
    await world.settles()
    await lan.phone.sees("được khách chấm 1/5")
    world.operators.opens_all()
    await lan.phone.taps("Cảm ơn khách", on=card)
    shown = await lan.phone.sees("khách vừa đổi đánh giá, chưa trả lời gì", "★☆☆☆☆ 1/5")
    rated.heard("order.review_answered", times=0)
    await lan.phone.taps("Cảm ơn khách", on=shown)
    rated.heard("order.review_answered", times=1)
    lan.catches_up()


async def test_a_new_review_can_be_answered_anew(world: World, rated: Placed, lan: Somebody) -> None:
    """Once for each review; the answer to the old one goes with it."""
    await lan.phone.says(f"CAM ON {rated.code} Cảm ơn chị")
    await rated.platform.review(rated.id, 5, "Sửa lại: rất ngon")
    await world.settles()
    assert (await rated.shown())["review"]["answer"] is None
    await lan.phone.says(f"CAM ON {rated.code} Vui quá")
    assert (await rated.shown())["review"]["answer"]["text"] == "Vui quá"
    rated.heard("order.review_answered", times=2)
    lan.catches_up()


async def test_from_the_page_behind_a_mail(world: World, lan: Somebody, browser: Browser) -> None:
    """The button of the mail leads to a form; the page tells what came of it."""
    await world.platform()
    order = await eaten(world, lan)
    mail = lan.mail.gets("được khách chấm 4/5")
    link = dict(mail.links())["Cảm ơn khách"]
    page = await browser.opens(link)
    seen = page.html.partition('name="mark" value="')[2].partition('"')[0]
    told = await page.presses("thank", mark=seen, words="Hẹn gặp lại <b>chị</b>")
    assert (told.status, "đã ghi lời quán trả lời khách" in told.text) == (200, True)
    assert "Hẹn gặp lại &lt;b&gt;chị&lt;/b&gt;" in told.html
    assert order.heard("order.review_answered")["data"]["review"]["answer"]["by"]["channel"] == "email"
    lan.catches_up()


async def test_other_platforms_do_not_read_the_answer(world: World, lan: Somebody) -> None:
    """It may name the customer; they hear that there is one."""
    await world.platform()
    other = await world.platform("Ăn Nhanh")
    order = await eaten(world, lan)
    await lan.phone.says(f"CAM ON {order.code} Cảm ơn chị Mai")
    told = order.heard("order.review_answered", by=other)["data"]
    assert "answer" not in told["review"]
    assert "Mai" not in str(told)
    lan.catches_up()


@pytest.fixture
async def texting(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a world with SMS and Telegram."""
    async with open_world(
        database_url, redis_url, gateway=FakeEsms, telegram=True, sms_reply_number="8041"
    ) as opened:
        yield opened
        opened.nobody_got_more()


async def test_by_sms(texting: World) -> None:
    """The review says what to text; the answer comes back in one SMS."""
    lan = await texting.kitchen(phone="+84909111222", zalo=False)
    await texting.platform()
    order = await texting.order()
    await lan.texts.writes(f"XN {order.code}")
    await texting.passes_until(order.deliver_at - timedelta(hours=1))
    await lan.texts.writes(f"HT {order.code}")
    texting.everybody_catches_up()
    await order.platform.review(order.id, 5, "Ngon", "Mai")
    await texting.settles()
    await lan.texts.sees(
        f"Don {order.code} duoc khach cham 5/5", f"Soan CAM ON {order.code} gui 8041 de cam on"
    )
    await lan.texts.writes(f"cam on {order.code} Hen gap lai")
    await lan.texts.sees(f"Don {order.code}: da ghi loi quan tra loi khach")
    assert (await order.shown())["review"]["answer"]["text"] == "Hen gap lai"
    texting.everybody_catches_up()


async def test_on_telegram_the_card_shows_the_answer(texting: World) -> None:
    """The pressed card turns into one without the button."""
    lan = await texting.kitchen(zalo=False, telegram=True)
    await texting.platform()
    order = await texting.order()
    await lan.telegram.says(f"XN {order.code}")
    await texting.passes_until(order.deliver_at - timedelta(hours=1))
    await lan.telegram.says(f"HT {order.code}")
    await order.platform.review(order.id, 5, "Ngon", "Mai")
    await texting.settles()
    texting.everybody_catches_up()
    card = lan.telegram.person.received[-1]
    await lan.telegram.taps("Cảm ơn khách", on=card)
    now = lan.telegram.now(card)
    assert THANKS in now.text
    assert "Cảm ơn khách" not in str(now)
    texting.everybody_catches_up()
