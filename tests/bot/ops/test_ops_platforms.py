"""Platforms on the operators' console: what each lacks, its deliveries, and what is done to it."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.actors import Role
from core.platforms import webhooks
from tests.bot.ops.console import HA, deeds, presses, settings, sign_in, site, tried
from tests.bot.web.conftest import Site

__all__ = ["settings", "site"]

EVIL = "<script>alert(1)</script>"


def page_of(site: Site) -> str:
    """Return the path of the platform's page."""
    return f"/ops/platforms/{site.platform_id}"


async def listens(site: Site, url: str | None = "https://shop.example/hook") -> None:
    """Give the platform an address."""
    await site.database.pool.execute("UPDATE platforms SET webhook_url = $1", url)


async def state_of(site: Site, webhook_id: UUID) -> dict[str, Any]:
    """Return how a webhook stands."""
    row = await site.database.pool.fetchrow(
        "SELECT state, tries, next_at FROM webhooks WHERE id = $1", webhook_id
    )
    return dict(row) if row else {}


# --- Who may ----------------------------------------------------------------------------------------


async def test_who_is_no_operator_sees_no_platform(site: Site) -> None:
    """The owner of a kitchen is led to the operators' sign-in."""
    await site.signs_in(Role.OWNER)
    for path in ("/ops/platforms", page_of(site)):
        page = await site.opens(path)
        assert "/ops/login" in page.url
        assert "Đặt Cơm" not in page.text


@pytest.mark.parametrize("deed", ["settings", "replay", "replay-all", "test", "secret", "disable", "enable"])
async def test_a_form_without_its_nonce_does_nothing(site: Site, deed: str) -> None:
    """Nothing is changed, sent or written down."""
    await listens(site)
    await sign_in(site)
    before = await site.database.pool.fetchrow("SELECT * FROM platforms")
    page = await site.sends(f"{page_of(site)}/{deed}", {"nonce": "x", "reason": "vì", "keep": "P1D"})
    assert page.status == 403
    assert await site.database.pool.fetchrow("SELECT * FROM platforms") == before
    assert await deeds(site) == []


@pytest.mark.parametrize("platform", ["none", str(UUID(int=7)), "%00"], ids=["word", "stranger", "nul"])
async def test_a_platform_that_is_not_there_is_said_so(site: Site, platform: str) -> None:
    """404, whatever the address says."""
    await sign_in(site)
    assert (await site.opens(f"/ops/platforms/{platform}")).status == 404


# --- Seeing -----------------------------------------------------------------------------------------


async def test_the_list_tells_what_each_platform_lacks(site: Site) -> None:
    """Nothing is said so too; an address shows its host alone."""
    await sign_in(site)
    assert "chưa có địa chỉ nhận tin Đã nhận đủ mọi tin." in (await site.opens("/ops/platforms")).text
    await listens(site, "https://shop.example/hook?key=secret")
    await site.places()
    await site.goes_to(site.now + timedelta(minutes=20))
    page = await site.opens("/ops/platforms")
    assert "shop.example 1 tin chưa nhận, tin cũ nhất đã chờ 20 phút" in page.text
    assert "secret" not in page.html


async def test_a_delivery_tells_every_try(site: Site) -> None:
    """What was answered, when, how long it took, and when it is tried again; then that it arrived."""
    await listens(site)
    await sign_in(site)
    order = await site.places()
    await tried(site, status=503, why="busy")
    text = (await site.opens(page_of(site))).text
    assert f"order.placed com-nha-lan/{order.code} Đang chờ gửi gửi tiếp" in text
    assert "HTTP 503: busy" in text
    assert "1 lần gửi" in text
    assert re.search(r"08:1\d:\d\d 24/11 HTTP 503: busy 120 ms", text)
    await site.goes_to(site.now + timedelta(minutes=2))
    await tried(site, status=200, why="")
    text = (await site.opens(page_of(site))).text
    assert f"order.placed com-nha-lan/{order.code} Đã nhận" in text
    assert "Đã nhận đủ mọi tin." in text


async def test_deliveries_are_narrowed_and_paged(site: Site) -> None:
    """By state, twenty-five a page, each once."""
    await listens(site)
    await sign_in(site)
    codes = [(await site.places()).code for _ in range(27)]
    first = await site.opens(f"{page_of(site)}?state=waiting")
    more = re.search(r'href="([^"]+after=[^"]+)"', first.html)
    assert more
    second = await site.opens(more[1].replace("&amp;", "&"))
    shown = re.findall(r"com-nha-lan/(\d{5})</a>", first.html + second.html)
    assert sorted(shown) == sorted(codes)
    assert len(re.findall(r"com-nha-lan/(\d{5})</a>", first.html)) == 25
    assert "Không có tin nào ở trạng thái này." in (await site.opens(f"{page_of(site)}?state=dead")).text
    odd = await site.opens(f"{page_of(site)}?state={EVIL}&after=x")
    assert (odd.status, EVIL in odd.html) == (200, False)


async def test_what_a_platform_is_called_and_answers_is_only_text(site: Site) -> None:
    """Names and answers come from outside."""
    await listens(site)
    await sign_in(site)
    await site.database.pool.execute("UPDATE platforms SET name = $1", EVIL)
    await site.places()
    await tried(site, status=500, why=EVIL)
    for path in ("/ops/platforms", page_of(site)):
        page = await site.opens(path)
        assert EVIL not in page.html
        assert EVIL in page.text


# --- Sending again ----------------------------------------------------------------------------------


async def test_one_webhook_is_sent_once_more(site: Site) -> None:
    """It waits anew, and it is on record who wanted it."""
    await listens(site)
    await sign_in(site)
    await site.places()
    webhook = await tried(site, status=200, why="")
    page = await presses(site, page_of(site), f"{page_of(site)}/replay")
    assert "Đang gửi lại." in page.text
    assert ((await state_of(site, webhook))["state"], (await state_of(site, webhook))["tries"]) == (
        "waiting",
        0,
    )
    (deed,) = await deeds(site)
    assert (deed["who"], deed["via"], deed["deed"], deed["about"]) == (
        HA,
        "console",
        "platform.webhook_replayed",
        "Đặt Cơm",
    )
    assert deed["data"] == {"webhook": str(webhook)}


async def test_a_webhook_of_somebody_else_is_not_sent(site: Site) -> None:
    """The platform of the page and the webhook of the form must fit."""
    await listens(site)
    await sign_in(site)
    await site.places()
    page = await presses(site, page_of(site), f"{page_of(site)}/replay", webhook=str(uuid4()))
    assert (page.status, "Không còn tin này." in page.text) == (422, True)
    assert await deeds(site) == []


async def test_everything_that_is_lacking_is_sent_at_once(site: Site) -> None:
    """What waits for later and what was given up; what arrived is left alone."""
    await listens(site)
    await sign_in(site)
    await site.places()
    arrived = await tried(site, status=200, why="")
    await site.places()
    waiting = await tried(site, status=503, why="busy")
    await site.places()
    dead = await tried(site, status=503, why="busy")
    await site.database.pool.execute("UPDATE webhooks SET state = 'dead', tries = 11 WHERE id = $1", dead)
    page = await presses(site, page_of(site), f"{page_of(site)}/replay-all")
    assert "Đang gửi lại." in page.text
    for webhook in (waiting, dead):
        state = await state_of(site, webhook)
        assert (state["state"], state["tries"], state["next_at"] <= site.now) == ("waiting", 0, True)
    assert (await state_of(site, arrived))["state"] == "delivered"
    (deed,) = await deeds(site)
    assert (deed["deed"], deed["data"]) == ("platform.webhooks_replayed", {"count": 2})


async def test_a_test_is_sent(site: Site) -> None:
    """It stands among the deliveries as one, and in the record."""
    await listens(site)
    await sign_in(site)
    page = await presses(site, page_of(site), f"{page_of(site)}/test")
    assert "Đang gửi tin thử." in page.text
    assert "thử Đang chờ gửi" in page.text
    assert [deed["deed"] for deed in await deeds(site)] == ["platform.tested"]


async def test_nothing_is_sent_to_a_platform_without_an_address(site: Site) -> None:
    """There is no button, and a form made by hand is refused in words."""
    await sign_in(site)
    page = await site.opens(page_of(site))
    assert "Gửi tin thử" not in page.text
    nonce = re.findall(r'name="nonce" value="([^"]+)"', page.html)[0]
    refused = await site.sends(f"{page_of(site)}/test", {"nonce": nonce})
    assert (refused.status, "chưa có địa chỉ nhận tin. Bật lại" in refused.text) == (422, True)


# --- Switching off and on, and changing -------------------------------------------------------------


async def test_a_platform_is_switched_off_with_a_reason_and_on_again(site: Site) -> None:
    """What it lacks waits meanwhile, and is due at once afterwards."""
    await listens(site)
    await sign_in(site)
    await site.places()
    refused = await presses(site, page_of(site), f"{page_of(site)}/disable", reason=" ")
    assert (refused.status, "Ghi lý do" in refused.text) == (422, True)
    page = await presses(site, page_of(site), f"{page_of(site)}/disable", reason="Họ đang chuyển máy chủ")
    assert "Đã tắt lúc 08:1" in page.text
    assert "Họ đang chuyển máy chủ" in page.text
    assert "Gửi lại mọi tin" not in page.text
    assert await webhooks.due(site.database) == []
    page = await presses(site, page_of(site), f"{page_of(site)}/enable")
    assert "Đã bật." in page.text
    assert len(await webhooks.due(site.database)) == 1
    assert [(deed["deed"], deed["reason"]) for deed in await deeds(site)] == [
        ("platform.disabled", "Họ đang chuyển máy chủ"),
        ("platform.enabled", ""),
    ]


async def test_a_new_secret_is_shown_once(site: Site) -> None:
    """The old one signs for a day; the record has neither."""
    await listens(site)
    await sign_in(site)
    page = await presses(site, page_of(site), f"{page_of(site)}/secret", keep="P1D")
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
    assert found
    row = await site.database.pool.fetchrow("SELECT * FROM platforms")
    assert row is not None
    assert (row["webhook_secret"], row["secret_before"]) == (found[0], "whsec_x")
    assert row["secret_before_until"] - site.now > timedelta(hours=23)
    again = await site.opens(page_of(site))
    assert "whsec_" not in again.html
    assert "khoá ký cũ còn dùng đến" in again.text
    (deed,) = await deeds(site)
    assert deed["deed"] == "platform.secret_renewed"
    assert "whsec_" not in str(deed)


async def test_how_long_the_old_secret_signs_is_one_of_the_offers(site: Site) -> None:
    """Anything else changes nothing."""
    await sign_in(site)
    page = await presses(site, page_of(site), f"{page_of(site)}/secret", keep="P9999D")
    assert page.status == 422
    assert await site.database.pool.fetchval("SELECT webhook_secret FROM platforms") == "whsec_x"


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "https://127.0.0.1/hook",
        "https://a:b@shop.example/",
        "javascript:alert(1)",
    ],
    ids=["http", "private", "password", "script"],
)
async def test_an_address_that_webhooks_must_not_go_to_is_refused(site: Site, url: str) -> None:
    """In words, with what was typed, and nothing is changed."""
    await listens(site)
    await sign_in(site)
    page = await presses(site, page_of(site), f"{page_of(site)}/settings", url=url, scope="own", notify="on")
    assert (page.status, "Địa chỉ này không dùng được" in page.text) == (422, True)
    assert f'value="{url}"' in page.html
    assert (
        await site.database.pool.fetchval("SELECT webhook_url FROM platforms") == "https://shop.example/hook"
    )


async def test_a_platform_is_changed(site: Site) -> None:
    """What it hears, and what its customers do; an address taken away is none."""
    await listens(site)
    await sign_in(site)
    page = await presses(site, page_of(site), f"{page_of(site)}/settings", url="", scope="own", review="on")
    assert "Đã lưu." in page.text
    row = await site.database.pool.fetchrow("SELECT * FROM platforms")
    assert row is not None
    assert (row["webhook_url"], row["scope"], row["notify_customer"], row["ask_review"]) == (
        None,
        "own",
        False,
        True,
    )
    assert [deed["deed"] for deed in await deeds(site)] == ["platform.changed"]
