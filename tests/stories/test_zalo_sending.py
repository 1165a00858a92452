"""How Zalo is used, by what is known of a person: free, billed, by template, or not at all."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.sms import SmsPhone
from tests.stories.world import Somebody, World
from tests.stories.zalo_town import OUT_OF_REACH, Town, open_town

FREE, LATE = ("zalo_cs", 0), ("zalo_cs_late", 55)
BY_USER_ID, BY_PHONE, BY_SMS = ("zalo_zbs_uid", 140), ("zalo_zbs_phone", 200), ("speedsms", 350)


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Yield a service with a plain template for new orders."""
    async with open_town(database_url, redis_url, {"order_new": "77"}) as town:
        yield town
        town.nobody_got_more()


@pytest.fixture
async def lan(town: Town) -> Somebody:
    """Return Lan, who has linked her Zalo just now."""
    return await town.world.kitchen()


@pytest.fixture
async def hoa(town: Town) -> Somebody:
    """Return Hoa, of whom the kitchen knows a mail address and a phone."""
    return await town.world.kitchen("bep-hoa", owner="Hoa", email="hoa@example.com", zalo=False)


@pytest.fixture
async def sms(town: Town, hoa: Somebody) -> SmsPhone:
    """Return what Hoa's phone gets by SMS."""
    return await town.gives_phone(hoa)


async def spends(town: Town) -> list[tuple[str, int | None]]:
    """Place an order for Lan and return what telling her of it cost."""
    before = len(await town.spent())
    await town.world.order()
    return [one for one in (await town.spent())[before:] if one[0] != "email"]


# --- by user id ---------------------------------------------------------------------------------------


async def test_who_wrote_within_two_days_is_told_for_nothing(town: Town, lan: Somebody) -> None:
    """A card with its buttons, and no receipt is waited for."""
    await town.world.passes(timedelta(hours=47))
    assert await spends(town) == [FREE]
    [bubble] = lan.phone.person.reads_all()
    assert (bubble.kind, bubble.billed, len(bubble.buttons)) == ("text", False, 3)


async def test_after_two_days_the_card_costs(town: Town, lan: Somebody) -> None:
    """The same card; Zalo takes money for it, and we know how much."""
    await town.world.passes(timedelta(hours=49))
    assert await spends(town) == [LATE]
    [bubble] = lan.phone.person.reads_all()
    assert (bubble.kind, bubble.billed) == ("text", True)


async def test_after_a_week_the_template_goes_to_the_user_id(town: Town, lan: Somebody) -> None:
    """Until Lan writes again: then it is free again."""
    await town.world.passes(OUT_OF_REACH)
    assert await spends(town) == [BY_USER_ID]
    [bubble] = lan.phone.person.reads_all()
    assert bubble.kind == "template"
    await lan.phone.person.confirm_received(bubble)

    await lan.phone.says("HN")
    lan.phone.person.reads_all()
    assert await spends(town) == [FREE]
    lan.phone.person.reads_all()


@pytest.mark.parametrize("code", [-230, -232])
async def test_zalo_knows_better_when_somebody_wrote_last(town: Town, lan: Somebody, code: int) -> None:
    """What we believed is corrected, and the same order is told at once by the template."""
    town.world.zalo.fail_next(code, path="/cs")
    order = await town.world.order()
    bubble = await lan.phone.sees(order.code)
    assert bubble.kind == "template"
    await lan.phone.person.confirm_received(bubble)
    assert await town.outcomes(order.id) == [
        ("zalo", "zalo_user", "no_such_recipient"),
        ("zalo", "zalo_user", "sent"),
    ]
    assert await spends(town) == [BY_USER_ID]  # the next one does not ask again
    await lan.phone.person.confirm_received(lan.phone.person.reads_all()[0])


async def test_a_quick_reply_goes_to_the_phone_of_who_was_silent_for_a_week(
    database_url: str, redis_url: str
) -> None:
    """A template with response buttons cannot be sent to a user id: the same person's phone gets it."""
    chosen: dict[str, object] = {"order_new": {"id": "77", "quick_reply": True}}
    async with open_town(database_url, redis_url, chosen) as town:
        lan = await town.world.kitchen()
        await town.gives_phone(lan)
        await town.world.passes(OUT_OF_REACH)
        order = await town.world.order()
        bubble = await lan.phone.sees(order.code)
        assert bubble.tracking_id
        assert await town.outcomes(order.id) == [("zalo", "phone", "sent")]


# --- by phone -----------------------------------------------------------------------------------------


async def test_who_is_known_by_phone_only_gets_the_template_there(
    town: Town, hoa: Somebody, sms: SmsPhone
) -> None:
    """It arrived, so nobody sends an SMS after it."""
    order = await town.world.order(partner="bep-hoa")
    bubble = await hoa.phone.sees(order.code)
    await hoa.phone.person.confirm_received(bubble)
    assert [one for one in await town.spent() if one[0] != "email"] == [BY_PHONE]
    await town.world.passes(timedelta(minutes=4))
    assert sms.received == []


async def test_a_template_that_does_not_arrive_is_followed_by_an_sms(
    town: Town, hoa: Somebody, sms: SmsPhone
) -> None:
    """Accepted is no proof: after three minutes Zalo is asked, and knows of nothing: SMS takes over."""
    hoa.phone.person.offline = True
    order = await town.world.order(partner="bep-hoa")
    await town.world.passes(timedelta(minutes=2, seconds=50))
    assert sms.received == []
    await town.world.passes(timedelta(seconds=11))
    await sms.sees(order.code)
    await hoa.phone.sees(order.code)  # the phone comes back: two copies, and never a third
    await town.world.passes(timedelta(minutes=10))


async def test_a_receipt_that_got_lost_is_asked_for(town: Town, hoa: Somebody, sms: SmsPhone) -> None:
    """The webhook never came, but Zalo knows that the message did."""
    order = await town.world.order(partner="bep-hoa")
    await hoa.phone.sees(order.code)
    await town.world.passes(timedelta(minutes=3, seconds=1))
    assert sms.received == []
    receipt = await town.world.database.pool.fetchval(
        "SELECT receipt FROM messages WHERE channel = 'zalo' AND order_id = $1", order.order_id
    )
    assert receipt == "delivered"


async def test_a_phone_that_is_not_on_zalo_gets_an_sms_at_once(
    town: Town, hoa: Somebody, sms: SmsPhone
) -> None:
    """And is remembered for 30 days: no call is wasted on it; then Zalo is asked again."""
    hoa.phone.person.phone = ""
    order = await town.world.order(partner="bep-hoa")
    await sms.sees(order.code)
    assert await town.outcomes(order.id) == [
        ("zalo", "phone", "no_such_recipient"),
        ("sms", "phone", "sent"),
    ]
    order = await town.world.order(partner="bep-hoa")
    await sms.sees(order.code)
    assert await town.outcomes(order.id) == [("sms", "phone", "sent")]

    await town.world.passes(timedelta(days=30, minutes=1))
    sms.reads_all()
    town.world.everybody_catches_up()
    hoa.phone.person.phone = "84909123457"  # Hoa has Zalo now
    order = await town.world.order(partner="bep-hoa")
    await hoa.phone.sees(order.code)


async def test_who_follows_is_tried_by_phone_again(town: Town, hoa: Somebody, sms: SmsPhone) -> None:
    """Within the 30 days: whoever is linked and follows the account has Zalo after all."""
    hoa.phone.person.phone = ""
    await sms.sees((await town.world.order(partner="bep-hoa")).code)
    await town.world.link(hoa.phone, hoa.staff_id)
    await hoa.phone.person.follow()
    await hoa.phone.person.unfollow()
    await town.world.settles()
    hoa.phone.person.reads_all()

    hoa.phone.person.phone = "84909123457"
    order = await town.world.order(partner="bep-hoa")
    assert (await hoa.phone.sees(order.code)).kind == "template"
    assert await town.outcomes(order.id) == [("zalo", "phone", "sent")]


async def test_at_night_an_order_does_not_wait_for_zalo(town: Town, hoa: Somebody, sms: SmsPhone) -> None:
    """-133 says that Zalo sends nothing now: SMS does, and nothing is held against the phone."""
    town.world.zalo.fail_next(-133)
    order = await town.world.order(partner="bep-hoa")
    await sms.sees(order.code)
    assert (
        await town.world.database.pool.fetchval(
            "SELECT count(*) FROM reach WHERE channel = 'zalo' AND failed_at IS NOT NULL"
        )
        == 0
    )


@pytest.mark.parametrize("code", [-144, -137, -131], ids=["quota", "wallet", "approval"])
async def test_what_hits_everybody_is_one_alarm_and_marks_nobody(
    town: Town, hoa: Somebody, sms: SmsPhone, code: int
) -> None:
    """Three orders go by SMS at once; the operators hear one thing."""
    town.world.zalo.fail_next(code, times=None)
    orders = [await town.world.order(partner="bep-hoa") for _ in range(3)]
    for order in orders:
        await sms.sees(order.code)
    town.world.operators.gets(f"lỗi {code}")
    assert town.world.operators.unread == []
    assert (
        await town.world.database.pool.fetchval(
            "SELECT count(*) FROM reach WHERE channel = 'zalo' AND failed_at IS NOT NULL"
        )
        == 0
    )


# --- receipts -----------------------------------------------------------------------------------------


async def receipt_of(world: World) -> str | None:
    """Return how far the only chat message came."""
    told: str | None = await world.database.pool.fetchval(
        "SELECT receipt FROM messages WHERE channel = 'zalo'"
    )
    return told


async def test_receipts_only_move_forward(town: Town, hoa: Somebody, sms: SmsPhone) -> None:
    """Twice, in the wrong order, late: seen stays seen."""
    order = await town.world.order(partner="bep-hoa")
    bubble = await hoa.phone.sees(order.code)
    person = hoa.phone.person
    told = []
    for report in (person.confirm_received, person.confirm_received):
        assert (await report(bubble)).status == 200
        told.append(await receipt_of(town.world))
    assert (await person.confirm_seen([bubble])).status == 200
    told.append(await receipt_of(town.world))
    assert (await person.confirm_received(bubble)).status == 200
    told.append(await receipt_of(town.world))
    assert told == ["delivered", "delivered", "seen", "seen"]


async def test_seen_comes_for_one_or_for_several(town: Town, lan: Somebody) -> None:
    """`msg_id` or `msg_ids`: both are taken."""
    orders = [await town.world.order() for _ in range(2)]
    bubbles = [await lan.phone.sees(order.code) for order in orders]
    assert (await lan.phone.person.confirm_seen(bubbles)).status == 200
    zalo = town.world.zalo
    order = await town.world.order()
    third = await lan.phone.sees(order.code)
    event: dict[str, object] = {
        "sender": {"id": zalo.oa_id},
        "recipient": {"id": lan.phone.person.user_id},
        "event_name": "user_seen_message",
        "message": {"msg_id": third.message_id},
    }
    assert (await zalo.post(event)).status == 200
    seen = await town.world.database.pool.fetchval(
        "SELECT count(*) FROM messages WHERE channel = 'zalo' AND receipt = 'seen'"
    )
    assert seen == 3


async def test_a_receipt_before_our_own_commit(town: Town, hoa: Somebody, sms: SmsPhone) -> None:
    """The phone reports while Zalo's answer to us is still on its way: no SMS follows."""
    town.world.zalo.accept_then_hang(0.5, path="/message/template")
    answer = await town.world.platforms["Cơm Ngon"].place(town.world.body(partner="bep-hoa"))
    bubble = await hoa.phone.person.sees(answer.body["code"], within=5)
    assert (await hoa.phone.person.confirm_received(bubble)).status == 200
    await town.world.settles()
    await town.world.passes(timedelta(minutes=4))
    assert (await receipt_of(town.world), sms.received) == ("delivered", [])


async def test_too_many_calls_are_made_again_when_zalo_says(town: Town, lan: Somebody) -> None:
    """429 with Retry-After: the card waits these twenty seconds, and comes once."""
    town.world.zalo.too_many(20)
    order = await town.world.order()
    assert lan.phone.person.unread == []
    await town.world.passes(timedelta(seconds=21))
    await lan.phone.sees(order.code)
