"""The alarms on the console: in words, with what to do and where to look."""

from datetime import timedelta

from core import alarms
from tests.bot.ops.conftest import signs_in
from tests.bot.web.conftest import Site


async def raised(site: Site, name: str, detail: str = "") -> None:
    """Raise an alarm now."""
    async with site.database.pool.acquire() as connection:
        await alarms.raise_(connection, name, detail, now=site.now)


async def test_an_alarm_is_told_as_its_mail_tells_it(site: Site) -> None:
    """With what to do, and the page that shows more."""
    await signs_in(site)
    await raised(site, "webhook: Đặt Cơm", "order.cancelled 48273")
    await raised(site, "zalo: token", "-124")
    await raised(site, "esms: gateway")
    page = await site.opens("/ops/alarms")
    assert "Đặt Cơm không nhận webhook order.cancelled 48273 từ 08:10 · chưa đến 1 phút" in page.text
    assert "Báo cho nền tảng, xem nhật ký gửi" in page.text
    assert 'href="/ops/platforms">Xem nền tảng' in page.html
    assert "Mã truy cập của Zalo có vấn đề" in page.text
    assert 'href="/ops/settings">Xem cài đặt của Zalo' in page.html
    assert "Cổng eSMS không trả lời" in page.text


async def test_an_alarm_that_has_no_words_is_called_by_its_name(site: Site) -> None:
    """A gateway's own sentence, for example."""
    await signs_in(site)
    await raised(site, "sms: SpeedSMS: tài khoản hết tiền (300)")
    assert "Sms: SpeedSMS: tài khoản hết tiền (300)" in (await site.opens("/ops/alarms")).text


async def test_what_is_over_tells_its_day_once(site: Site) -> None:
    """From when until when, and how long."""
    await signs_in(site)
    await raised(site, "esms: gateway")
    await site.goes_to(site.now + timedelta(minutes=20))
    async with site.database.pool.acquire() as connection:
        await alarms.clear(connection, "esms: gateway", now=site.now)
    assert (
        "Cổng eSMS không trả lời 08:10 thứ Ba 24/11 → 08:30 · 20 phút"
        in (await site.opens("/ops/alarms")).text
    )
