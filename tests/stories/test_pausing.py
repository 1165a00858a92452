"""The kitchen rests: by words or buttons, told to the platforms, and nothing that was promised is lost."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from core.partners import partners
from core.partners.partners import NONE, PartnerChange
from core.platforms.platforms import Scope
from sandbox.platform import FakePlatform
from tests.stories.world import START, VIETNAM, News, Placed, Somebody, World

HOURS = timedelta(hours=1)


def told(platform: FakePlatform) -> Sequence[dict[str, Any]]:
    """Return what a platform was told of kitchens, oldest first: type and data."""
    heard = [attempt for attempt in platform.heard() if attempt.type.startswith("partner.")]
    bodies = [json.loads(attempt.body) for attempt in heard]
    assert all(body["timestamp"] == body["data"]["at"] for body in bodies)
    return [{"type": body["type"], **body["data"]} for body in bodies]


async def refused_until(world: World, platform: FakePlatform) -> str:
    """Place one more order, which the kitchen's pause refuses; return what is said of it."""
    answer = await platform.place(world.body(deliver_in=timedelta(days=40)))
    assert answer.status == 409, answer
    assert answer.body["type"].endswith("partner_paused")
    return str(answer.body["detail"])


@pytest.mark.parametrize(
    "words",
    [
        "nghỉ hôm nay",
        "NGHI 1 NGAY",
        "hôm nay quán nghỉ nha",
        "nghir hoom nay",
        "NGHI 20/5",
        "nghỉ đến hết 20/5",
    ],
    ids=["today", "one day", "own words", "telex", "a date that is today", "an end that is today"],
)
async def test_a_kitchen_rests_for_today(world: World, rice: Placed, lan: Somebody, words: str) -> None:
    """No new orders until midnight; the answer tells what is still to be done, the platforms hear it."""
    await lan.phone.says(words)
    card = await lan.phone.sees(
        "Quán nghỉ, không nhận đơn mới đến hết thứ Sáu 20/05", "Còn 1 đơn đang mở vẫn phải làm"
    )
    assert lan.phone.buttons(card) == ["Mở lại ngay", "Xem các đơn"]
    assert "2033-05-21T00:00:00+07:00" in await refused_until(world, rice.platform)
    (event,) = told(rice.platform)
    assert event == {
        "type": "partner.paused",
        "partner": "com-nha-lan",
        "paused_until": "2033-05-21T00:00:00+07:00",
        "at": event["at"],
        "by": {"channel": "zalo", "name": "Lan"},
    }
    await lan.phone.says(f"XN {rice.code}")
    await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")


async def test_the_pause_ends_by_a_word(world: World, rice: Placed, lan: Somebody) -> None:
    """`MO LAI`: orders come again, the platforms hear of it; said twice it is no second event."""
    await lan.phone.says("NGHI 3 NGAY")
    await lan.phone.sees("hết Chủ nhật 22/05")
    for _ in range(2):
        await lan.phone.says("mở lại")
        await lan.phone.sees("Quán nhận đơn bình thường")
    assert [event["type"] for event in told(rice.platform)] == ["partner.paused", "partner.resumed"]
    assert told(rice.platform)[1]["paused_until"] is None
    await world.order()
    lan.catches_up()


async def test_a_later_day_is_asked_about_first(world: World, rice: Placed, lan: Somebody) -> None:
    """`NGHI 25/12` may mean that day alone, which nobody can promise: nothing happens before the tap."""
    await lan.phone.says("NGHI 25/12")
    card = await lan.phone.sees("Quán nghỉ từ bây giờ đến hết Chủ nhật 25/12?", "Chưa có gì thay đổi")
    assert lan.phone.buttons(card) == ["Nghỉ từ bây giờ", "Chọn ngày khác"]
    assert told(rice.platform) == []
    await lan.phone.taps("Nghỉ từ bây giờ")
    await lan.phone.sees("Quán nghỉ, không nhận đơn mới đến hết Chủ nhật 25/12")
    assert [event["paused_until"] for event in told(rice.platform)] == ["2033-12-26T00:00:00+07:00"]


@pytest.mark.parametrize("words", ["NGHI", "quán nghỉ trưa", "nghỉ 2", "nghỉ 31/2", "mai quán nghỉ không?"])
async def test_what_is_not_clear_asks_how_long(world: World, rice: Placed, lan: Somebody, words: str) -> None:
    """With buttons; a kitchen is never closed by a guess."""
    await lan.phone.says(words)
    card = await lan.phone.sees("Quán nghỉ nhận đơn đến khi nào?")
    assert lan.phone.buttons(card) == ["Hết hôm nay", "Hết ngày mai", "3 ngày", "7 ngày"]
    assert told(rice.platform) == []
    await lan.phone.taps("Hết ngày mai")
    await lan.phone.sees("đến hết thứ Bảy 21/05")
    await lan.phone.says("NGHI")
    card = await lan.phone.sees("Quán nghỉ nhận đơn đến khi nào?", "Quán đang nghỉ")
    assert lan.phone.buttons(card)[0] == "Mở lại ngay"
    await lan.phone.taps("Mở lại ngay")
    await lan.phone.sees("Quán nhận đơn bình thường")


async def test_an_old_button_pauses_nothing_of_today(world: World, rice: Placed, lan: Somebody) -> None:
    """What ends with yesterday asks again."""
    await lan.phone.says("NGHI")
    card = await lan.phone.sees("Quán nghỉ nhận đơn đến khi nào?")
    await world.passes(timedelta(days=1))
    world.everybody_catches_up()
    await lan.phone.taps("Hết hôm nay", on=card)
    await lan.phone.sees("Quán nghỉ nhận đơn đến khi nào?")
    assert told(rice.platform) == []


async def test_a_pause_that_is_over_ends_by_itself(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Every platform hears it once, in nobody's name; the kitchen's people hear it too."""
    other = await world.platform("Chợ Đêm", scope=Scope.OWN)
    await lan.phone.says("NGHI HOM NAY")
    lan.catches_up()
    await world.passes_until(datetime(2033, 5, 21, tzinfo=VIETNAM))
    await world.passes(HOURS)
    assert lan.catches_up().chat == ("Hết thời gian nghỉ, quán nhận đơn trở lại",)
    for one in (platform, other):
        assert [event["type"] for event in told(one)] == ["partner.paused", "partner.resumed"]
    assert told(platform)[1]["by"] == {"channel": "system", "name": "Chốt Đơn"}
    assert told(platform)[1]["at"] == "2033-05-21T00:00:00+07:00"
    await world.order()
    lan.catches_up()


async def test_the_others_hear_who_did_it(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """The manager who pauses gets the answer, the owner the notice, the cook neither."""
    minh = await world.hires("Minh", "manager")
    tu = await world.hires("Tú", "kitchen")
    await minh.phone.says("NGHI HOM NAY")
    await minh.phone.sees("Quán nghỉ, không nhận đơn mới đến hết thứ Sáu 20/05")
    card = await lan.phone.sees("Minh cho quán nghỉ, không nhận đơn mới đến hết thứ Sáu 20/05")
    assert lan.phone.buttons(card) == ["Mở lại ngay"]
    await lan.phone.taps("Mở lại ngay")
    await lan.phone.sees("Quán nhận đơn bình thường")
    await minh.phone.sees("Lan đã mở lại, quán nhận đơn bình thường")
    assert (tu.catches_up(), len(told(platform))) == (News(), 2)


@pytest.mark.parametrize("role", ["kitchen", "cashier"])
@pytest.mark.parametrize("words", ["NGHI", "NGHI HOM NAY", "NGHI 25/12", "MO LAI"])
async def test_only_who_runs_the_kitchen_may(
    world: World, platform: FakePlatform, lan: Somebody, role: str, words: str
) -> None:
    """Others are told whom to ask, and get no button for it."""
    vy = await world.hires("Vy", role)
    await vy.phone.says(words)
    card = await vy.phone.sees("Vai của bạn không cho quán nghỉ hay mở lại được", "Nhờ chủ quán hoặc quản lý")
    assert vy.phone.buttons(card) == []
    assert told(platform) == []


async def test_who_has_left_pauses_nothing(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Their buttons are dead at once."""
    minh = await world.hires("Minh", "manager")
    await minh.phone.says("NGHI")
    await minh.phone.sees("Quán nghỉ nhận đơn đến khi nào?")
    await world.fires("Minh")
    await minh.phone.taps("Hết hôm nay")
    await minh.phone.says("NGHI HOM NAY")
    assert (minh.catches_up(), told(platform)) == (News(), [])


async def test_who_runs_two_kitchens_is_asked_which(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """One word closes one kitchen at most."""
    quang = await world.kitchen("pho-mai", owner="Mai", email="mai@example.com", zalo=False)
    await world.link(lan.phone, quang.staff_id)
    await lan.phone.says("NGHI HOM NAY")
    first, second = lan.phone.person.reads_all()
    assert {"Bếp Lan" in first.text, "Bếp Mai" in first.text} == {True, False}
    assert told(platform) == []
    await lan.phone.taps("Nghỉ từ bây giờ", on=second)
    assert [event["type"] for event in told(platform)] == ["partner.paused"]
    lan.catches_up()


async def test_a_repeat_of_the_same_words_is_one_pause(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Zalo sends an event twice: one answer, one event."""
    delivery = await lan.phone.person.say("NGHI HOM NAY")
    await asyncio.gather(*(world.zalo.redeliver(delivery) for _ in range(5)))
    await world.settles()
    assert len(lan.catches_up().chat) == 1
    assert len(told(platform)) == 1


async def test_an_operator_pauses_on_the_command_line(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """`partner set --paused-until` goes the same way: the platforms and the kitchen hear of it."""
    until = START + 5 * HOURS
    await partners.change(world.database, "com-nha-lan", PartnerChange(paused_until=until))
    await world.service.sweeper.sweep()
    await world.settles()
    await lan.phone.sees("Tổng đài cho quán nghỉ, không nhận đơn mới đến 14:12 thứ Sáu 20/05")
    await partners.change(world.database, "com-nha-lan", PartnerChange(paused_until=NONE))
    await world.service.sweeper.sweep()
    await world.settles()
    await lan.phone.sees("Tổng đài đã mở lại")
    assert [event["by"]["channel"] for event in told(platform)] == ["operator", "operator"]


async def test_a_platform_that_was_away_hears_it_in_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Retried like every webhook, and signed like every one."""
    platform.status_next(503, times=1)
    await lan.phone.says("NGHI HOM NAY")
    await lan.phone.says("MO LAI")
    await world.passes(timedelta(seconds=10))
    assert [event["type"] for event in told(platform)] == ["partner.paused", "partner.resumed"]
    lan.catches_up()


async def test_what_is_over_by_the_morning_is_not_told(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan sleeps while Minh pauses, moves the end and opens again: she hears how it stands."""
    minh = await world.hires("Minh", "manager")
    await partners.change(world.database, "com-nha-lan", PartnerChange(quiet=(time(9), time(12))))
    for words in ("NGHI HOM NAY", "NGHI 3 NGAY", "MO LAI", "NGHI 2 NGAY"):
        await minh.phone.says(words)
    assert lan.catches_up() == News()
    await world.passes_until(datetime(2033, 5, 20, 12, 1, tzinfo=VIETNAM))
    assert lan.catches_up().chat == ("Minh cho quán nghỉ, không nhận đơn mới đến hết thứ Bảy 21/05",)
    minh.catches_up()
