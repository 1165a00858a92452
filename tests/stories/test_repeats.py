"""Nothing happens twice: repeats of webhooks, forms and API calls have one effect and one answer."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any, Final

from sandbox.platform import Answer, FakePlatform
from sandbox.zalo import Bubble, Delivery
from sandbox.zalo.webhooks import new_message_id
from tests.stories.browser import Browser
from tests.stories.world import Placed, Somebody, World

CONFIRM: Final = "Xác nhận đơn hàng"


async def _post(world: World, event: dict[str, Any], times: int) -> list[Delivery]:
    """Post the very same webhook several times at once, and each again until it is taken, as Zalo does."""
    event = {"timestamp": str(round(world.now.timestamp() * 1000)), **event}
    return await asyncio.gather(*(_until_taken(world, event) for _ in range(times)))


async def _until_taken(world: World, event: dict[str, Any]) -> Delivery:
    delivery = await world.zalo.post(event)
    while not delivery.accepted:
        assert delivery.status in {503, None}, delivery  # busy is no fault, it is tried again
        delivery = await world.zalo.redeliver(delivery)
    return delivery


def _tap(somebody: Somebody, bubble: Bubble, label: str) -> dict[str, Any]:
    button = bubble.button(label)
    assert button is not None, bubble
    return _text(somebody, button.target)


def _text(somebody: Somebody, text: str) -> dict[str, Any]:
    person = somebody.phone.person
    return {
        "sender": {"id": person.user_id},
        "recipient": {"id": somebody.phone.world.zalo.oa_id},
        "event_name": "user_send_text",
        "message": {"text": text, "msg_id": new_message_id()},
    }


async def _events(world: World, order: Placed) -> Counter[str]:
    rows = await world.database.pool.fetch("SELECT type FROM events WHERE order_id = $1", order.id)
    return Counter(row["type"] for row in rows)


def _newest_with(somebody: Somebody, label: str) -> Bubble:
    return next(bubble for bubble in reversed(somebody.phone.person.received) if bubble.button(label))


# --- webhooks of Zalo ------------------------------------------------------------------------------


async def test_a_tap_that_zalo_sends_twice_is_one_tap(world: World, lan: Somebody, rice: Placed) -> None:
    """Lan hears one answer, the platform one event."""
    delivery = await lan.phone.taps(CONFIRM)
    assert (await world.zalo.redeliver(delivery)).status == 200
    await world.settles()

    await lan.phone.sees("Đã xác nhận")
    assert len(rice.platform.heard("order.confirmed")) == 1
    assert rice.platform.attempts_at(rice.platform.heard("order.confirmed")[0].webhook_id) == 1


async def test_a_tap_that_comes_twenty_times_at_once_is_one_tap(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Whichever of the twenty commits first, the others find its answer."""
    await _post(world, _tap(lan, _newest_with(lan, CONFIRM), CONFIRM), 20)
    await world.settles()

    await lan.phone.sees("Đã xác nhận")
    assert (await _events(world, rice))["order.confirmed"] == 1
    rice.heard("order.confirmed", times=1)


async def test_words_that_come_twenty_times_at_once_are_said_once(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """XN without a code means the only order that waits; a repeat must not find that none waits any more."""
    await _post(world, _text(lan, "xn"), 20)
    await world.settles()

    await lan.phone.sees("Đã xác nhận")
    assert (await _events(world, rice))["order.confirmed"] == 1


async def test_a_question_that_comes_twenty_times_at_once_is_answered_once(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Questions are taken in once too."""
    await _post(world, _text(lan, f"CT {rice.code}"), 20)
    await world.settles()

    await lan.phone.sees(rice.code)


async def test_a_wrong_code_that_comes_twenty_times_counts_once(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Else one slip and a slow network would lock Lan out."""
    wrong = f"{(int(rice.code) + 1) % 100_000:05}"
    await _post(world, _text(lan, f"XN {wrong}"), 20)
    await world.settles()
    lan.phone.person.reads_all()

    await lan.phone.says(f"XN {rice.code}")

    await lan.phone.sees("Đã xác nhận")


async def test_a_webhook_that_comes_again_after_days_does_nothing(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Somebody may have kept it; the signature is still right."""
    tapped = await lan.phone.taps("Huỷ đơn hàng")
    reason = await lan.phone.taps("Hết món")
    await world.passes(timedelta(days=3))
    lan.phone.person.reads_all()
    lan.mail.opens_all()
    world.inbox("an@example.com").opens_all()

    for delivery in (tapped, reason):
        assert (await world.zalo.redeliver(delivery)).status == 200
    await world.settles()

    assert (await _events(world, rice))["order.cancelled"] == 1


async def test_leaving_twice_does_not_end_what_came_back(world: World, lan: Somebody, rice: Placed) -> None:
    """Zalo repeats an unfollow that it thinks was lost, after Lan has followed again."""
    left = await lan.phone.person.unfollow()
    await lan.phone.person.follow()
    await world.settles()
    lan.phone.person.reads_all()

    assert (await world.zalo.redeliver(left)).status == 200
    again = await world.order()

    await lan.phone.sees(again.code)
    lan.mail.gets(again.code)


async def test_a_follow_that_comes_again_does_not_bring_back_who_left(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Who has left since is written to no more."""
    followed = await lan.phone.person.follow()
    await world.settles()
    lan.phone.person.reads_all()
    await lan.phone.person.unfollow()

    assert (await world.zalo.redeliver(followed)).status == 200
    again = await world.order()

    lan.mail.gets(again.code)


async def test_two_hundred_taps_by_four_people_confirm_once(
    world: World, lan: Somebody, platform: FakePlatform
) -> None:
    """One of them did it, and all the other taps are told who."""
    crew = [lan, *[await world.hires(name, "manager") for name in ("Minh", "Hoa", "Tú")]]
    rice = await world.order()
    taps = [_tap(one, _newest_with(one, CONFIRM), CONFIRM) for one in crew]
    for one in crew:
        one.phone.person.reads_all()
    lan.mail.opens_all()

    await asyncio.gather(*(_post(world, _again(taps[number % 4]), 1) for number in range(200)))
    await world.settles()

    assert (await _events(world, rice))["order.confirmed"] == 1
    rice.heard("order.confirmed", times=1)
    told = [bubble.text for one in crew for bubble in one.phone.person.reads_all()]
    first = [text for text in told if "đã được" not in text]
    winner = (await platform.show(rice.id)).body["status_changed_by"]["name"]
    others = [text for text in told if f"đã được {winner} xác nhận" in text]
    assert len(first) == 1, first
    assert len(others) == 199 + len(crew) - 1  # each other tap, and each colleague who was told of the order


def _again(tap: dict[str, Any]) -> dict[str, Any]:
    """Return another tap on the same button."""
    return {**tap, "message": {**tap["message"], "msg_id": new_message_id()}}


# --- pages -----------------------------------------------------------------------------------------


async def test_a_form_sent_ten_times_acts_once(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """A double click, a slow network, a reload: each shows what the first one did."""
    rice = await world.order()
    await lan.phone.sees(rice.code)
    page = await browser.opens(lan.mail.gets(rice.code).link("Xem chi tiết đơn hàng"))

    shown = await asyncio.gather(*(page.presses("confirm") for _ in range(10)))

    assert {one.status for one in shown} == {200}
    assert all("Đã xác nhận" in one.text for one in shown)
    assert (await _events(world, rice))["order.confirmed"] == 1
    await world.settles()
    lan.phone.person.reads_all()


async def test_two_tabs_act_once(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """Each tab has a form of its own; the second one is told that it was done."""
    rice = await world.order()
    await lan.phone.sees(rice.code)
    link = lan.mail.gets(rice.code).link("Xem chi tiết đơn hàng")
    tabs = [await browser.opens(link) for _ in range(4)]

    await asyncio.gather(*(tab.presses("confirm") for tab in tabs))

    assert (await _events(world, rice))["order.confirmed"] == 1
    rice.heard("order.confirmed", times=1)
    lan.phone.person.reads_all()


# --- the API ---------------------------------------------------------------------------------------


async def test_an_order_placed_ten_times_at_once_with_one_key_is_one_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """One 201; the others are the same answer, marked as replayed."""
    body = world.body()

    answers = await asyncio.gather(*(platform.place(body, idempotency_key="k-1") for _ in range(10)))
    await world.settles()

    fresh = [answer for answer in answers if "Idempotent-Replayed" not in answer.headers]
    assert len(fresh) == 1
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    code = answers[0].body["code"]
    await lan.phone.sees(code)
    lan.mail.gets(code)


async def test_an_order_placed_ten_times_at_once_without_a_key_is_one_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The external id is as good as a key: 201 once, then 200."""
    body = world.body()

    answers = await asyncio.gather(*(platform.place(body) for _ in range(10)))
    await world.settles()

    assert Counter(answer.status for answer in answers) == {201: 1, 200: 9}
    assert len({answer.body["id"] for answer in answers}) == 1
    await lan.phone.sees(answers[0].body["code"])
    lan.mail.gets(answers[0].body["code"])


async def test_one_external_id_for_ten_contents_is_one_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Whoever comes first has it; the others hear that it was used for something else."""
    body = world.body()

    answers = await asyncio.gather(*(platform.place({**body, "note": f"cổng {n}"}) for n in range(10)))
    await world.settles()

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 9}
    code = next(answer.body["code"] for answer in answers if answer.ok)
    await lan.phone.sees(code)
    lan.mail.gets(code)


async def test_one_key_for_two_contents_is_told(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """422, and nothing is placed by the second."""
    body = world.body()
    first = await platform.place(body, idempotency_key="k-2")
    second = await platform.place({**body, "note": "khác"}, idempotency_key="k-2")
    await world.settles()

    assert (first.status, second.status) == (201, 422)
    assert second.body["code"] == "idempotency_key_reused"
    await lan.phone.sees(first.body["code"])
    lan.mail.gets(first.body["code"])


async def test_cancelling_ten_times_at_once_cancels_once(
    world: World, rice: Placed, platform: FakePlatform, lan: Somebody
) -> None:
    """With one key all hear the same; the kitchen and the customer are told once."""
    answers: list[Answer] = await asyncio.gather(
        *(
            platform.call(
                "POST", f"/orders/{rice.id}/cancel", {"reason": "Đổi ý"}, headers={"Idempotency-Key": "c"}
            )
            for _ in range(10)
        )
    )
    await world.settles()

    assert {answer.status for answer in answers} == {200}
    assert (await _events(world, rice))["order.cancelled"] == 1
    await lan.phone.sees(rice.code)
    lan.mail.gets(rice.code)
    world.inbox("an@example.com").gets()
