"""The mailbox takes what a mail client sends and shows it as a reader sees it."""

import asyncio
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from sandbox.feed import Level
from sandbox.mailbox import Mailbox
from tests.sandbox.conftest import HandClock

LAN = "lan@bep.example"


def a_mail(subject: str = "Đơn 48273: chờ xác nhận") -> EmailMessage:
    """Return a mail with text, HTML and a calendar file."""
    mail = EmailMessage()
    mail["From"] = "Chốt Đơn <don@chotdon.example>"
    mail["To"] = LAN
    mail["Subject"] = subject
    mail["Message-ID"] = "<n1@chotdon.example>"
    mail.set_content("40 suất, giao 11:30")
    mail.add_alternative(
        '<p>40 suất</p><a class="b" href="http://127.0.0.1/o/1?a=1&amp;b=2"><b>Xác nhận</b> đơn hàng</a>',
        subtype="html",
    )
    mail.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="giao.ics")
    return mail


async def send(mailbox: Mailbox, mail: EmailMessage) -> None:
    """Send a mail by SMTP."""
    await aiosmtplib.send(mail, hostname=mailbox.host, port=mailbox.port, use_tls=False, start_tls=False)


async def test_a_mail_is_read_whole(clock: HandClock) -> None:
    """Subject, both parts, headers, links and attachments are there, decoded."""
    async with Mailbox(clock=clock) as mailbox:
        await send(mailbox, a_mail())
        mail = await mailbox.arrives(LAN, "48273")
    assert mail.subject == "Đơn 48273: chờ xác nhận"
    assert mail.text.strip() == "40 suất, giao 11:30"
    assert mail.link("Xác nhận đơn hàng") == "http://127.0.0.1/o/1?a=1&b=2"
    assert mail.message_id == "<n1@chotdon.example>"
    assert mail.sender_name == "Chốt Đơn"
    assert (mail.attachments[0].filename, mail.attachments[0].content_type) == ("giao.ics", "text/calendar")
    assert mail.attachments[0].content.startswith(b"BEGIN:VCALENDAR")
    assert mail.at == clock()


async def test_an_inbox_is_one_persons(clock: HandClock) -> None:
    """Whoever was not written to has an empty inbox, and says what was missing when waited for."""
    async with Mailbox(clock=clock) as mailbox:
        await send(mailbox, a_mail())
        assert len(mailbox.inbox(LAN.upper())) == 1
        assert mailbox.inbox("minh@bep.example") == []
        assert mailbox.addresses == [LAN]
        with pytest.raises(AssertionError, match="Đơn 48273"):
            await mailbox.arrives(LAN, "Quá hạn", within=0.05)
        with pytest.raises(LookupError, match="Xác nhận đơn hàng"):
            mailbox.mails[0].link("Huỷ đơn hàng")


@pytest.mark.parametrize(("reply", "code"), [("550 5.1.1 No such user", 550), ("451 4.3.0 Try later", 451)])
async def test_a_refused_recipient(clock: HandClock, reply: str, code: int) -> None:
    """The planned reply comes once, in red; the next mail is taken."""
    async with Mailbox(clock=clock) as mailbox:
        mailbox.refuse(LAN, reply)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await send(mailbox, a_mail())
        assert refused.value.recipients[0].code == code
        assert mailbox.feed.hops[-1].level is Level.ERROR
        await send(mailbox, a_mail())
        assert len(mailbox.inbox(LAN)) == 1


async def test_a_server_that_is_down(clock: HandClock) -> None:
    """Connections are refused until it recovers, on the same port."""
    async with Mailbox(clock=clock) as mailbox:
        port = mailbox.port
        await mailbox.refuse_connections()
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await send(mailbox, a_mail())
        await mailbox.recover()
        await send(mailbox, a_mail())
        assert mailbox.port == port


async def test_mails_survive(tmp_path: Path, clock: HandClock) -> None:
    """A second start with the same memory shows the mails of the first and goes on counting."""
    async with Mailbox(clock=clock, memory=tmp_path) as first:
        await send(first, a_mail())
    async with Mailbox(clock=clock, memory=tmp_path) as second:
        await asyncio.sleep(0)
        assert second.mails == first.mails
        await send(second, a_mail("Đơn 11114"))
        assert [mail.mail_id for mail in second.mails] == ["1", "2"]
        assert second.mail("2") is second.mails[1]
