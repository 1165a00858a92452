import re
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from bot.tokens import Bearer
from bot.web.nonces import NONCES, Nonces
from core.actors import Role, Via
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.status import Status
from core.partners.models import PartnerRow, StaffRow
from tests.bot.web.conftest import MORNING, NOON, Site

# --- What it shows ----------------------------------------------------------------------------------


async def test_a_new_order_in_the_order_of_importance(site: Site) -> None:
    """What is wanted, when, how much, what, where, note, who; the code beside the status."""
    order = await site.places()
    page = await site.opens(site.path(order))
    said = [
        f"Chờ xác nhận Đơn {order.code}",
        "Giao lúc 11:30 thứ Ba 24/11/2026 còn 3 giờ",
        "40 suất · 2.450.000 đ",
        "20 × Cơm gà không hành 1.200.000 đ",
        "Giao đến 12 Lê Lợi, Quận 1, TP.HCM",
        "Ghi chú Giao cổng sau",
        "Khách N••• V•• A•",
        "Đặt qua Đặt Cơm",
    ]
    places = [page.text.index(words) for words in said]
    assert page.status == 200
    assert all(before < after for before, after in pairwise(places))


async def test_get_and_head_change_nothing(site: Site) -> None:
    """A scanner that fetches a link ten times leaves no trace."""
    order = await site.places()
    tables = ("inbox", "events", "notices", "timers", "orders")
    before = [await site.counted(table) for table in tables]
    for _ in range(5):
        await site.opens(site.path(order))
        async with site.client.head(site.path(order)) as response:
            assert (response.status, await response.read()) == (200, b"")
    assert [await site.counted(table) for table in tables] == before
    assert await site.order(order.id) == order


async def test_the_customer_is_masked_until_the_order_is_taken(site: Site) -> None:
    """Name and phone show after confirmation; the address, which a kitchen must know, from the start."""
    order = await site.places()
    before = await site.opens(site.path(order))
    await site.does(ConfirmOrder(order.id))
    after = await site.opens(site.path(order))
    assert "Nguyễn Văn An" not in before.html
    assert "909123456" not in before.html
    assert "Nguyễn Văn An" in after.html
    assert 'href="tel:+84909123456"' in after.html


async def test_thirty_days_after_delivery_nobody_is_named(site: Site) -> None:
    """Name, phone and address go, from the history and the review too."""
    order = await site.places()
    order = await site.changed(order, address="99 Pasteur, Quận 3, TP.HCM")
    await site.does(ConfirmOrder(order.id))
    await site.goes_to(NOON + timedelta(days=1))
    await site.cancelled_by_operator(order)
    seen = await site.opens(site.path(order))
    await site.goes_to(NOON + timedelta(days=30, hours=1))
    page = await site.opens(site.path(order))
    assert "12 Lê Lợi" in seen.html
    assert page.status == 200
    for personal in ("Nguyễn Văn An", "909123456", "Lê Lợi", "Pasteur"):
        assert personal not in page.html


@pytest.mark.parametrize(
    ("role", "money", "acts"),
    [
        (Role.OWNER, True, True),
        (Role.MANAGER, True, True),
        (Role.KITCHEN, False, True),
        (Role.CASHIER, True, False),
    ],
)
async def test_money_and_buttons_go_by_role(site: Site, role: Role, *, money: bool, acts: bool) -> None:
    """A cook acts without seeing money; a cashier sees money without acting."""
    order = await site.places()
    order = await site.changed(order, fees=60_000, total=2_460_000)
    page = await site.opens(site.path(order, role=role))
    assert (re.search(r"\d đ\b", page.text) is not None) is money
    assert page.offers("confirm") is acts
    assert page.offers("cancel") is acts
    assert ("chỉ được xem" in page.text) is not acts


async def test_the_history_says_who_when_and_how(site: Site) -> None:
    """Every event stands there, the newest first, with what changed."""
    order = await site.places()
    order = await site.changed(order, deliver_at=NOON + timedelta(hours=1))
    await site.does(ConfirmOrder(order.id), role=Role.MANAGER, via=Via.ZALO)
    page = await site.opens(site.path(order))
    history = page.text[page.text.index("Đã xảy ra") :]
    said = ["Xác nhận đơn · Minh qua Zalo", "Đổi đơn · Đặt Cơm", "Giờ giao: 11:30", "Đặt đơn · Đặt Cơm"]
    places = [history.index(words) for words in said]
    assert places == sorted(places)
    assert "08:10 thứ Ba 24/11 · vừa xong" in history


async def test_a_review_is_shown(site: Site) -> None:
    """Stars for the eye, words for the ear."""
    page = await site.opens(site.path(await site.completed()))
    assert "★★★★☆ 4 trên 5 sao Ngon, giao đúng giờ Chị An" in page.text


async def test_words_of_customers_are_not_html(site: Site) -> None:
    """Nothing that was typed into an order becomes a tag or an attribute."""
    evil = "<script>alert(1)</script>\"'><img src=x>"
    order = await site.places(note=evil, address=evil)
    page = await site.opens(site.path(order))
    assert "<script>" not in page.html
    assert "<img" not in page.html
    assert "&lt;script&gt;" in page.html


async def test_the_page_speaks_the_readers_language(site: Site) -> None:
    """A staff member's own language wins over the kitchen's, which wins over ours."""
    order = await site.places()
    await PartnerRow.filter(id=site.partner_id).update(locale="en")
    await StaffRow.filter(id=site.staff[Role.MANAGER]).update(locale="vi")
    english = await site.opens(site.path(order))
    assert '<html lang="en">' in english.html
    assert "Confirm order" in english.text
    await site.does(ConfirmOrder(order.id))
    await site.goes_to(NOON)
    assert re.search(r"> *Complete *</button>", (await site.opens(site.path(order))).html)
    assert '<html lang="vi">' in (await site.opens(site.path(order, role=Role.MANAGER))).html


async def test_a_page_is_small(site: Site) -> None:
    """Two hundred dishes are below 100 kB, style sheet included."""
    order = await site.places()
    item = order.items[0]
    order = await site.changed(
        order, items=(item,) * 200, fees=0, total=200 * item.quantity * item.unit_price
    )
    page = await site.opens(site.path(order))
    style = await site.opens("/static/chotdon.css")
    assert len(page.html.encode()) + len(style.html.encode()) < 100_000


# --- What can be done -------------------------------------------------------------------------------


async def test_confirm(site: Site) -> None:
    """It is confirmed once, in the reader's name, as by email; the page says so, and what comes next."""
    order = await site.places()
    page = await site.presses(site.path(order), "confirm")
    order = await site.order(order.id)
    assert order.status is Status.CONFIRMED
    assert (order.status_changed_by.name, order.status_changed_by.via) == ("Lan", Via.EMAIL)
    assert page.status == 200
    assert f"Đã xác nhận đơn {order.code}" in page.text
    assert "Hoàn thành (từ 10:30" in page.text
    assert not page.offers("confirm")


async def test_a_link_from_a_chat_acts_as_by_the_web(site: Site) -> None:
    """`email` is only said of a page that was reached from a mail."""
    order = await site.places()
    await site.presses(site.path(order, bearer=Bearer.STAFF_CHAT), "confirm")
    assert (await site.order(order.id)).status_changed_by.via is Via.WEB


async def test_an_action_leads_back_to_the_page(site: Site) -> None:
    """Reloading after an action sends nothing again."""
    order = await site.places()
    nonce = (await site.opens(site.path(order))).nonce("confirm")
    path = site.path(order)
    async with site.client.post(f"{path}/confirm", data={"nonce": nonce}, allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"].startswith(f"{path}?")


@pytest.mark.parametrize("reason", ["1", "2", "3", "4", "5"])
async def test_cancel_with_a_reason(site: Site, reason: str) -> None:
    """Each reason of the short list is kept with its number, and told again."""
    order = await site.places()
    page = await site.presses(site.path(order), "cancel", reason=reason)
    order = await site.order(order.id)
    assert order.status is Status.CANCELLED
    assert order.reason == reason_of(int(reason))
    assert f"Đã huỷ đơn {order.code}. Lý do: {order.reason.text}" in page.text


async def test_cancel_for_another_reason(site: Site) -> None:
    """Reason 6 keeps the words; on one line."""
    order = await site.places()
    await site.presses(site.path(order), "cancel", reason="6", note="  Bếp\r\n hỏng  lò ")
    assert (await site.order(order.id)).reason == reason_of(6, "Bếp hỏng lò")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"reason": ""},
        {"reason": "0"},
        {"reason": "7"},
        {"reason": "01"},
        {"reason": "một"},
        {"reason": "６"},
        {"reason": "6", "note": "x" * 501},
        {"reason": "6", "note": "a\x00b"},
    ],
)
async def test_cancel_without_a_good_reason(site: Site, fields: dict[str, str]) -> None:
    """Nothing is cancelled; the page asks again, in the same place."""
    order = await site.places()
    page = await site.presses(site.path(order), "cancel", **fields)
    assert page.status == 422
    assert "Đơn chưa bị huỷ." in page.text
    assert 'class="reasons open"' in page.html
    assert (await site.order(order.id)).status is Status.PENDING
    again = await site.sends(f"{site.path(order)}/cancel", {"nonce": page.nonce("cancel"), "reason": "2"})
    assert again.status == 200
    assert (await site.order(order.id)).status is Status.CANCELLED


async def test_complete(site: Site) -> None:
    """From an hour before delivery on; the page thanks, and names the money."""
    order = await site.confirmed()
    assert not (await site.opens(site.path(order))).offers("complete")
    await site.goes_to(NOON - timedelta(minutes=59))
    page = await site.presses(site.path(order), "complete")
    assert (await site.order(order.id)).status is Status.COMPLETED
    assert f"Đã hoàn thành đơn {order.code}" in page.text
    assert "2.450.000 đ" in page.text


async def test_too_early_to_complete(site: Site) -> None:
    """A form that was opened at another time of the clock is answered with when."""
    order = await site.confirmed()
    await site.goes_to(NOON)
    nonce = (await site.opens(site.path(order))).nonce("complete")
    await site.goes_to(MORNING)
    page = await site.sends(f"{site.path(order)}/complete", {"nonce": nonce})
    assert (await site.order(order.id)).status is Status.CONFIRMED
    assert "Bấm Hoàn thành được từ 10:30" in page.text


async def test_a_double_press_acts_once(site: Site) -> None:
    """The second one gets the same answer, whatever happened in between."""
    order = await site.places()
    path = site.path(order)
    form = {"nonce": (await site.opens(path)).nonce("confirm")}
    first, second = await site.sends(f"{path}/confirm", form), await site.sends(f"{path}/confirm", form)
    assert first.url == second.url
    assert f"Đã xác nhận đơn {order.code}" in first.text
    assert f"Đã xác nhận đơn {order.code}" in second.text
    assert (await site.order(order.id)).version == 2


async def test_somebody_was_faster(site: Site) -> None:
    """Whoever presses later is told who settled it, when and how."""
    order = await site.places()
    path = site.path(order)
    nonce = (await site.opens(path)).nonce("cancel")
    await site.does(ConfirmOrder(order.id), role=Role.MANAGER, via=Via.ZALO)
    page = await site.sends(f"{path}/cancel", {"nonce": nonce, "reason": "1"})
    assert (await site.order(order.id)).status is Status.CONFIRMED
    assert "không tự huỷ được" in page.text
    assert "19001234" in page.text


async def test_confirming_what_a_colleague_confirmed(site: Site) -> None:
    """The present state, and who made it so."""
    order = await site.places()
    path = site.path(order)
    nonce = (await site.opens(path)).nonce("confirm")
    await site.does(ConfirmOrder(order.id), role=Role.MANAGER, via=Via.ZALO)
    page = await site.sends(f"{path}/confirm", {"nonce": nonce})
    assert f"Đơn {order.code} đã được Minh xác nhận lúc 08:10 qua Zalo." in page.text
    assert page.text.index("đã được Minh xác nhận") < page.text.index("Giao lúc")


async def test_a_confirmed_order_offers_the_hotline(site: Site) -> None:
    """A partner cannot cancel it alone; there is no form for it."""
    page = await site.opens(site.path(await site.confirmed()))
    assert not page.offers("cancel")
    assert 'href="tel:19001234"' in page.html


async def test_an_expired_order(site: Site) -> None:
    """After the delivery time there is nothing to press, and a late press is told why."""
    order = await site.places()
    path = site.path(order)
    nonce = (await site.opens(path)).nonce("confirm")
    await site.goes_to(NOON + timedelta(minutes=1))
    assert not (await site.opens(path)).offers("confirm")
    page = await site.sends(f"{path}/confirm", {"nonce": nonce})
    assert (await site.order(order.id)).status is Status.EXPIRED
    assert "quá hạn xác nhận" in page.text


# --- Whose link it is -------------------------------------------------------------------------------


async def test_the_link_of_an_older_order_shows_but_does_not_act(site: Site) -> None:
    """After a change the old mail's link shows the new content and no buttons."""
    order = await site.places()
    path = site.path(order)
    nonce = (await site.opens(path)).nonce("confirm")
    await site.changed(order, note="Giao cổng trước")
    page = await site.opens(path)
    assert "Giao cổng trước" in page.text
    assert "Đơn đã thay đổi sau khi đường dẫn này được gửi" in page.text
    assert not page.offers("confirm")
    await site.sends(f"{path}/confirm", {"nonce": nonce})
    assert (await site.order(order.id)).status is Status.PENDING


async def test_the_link_of_somebody_who_left(site: Site) -> None:
    """It shows no more than the status, and does not act."""
    order = await site.confirmed()
    await site.goes_to(NOON)
    path = site.path(order, role=Role.MANAGER)
    nonce = (await site.opens(path)).nonce("complete")
    await site.leaves(Role.MANAGER)
    page = await site.opens(path)
    assert page.status == 200
    assert "không còn trong danh sách nhân viên" in page.text
    for private in ("Nguyễn Văn An", "Lê Lợi", "2.450.000", "Cơm gà", "Minh"):
        assert private not in page.text
    await site.sends(f"{path}/complete", {"nonce": nonce})
    assert (await site.order(order.id)).status is Status.CONFIRMED


@pytest.mark.parametrize("bearer", [Bearer.CUSTOMER, Bearer.OPERATOR])
async def test_links_of_customers_and_operators_only_show(site: Site, bearer: Bearer) -> None:
    """They carry no staff member in whose name anything could be done."""
    order = await site.places()
    path = site.path(order, role=None, bearer=bearer)
    page = await site.opens(path)
    assert page.status == 200
    assert not page.offers("confirm")
    nonce = (await site.opens(site.path(order))).nonce("confirm")
    refused = await site.sends(f"{path}/confirm", {"nonce": nonce})
    assert refused.status == 403
    assert (await site.order(order.id)).status is Status.PENDING


async def test_customers_do_not_see_who_works_there(site: Site) -> None:
    """The history names staff; it is for the kitchen and for operators."""
    page = await site.opens(site.path(await site.confirmed(), role=None, bearer=Bearer.CUSTOMER))
    assert "Minh" not in page.text


async def test_a_cashier_cannot_act_by_hand(site: Site) -> None:
    """Whoever sends the form without being shown it is refused inside the transaction."""
    order = await site.places()
    path = site.path(order, role=Role.CASHIER)
    page = await site.sends(f"{path}/confirm", {"nonce": _nonce_for(site, path)})
    assert (await site.order(order.id)).status is Status.PENDING
    assert "không bấm" in page.text


def _nonce_for(site: Site, path: str) -> str:
    """Return a nonce for this link as the server itself would make it."""
    app = site.client.server.app  # type: ignore[attr-defined]  # a test server of aiohttp has one
    nonces: Nonces = app[NONCES]
    return nonces.issue(path.removeprefix("/o/"))


async def test_a_link_is_shown_until_thirty_days_after_the_end(site: Site) -> None:
    """Then a page says politely that it is closed; for the sending of forms as well."""
    order = await site.completed()
    path = site.path(order)
    await site.goes_to(NOON + timedelta(days=29, hours=23))
    assert (await site.opens(path)).status == 200
    await site.goes_to(NOON + timedelta(days=30, minutes=1))
    page = await site.opens(path)
    assert page.status == 410
    assert "đã đóng" in page.text
    assert (await site.sends(f"{path}/complete", {"nonce": "x"})).status == 410


# --- Who sends a form -------------------------------------------------------------------------------


@pytest.mark.parametrize("nonce", ["", "x", "a.b", "ạ", "x" * 5_000])
async def test_a_form_without_a_good_nonce(site: Site, nonce: str) -> None:
    """Nothing is done; the page comes again with fresh buttons and says so."""
    order = await site.places()
    page = await site.sends(f"{site.path(order)}/confirm", {"nonce": nonce})
    assert page.status == 403
    assert "Chưa có gì được làm." in page.text
    assert page.offers("confirm")
    assert (await site.order(order.id)).status is Status.PENDING


async def test_a_pages_nonce_does_each_deed_once(site: Site) -> None:
    """All forms of a page carry the same one; a second deed with it is a deed of its own, and answered so."""
    order = await site.places()
    path = site.path(order)
    nonce = (await site.opens(path)).nonce("cancel")
    await site.sends(f"{path}/confirm", {"nonce": nonce})
    page = await site.sends(f"{path}/cancel", {"nonce": nonce, "reason": "1"})
    assert "không tự huỷ được" in page.text
    assert (await site.order(order.id)).status is Status.CONFIRMED
    assert (await site.order(order.id)).version == 2


async def test_a_nonce_is_bound_to_its_link(site: Site) -> None:
    """One of another person's link, or of another order's, does nothing."""
    order, other = await site.places(), await site.places()
    path = site.path(order)
    foreign = [
        (await site.opens(site.path(order, role=Role.MANAGER))).nonce("confirm"),
        (await site.opens(site.path(other))).nonce("confirm"),
    ]
    for nonce in foreign:
        assert (await site.sends(f"{path}/confirm", {"nonce": nonce})).status == 403
    assert (await site.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize("origin", ["null", "http://chotdon.example", None])
async def test_forms_from_here_and_from_mail_apps(site: Site, origin: str | None) -> None:
    """Browsers inside mail apps hide where they are; the nonce vouches."""
    order = await site.places()
    nonce = (await site.opens(site.path(order))).nonce("confirm")
    headers = {"Origin": origin} if origin else {}
    page = await site.sends(f"{site.path(order)}/confirm", {"nonce": nonce}, **headers)
    assert page.status == 200
    assert (await site.order(order.id)).status is Status.CONFIRMED


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://chotdon.example",
        "http://chotdon.example.evil.vn",
        "",
        "http://chotdon.example:81",
    ],
)
async def test_forms_from_elsewhere(site: Site, origin: str) -> None:
    """Another site cannot press our buttons, even with a nonce in hand."""
    order = await site.places()
    nonce = (await site.opens(site.path(order))).nonce("confirm")
    page = await site.sends(f"{site.path(order)}/confirm", {"nonce": nonce}, Origin=origin)
    assert page.status == 403
    assert (await site.order(order.id)).status is Status.PENDING


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"nonce=x", "text/plain", 415),
        (b"--b\r\n", "multipart/form-data; boundary=b", 415),
        (b"nonce=\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"nonce=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"nonce=%ed%a0%80", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(100)), "application/x-www-form-urlencoded", 400),
        (b"note=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 403),
        (b"nonce=%00", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_forms_that_are_none(site: Site, body: bytes, content_type: str, status: int) -> None:
    """Malformed, hostile or too large: one clear page each, nothing done."""
    order = await site.places()
    path = f"{site.path(order)}/confirm"
    async with site.client.post(path, data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == status
        assert "text/html" in response.headers["Content-Type"]
    assert (await site.order(order.id)).version == 1


# --- Links that are none ----------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "%00", "a" * 94, "a" * 5_000, "%F0%9F%8D%9A", "a.b.c", "%ED%A0%80"])
async def test_a_bad_token(site: Site, token: str) -> None:
    """A polite page, and no hint whether there is such an order."""
    for page in (await site.opens(f"/o/{token}"), await site.sends(f"/o/{token}/confirm", {"nonce": "x"})):
        assert page.status in {404, 405}
        assert "Traceback" not in page.html


async def test_a_token_that_was_tampered_with(site: Site) -> None:
    """One letter more or less, or another one, opens nothing."""
    path = site.path(await site.places())
    for wrong in (path[:-1], f"{path}A", path[:10] + ("A" if path[10] != "A" else "B") + path[11:]):
        assert (await site.opens(wrong)).status == 404


async def test_a_token_of_nothing(site: Site) -> None:
    """A link to an order or a person that is not there is not found."""
    order = await site.places()
    site.staff[Role.OWNER] = uuid4()
    assert (await site.opens(site.path(order))).status == 404


async def test_what_was_answered_is_told_to_its_own_link_only(site: Site) -> None:
    """The address after an action cannot be moved to another link, and nonsense in it is passed over."""
    order = await site.places()
    done = await site.presses(site.path(order), "confirm")
    query = done.url.partition("?")[2]
    other = await site.opens(f"{site.path(order, role=Role.KITCHEN)}?{query}")
    assert "Đã xác nhận đơn" in done.text
    assert "Đã xác nhận đơn" not in other.text
    for nonsense in ("answered=", "answered=confirm.x", "answered=%00.%00", "answered=" + "x" * 3_000):
        assert (await site.opens(f"{site.path(order)}?{nonsense}")).status == 200


async def test_cancelled_by_an_operator(site: Site) -> None:
    """The page says who stopped it, and what the kitchen must do."""
    order = await site.cancelled_by_operator(await site.confirmed())
    page = await site.opens(site.path(order))
    assert "Hà" in page.text
    assert "Khách đổi ý" in page.text
    assert "Đừng làm" in page.text


async def test_a_cancelled_order_by_a_colleague(site: Site) -> None:
    """The reason is in the history too."""
    order = await site.places()
    await site.does(CancelOrder(order.id, reason_of(1)), role=Role.KITCHEN, via=Via.SMS)
    page = await site.opens(site.path(order))
    assert f"Đơn {order.code} đã được Tú huỷ lúc 08:10 qua SMS." in page.text
    assert page.text.count("Lý do: Hết món") == 2
