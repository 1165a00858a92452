"""How the mails about one order hang together, and what they carry."""

import re
from datetime import timedelta

from icalendar import Calendar

from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.order import Reason
from sandbox.mailbox import Mail
from sandbox.platform import FakePlatform
from tests.stories.world import Placed, Somebody, World


def _entry(mail: Mail) -> dict[str, str]:
    """Return the delivery that the mail carries for a calendar, by the names of RFC 5545."""
    (attached,) = mail.attachments
    assert attached.content_type == "text/calendar"
    assert attached.filename.endswith(".ics")
    calendar = Calendar.from_ical(attached.content.decode())
    (event,) = calendar.walk("VEVENT")
    found = {name: str(event.get(name)) for name in ("UID", "SEQUENCE", "STATUS", "LOCATION", "SUMMARY")}
    return found | {"METHOD": str(calendar.get("METHOD")), "DTSTART": event.decoded("DTSTART").isoformat()}


async def _life(world: World, lan: Somebody, order: Placed) -> list[Mail]:
    """Let an order be confirmed, be asked for and be completed; return all mails about it."""
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    await lan.phone.taps("Hoàn thành")
    world.everybody_catches_up()
    return world.mailbox.inbox(lan.mail.address)


async def test_all_mails_about_one_order_are_one_conversation(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Every later mail names the first one, and no two have the same id."""
    first, *later = await _life(world, lan, rice)
    assert [mail.headers["references"] for mail in later] == [first.headers["message-id"]] * len(later)
    assert [mail.headers["in-reply-to"] for mail in later] == [first.headers["message-id"]] * len(later)
    assert len({mail.headers["message-id"] for mail in (first, *later)}) == 1 + len(later) == 3
    assert all(mail.subject.startswith(f"Đơn {rice.code} ") for mail in (first, *later))


async def test_two_orders_are_two_conversations(world: World, rice: Placed, lan: Somebody) -> None:
    """A second order's first mail refers to nothing."""
    await world.order()
    (second,) = lan.mail.opens_all()
    lan.phone.person.reads_all()
    first = world.mailbox.inbox(lan.mail.address)[0]
    assert second.headers["message-id"] != first.headers["message-id"]
    assert "references" not in second.headers


async def test_a_mail_says_that_a_machine_wrote_it(world: World, rice: Placed, lan: Somebody) -> None:
    """So that nobody's holiday reply comes back."""
    (mail,) = world.mailbox.inbox(lan.mail.address)
    assert mail.headers["auto-submitted"] == "auto-generated"
    assert mail.headers["from"].endswith("<chotdon@chotdon.example>")


async def test_the_details_link_is_red_and_underlined(world: World, rice: Placed, lan: Somebody) -> None:
    """In the HTML part, on the link itself, whatever the mail program makes of style sheets."""
    (mail,) = world.mailbox.inbox(lan.mail.address)
    (style,) = re.findall(r'<a href="[^"]+" style="([^"]+)"[^>]*>\s*Xem chi tiết đơn hàng', mail.html)
    red, _, _ = re.search(r"color:\s*#(..)(..)(..)", style).groups()  # type: ignore[union-attr]
    assert int(red, 16) > 0x90
    assert "text-decoration:underline" in style.replace(" ", "")


async def test_a_new_order_can_be_put_into_a_calendar(world: World, rice: Placed, lan: Somebody) -> None:
    """As a delivery that is not settled yet, at the right time and place."""
    (mail,) = world.mailbox.inbox(lan.mail.address)
    entry = _entry(mail)
    assert entry["METHOD"] == "PUBLISH"
    assert entry["STATUS"] == "TENTATIVE"
    assert entry["DTSTART"] == "2033-05-20T08:12:00+00:00"
    assert entry["LOCATION"] == "12 Lê Lợi, Quận 1, TP.HCM"
    assert rice.code in entry["SUMMARY"]


async def test_a_changed_delivery_replaces_the_one_in_the_calendar(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The same entry, with a higher number and the new time."""
    (new,) = world.mailbox.inbox(lan.mail.address)
    later = rice.deliver_at + timedelta(hours=1)
    await rice.platform.change(rice.id, deliver_at=later.isoformat())
    await world.settles()
    changed, before = _entry(lan.mail.gets("đã thay đổi")), _entry(new)
    assert changed["UID"] == before["UID"]
    assert int(changed["SEQUENCE"]) > int(before["SEQUENCE"])
    assert changed["DTSTART"] == "2033-05-20T09:12:00+00:00"
    lan.phone.person.reads_all()


async def test_a_delivery_that_an_operator_confirms_is_settled_in_the_calendar(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The entry of the first mail becomes a confirmed one."""
    await world.operator(ConfirmOrder(rice.order_id))
    assert _entry(lan.mail.gets("xác nhận lúc"))["STATUS"] == "CONFIRMED"
    lan.phone.person.reads_all()


async def test_a_delivery_that_will_not_be_leaves_the_calendar(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Cancelled by whomever, confirmed before or not: the entry of the first mail is withdrawn."""
    await world.operator(CancelOrder(rice.order_id, Reason(None, "Bếp mất điện")))
    entry = _entry(lan.mail.gets("huỷ lúc"))
    assert (entry["METHOD"], entry["STATUS"]) == ("CANCEL", "CANCELLED")
    world.everybody_catches_up()


async def test_an_overdue_delivery_leaves_the_calendar(world: World, rice: Placed, lan: Somebody) -> None:
    """Nobody confirmed: nothing is to be delivered."""
    await world.passes_until(rice.deliver_at)
    assert _entry(lan.mail.gets("quá hạn"))["METHOD"] == "CANCEL"
    world.everybody_catches_up()


async def test_what_a_customer_writes_cannot_break_a_mail(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Markup in a note is shown as it was written."""
    await world.order(note="<b>Giao & nhận</b> trước 11 giờ")
    mail = lan.mail.gets("<b>Giao & nhận</b>")
    assert "&lt;b&gt;Giao &amp; nhận&lt;/b&gt;" in mail.html
    lan.phone.person.reads_all()
