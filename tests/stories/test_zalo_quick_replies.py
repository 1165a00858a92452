"""Buttons of ZBS templates: a kitchen that never wrote to the account answers by a tap."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.sms import SmsPhone
from tests.stories.world import Placed, Somebody
from tests.stories.zalo_town import CANCEL, COMPLETE, CONFIRM, Town, open_town

TEMPLATES: dict[str, object] = {
    "order_new": {"id": "77", "quick_reply": True},
    "complete_request": {"id": "78", "quick_reply": True},
}


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Yield a service whose templates carry response buttons."""
    async with open_town(database_url, redis_url, TEMPLATES) as town:
        yield town
        town.nobody_got_more()


@pytest.fixture
async def lan(town: Town) -> Somebody:
    """Return Lan, whose kitchen knows her mail and her phone."""
    return await town.world.kitchen(zalo=False)


@pytest.fixture
async def sms(town: Town, lan: Somebody) -> SmsPhone:
    """Return what Lan's phone gets by SMS."""
    return await town.gives_phone(lan)


@pytest.fixture
async def rice(town: Town, lan: Somebody, sms: SmsPhone) -> Placed:
    """Return an order that Lan was told of by a template on her phone."""
    order = await town.world.order()
    bubble = await lan.phone.sees(order.code)
    assert bubble.kind == "template"
    await lan.phone.person.confirm_received(bubble)
    return order


async def test_a_tap_confirms(town: Town, rice: Placed, lan: Somebody, sms: SmsPhone) -> None:
    """It is Lan who did it, through Zalo; the answer comes by SMS, since the tap names no chat."""
    await town.replies(lan.phone.person, CONFIRM)

    await sms.sees(f"{rice.code}")
    assert (await rice.shown())["status_changed_by"] == {"channel": "zalo", "name": "Lan"}
    rice.heard("order.confirmed")


async def test_a_tap_that_comes_again_has_one_effect(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """Zalo repeats what it thinks was lost: the platform hears it once, and so does Lan."""
    delivery = await lan.phone.person.replies(CONFIRM)
    again = [await town.world.zalo.redeliver(delivery) for _ in range(3)]
    await town.world.settles()

    assert {one.status for one in again} == {200}
    assert len(sms.reads_all()) == 1
    rice.heard("order.confirmed")


async def test_a_later_tap_is_told_how_it_stands(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """The buttons stay on the phone for ever: the same one, and another one, change nothing any more."""
    await town.replies(lan.phone.person, CONFIRM)
    sms.reads_all()
    await town.world.passes(timedelta(minutes=1))

    await town.replies(lan.phone.person, CONFIRM)
    await sms.sees("da duoc Lan xac nhan")
    await town.replies(lan.phone.person, CANCEL)
    await sms.sees("1900 6868")
    rice.heard("order.confirmed")
    rice.heard("order.cancelled", times=0)


async def test_a_tap_before_our_send_is_answered(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """Lan is faster than Zalo's answer to us: the message is known by the name we gave it."""
    town.world.zalo.accept_then_hang(1.0, path="/message/template")
    placing = asyncio.create_task(town.world.order())
    bubble = await lan.phone.person.sees("Đơn", within=5)
    delivery = await lan.phone.person.replies(CONFIRM, on=bubble)
    order = await placing

    assert delivery.status == 200
    assert (await order.shown())["status"] == "confirmed"
    await sms.sees(order.code)
    order.heard("order.confirmed")
    assert sorted(await town.outcomes(order.id)) == [("sms", "phone", "sent"), ("zalo", "phone", "sent")]


async def test_cancelling_asks_for_the_reason(town: Town, rice: Placed, lan: Somebody, sms: SmsPhone) -> None:
    """As HUY and the code would by SMS, and there Lan answers."""
    await town.replies(lan.phone.person, CANCEL)
    await sms.sees(f"HUY {rice.code}")
    assert (await rice.shown())["status"] == "pending"

    await sms.writes(f"HUY {rice.code} 1")
    await town.world.settles()
    await sms.sees(rice.code)
    assert (await rice.shown())["reason"] == {"code": 1, "text": "Hết món"}
    rice.heard("order.cancelled")
    town.world.everybody_catches_up()


async def test_a_tap_completes(town: Town, rice: Placed, lan: Somebody, sms: SmsPhone) -> None:
    """The request to complete has a button of its own."""
    await town.replies(lan.phone.person, CONFIRM)
    sms.reads_all()
    await town.world.passes_until(rice.deliver_at + timedelta(minutes=10))
    asked = await lan.phone.sees(rice.code)

    await town.replies(lan.phone.person, COMPLETE, on=asked)
    await sms.sees(rice.code)
    assert (await rice.shown())["status"] == "completed"


async def test_a_template_of_an_order_that_has_changed_does_not_act(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """Lan saw twenty portions; what she would confirm now is thirty."""
    items = [{"name": "Cơm gà", "quantity": 30, "unit_price": 45_000}]
    await rice.platform.change(rice.id, items=items, total=1_350_000)
    await town.world.settles()
    sms.reads_all()

    await town.replies(lan.phone.person, CONFIRM)
    assert (await rice.shown())["status"] == "pending"
    await sms.sees(rice.code)


async def test_a_request_of_an_order_that_has_changed_does_not_complete(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """A new note came after it was asked: it is not the order that was asked about."""
    await town.replies(lan.phone.person, CONFIRM)
    await town.world.passes_until(rice.deliver_at + timedelta(minutes=10))
    asked = await lan.phone.sees(rice.code)
    await rice.platform.change(rice.id, note="Giao cổng trước")
    await town.world.settles()
    sms.reads_all()

    await town.replies(lan.phone.person, COMPLETE, on=asked)
    await sms.sees(rice.code)
    assert (await rice.shown())["status"] == "confirmed"
    town.world.everybody_catches_up()


async def test_what_means_nothing_is_counted_and_does_nothing(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """A label that nobody set, and a message that is not ours: 200, or Zalo would go on for hours."""
    person = lan.phone.person
    [bubble] = [one for one in person.received if rice.code in one.text]
    for label, tracking_id in (("Gọi lại sau", bubble.tracking_id), (CONFIRM, "0" * 32), (CONFIRM, "x")):
        message = {"submit_time": "1", "button_type": "response", "data": label, "tracking_id": tracking_id}
        event: dict[str, object] = {
            "event_name": "user_click_response_button",
            "message": message,
            "msg_id": f"msg {tracking_id}",
            "oa_id": town.world.zalo.oa_id,
        }
        assert (await town.world.zalo.post(event)).status == 200
    await town.world.settles()
    assert (await rice.shown())["status"] == "pending"


async def test_who_has_left_does_not_act_any_more(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """Whoever holds the phone of a removed member gets no answer either."""
    await town.world.hires("Minh", "owner", zalo=False)
    await town.world.fires("Lan")
    for label in (CONFIRM, CANCEL):
        await town.replies(lan.phone.person, label)
    assert (await rice.shown())["status"] == "pending"


async def test_a_phone_that_was_given_up_does_not_act_any_more(
    town: Town, rice: Placed, lan: Somebody, sms: SmsPhone
) -> None:
    """Lan still works there, but whoever has her old number now neither acts nor is asked anything."""
    await town.world.database.pool.execute("UPDATE addresses SET ended_at = now() WHERE kind = 'phone'")
    received = len(sms.received)
    for label in (CONFIRM, CANCEL):
        await town.replies(lan.phone.person, label)
    await town.world.settles()
    assert (await rice.shown())["status"] == "pending"
    assert len(sms.received) == received


async def test_two_people_of_a_kitchen_have_their_own_buttons(
    town: Town, lan: Somebody, sms: SmsPhone
) -> None:
    """Who taps is told by the message, for the tap names nobody; the other one hears of it."""
    minh = await town.world.hires("Minh", "manager", zalo=False)
    minhs = await town.gives_phone(minh, "+84909123458")
    order = await town.world.order()
    await lan.phone.sees(order.code)
    await minh.phone.sees(order.code)

    await town.replies(minh.phone.person, CONFIRM)
    await minhs.sees(order.code)
    assert (await order.shown())["status_changed_by"]["name"] == "Minh"
    await town.replies(lan.phone.person, CONFIRM)
    await sms.sees("da duoc Minh xac nhan")
    town.world.everybody_catches_up()
    sms.reads_all()


async def test_a_reminder_of_several_orders_asks_which_one_is_meant(
    database_url: str, redis_url: str
) -> None:
    """Its codes all stand in the template, so one button under it cannot say which."""
    chosen: dict[str, object] = {**TEMPLATES, "confirm_nudge": {"id": "79", "quick_reply": True}}
    async with open_town(database_url, redis_url, chosen, chat_order="zalo") as town:
        lan = await town.world.kitchen(zalo=False)
        sms = await town.gives_phone(lan)
        orders = [await town.world.order() for _ in range(3)]
        lan.phone.person.reads_all()
        await town.world.passes(timedelta(minutes=15))
        told = await lan.phone.sees(f"{orders[0].code}, {orders[1].code}, {orders[2].code}")

        await town.replies(lan.phone.person, CONFIRM, on=told)
        await sms.sees(f"XN {orders[0].code}")
        assert [(await order.shown())["status"] for order in orders] == ["pending"] * 3
        town.nobody_got_more()


async def test_without_sms_a_tap_acts_all_the_same(database_url: str, redis_url: str) -> None:
    """There is only nobody who could carry the answer."""
    async with open_town(database_url, redis_url, TEMPLATES, sms_gateway=None) as town:
        lan = await town.world.kitchen(zalo=False)
        await town.gives_phone(lan)
        order = await town.world.order()
        await lan.phone.sees(order.code)
        for label in (CONFIRM, CANCEL):
            await town.replies(lan.phone.person, label)
        assert (await order.shown())["status"] == "confirmed"
        town.nobody_got_more()
