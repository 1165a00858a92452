import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.mail.channel import MailChannel
from bot.mail.render import Renderer, Sender
from bot.mail.server import Connections, Server, Tls, read_url
from core.channels import (
    Address,
    AddressKind,
    Channel,
    ChannelName,
    NoSuchRecipient,
    Outcome,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.errors import Misconfigured
from core.settings import Settings
from sandbox.mailbox import Mailbox
from tests.bot.mail.cards import MORNING, rice
from tests.bot.mail.scripted import DROP, HANG, ScriptedServer, certificate

LAN = Address(AddressKind.EMAIL, "lan@example.com")


def channel_to(server: Server, *, timeout: float = 5.0, trust: ssl.SSLContext | None = None) -> MailChannel:
    """Return a channel to this server."""
    renderer = Renderer(Sender("Chốt Đơn", "don@chotdon.example"))
    return MailChannel(Connections(server, trust=trust), renderer, clock=lambda: MORNING, timeout=timeout)


def plain(port: int) -> Server:
    """Return the address of a server without TLS."""
    return Server("127.0.0.1", port, Tls.NONE)


async def outcome_of(script: dict[str, str], *, timeout: float = 5.0) -> Outcome:
    """Return what becomes of a mail at a server that follows this script."""
    async with ScriptedServer(script) as server:
        channel = channel_to(plain(server.port), timeout=timeout)
        outcome = await channel.send(LAN, rice(), key="m1")
        await channel.close()
        return outcome


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Yield a real mail server that takes everything."""
    async with Mailbox() as taking:
        yield taking


async def test_a_mail_arrives_as_it_was_made(mailbox: Mailbox) -> None:
    """Letters, links, ids and lines that begin with a dot survive the way."""
    channel = channel_to(read_url(mailbox.smtp_url))
    outcome = await channel.send(LAN, rice(title=".chấm\n.chấm", kind="x"), key="m1")
    mail = await mailbox.arrives("lan@example.com")
    await channel.close()
    assert outcome == Sent(id="<m1@chotdon.example>")
    assert mail.message_id == "<m1@chotdon.example>"
    assert mail.link("Xác nhận đơn hàng") == "https://chotdon.example/o/abc?a=1&b=2#confirm"
    assert ".chấm .chấm" in mail.text
    assert "20 × Cơm gà" in mail.text


async def test_connections_are_used_again() -> None:
    """Twenty mails, five at a time, need no more than five connections."""
    async with ScriptedServer() as server:
        channel = channel_to(plain(server.port))
        for _ in range(4):
            sent = await asyncio.gather(*(channel.send(LAN, rice(), key=f"m{n}") for n in range(5)))
            assert all(isinstance(outcome, Sent) for outcome in sent)
        await channel.close()
    assert len(server.mails) == 20
    assert server.connections <= 5


async def test_a_connection_that_died_idle_is_not_used(mailbox: Mailbox) -> None:
    """A server that restarts between two mails costs nothing."""
    channel = channel_to(read_url(mailbox.smtp_url))
    assert isinstance(await channel.send(LAN, rice(), key="m1"), Sent)
    await mailbox.refuse_connections()
    await asyncio.sleep(0.05)
    assert isinstance(await channel.send(LAN, rice(), key="m2"), Sent | TryLater)
    await mailbox.recover()
    assert isinstance(await channel.send(LAN, rice(), key="m3"), Sent)
    await channel.close()


@pytest.mark.parametrize("reply", ["550 5.1.1 <lan@example.com> No such user", "553 bad mailbox"])
async def test_an_unknown_recipient(reply: str) -> None:
    """The next way takes over; the reply's words, which name people, are not kept."""
    outcome = await outcome_of({"RCPT": reply})
    assert isinstance(outcome, NoSuchRecipient)
    assert outcome.scope is Scope.RECIPIENT
    assert "lan@" not in outcome.why
    assert reply[:3] in outcome.why


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
async def test_a_busy_server(moment: str) -> None:
    """A reply of 4yz, whenever it comes, means that the same mail may go later."""
    script = {moment: "451 4.3.0 later", **({"HELO": "451 later"} if moment == "EHLO" else {})}
    assert isinstance(await outcome_of(script), TryLater)


@pytest.mark.parametrize(
    ("moment", "reply"),
    [
        ("GREETING", "554 5.7.1 go away"),
        ("MAIL", "550 5.7.1 not from there"),
        ("MAIL", "530 5.7.0 sign in first"),
        ("RCPT", "530 5.7.0 sign in first"),
    ],
)
async def test_a_server_that_will_not_have_us(moment: str, reply: str) -> None:
    """It concerns everybody's mail, so the operators are told."""
    outcome = await outcome_of({moment: reply})
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.EVERYBODY
    assert outcome.alarm is not None
    assert reply[:3] in outcome.alarm


async def test_a_mail_that_is_refused_for_what_it_says() -> None:
    """Only this mail is lost; others go on."""
    outcome = await outcome_of({"BODY": "554 5.6.0 looks like spam"})
    assert outcome == Refused("554 5.6.0", Scope.MESSAGE)


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT"])
async def test_a_connection_lost_before_the_mail(moment: str) -> None:
    """Nothing was sent, so it may be tried again."""
    assert isinstance(await outcome_of({moment: DROP}), TryLater)


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT"])
async def test_a_server_that_falls_silent_before_the_mail(moment: str) -> None:
    """The wait is bounded, and nothing was sent."""
    began = time.monotonic()
    assert isinstance(await outcome_of({moment: HANG}, timeout=0.2), TryLater)
    assert time.monotonic() - began < 1.2


@pytest.mark.parametrize("how", [DROP, HANG])
async def test_silence_after_the_mail(how: str) -> None:
    """It may have been taken: whoever reads this must not send it again at once."""
    assert isinstance(await outcome_of({"BODY": how}, timeout=0.2), Unclear)


async def test_a_refused_connection() -> None:
    """A server that is down is tried again later."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert isinstance(
            await channel_to(plain(taken.getsockname()[1])).send(LAN, rice(), key="m1"), TryLater
        )


async def test_a_broken_address_reaches_no_server() -> None:
    """It cannot be helped by another try."""
    async with ScriptedServer() as server:
        outcome = await channel_to(plain(server.port)).send(
            Address(AddressKind.EMAIL, "lan@example.com>\r\nRCPT TO:<x@y.vn"), rice(), key="m1"
        )
    assert isinstance(outcome, NoSuchRecipient)
    assert server.connections == 0


@pytest.mark.parametrize("implicit", [True, False])
async def test_tls_with_a_trusted_certificate(tmp_path: Path, *, implicit: bool) -> None:
    """Both ways of TLS carry the password and the mail."""
    shown, trusted = certificate(tmp_path)
    ehlo = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
    async with ScriptedServer({"EHLO": ehlo}, tls=shown, implicit=implicit) as server:
        how = Tls.IMPLICIT if implicit else Tls.STARTTLS
        channel = channel_to(Server("127.0.0.1", server.port, how, "bep", "mật khẩu"), trust=trusted)
        assert isinstance(await channel.send(LAN, rice(), key="m1"), Sent)
        await channel.close()
    assert [line for line in server.heard if line.startswith("AUTH PLAIN")]


@pytest.mark.parametrize("implicit", [True, False])
async def test_tls_with_a_strange_certificate(tmp_path: Path, *, implicit: bool) -> None:
    """Neither the password nor the mail goes to somebody who cannot prove who they are."""
    shown, _ = certificate(tmp_path)
    ehlo = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
    async with ScriptedServer({"EHLO": ehlo}, tls=shown, implicit=implicit) as server:
        how = Tls.IMPLICIT if implicit else Tls.STARTTLS
        outcome = await channel_to(Server("127.0.0.1", server.port, how, "bep", "x")).send(
            LAN, rice(), key="m"
        )
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.EVERYBODY
    assert not [line for line in server.heard if line.startswith("AUTH")]


async def test_a_server_without_starttls_gets_no_password() -> None:
    """A stripped STARTTLS is refused, and the operators hear of it."""
    async with ScriptedServer() as server:
        outcome = await channel_to(Server("127.0.0.1", server.port, Tls.STARTTLS, "bep", "x")).send(
            LAN, rice(), key="m1"
        )
    assert isinstance(outcome, Refused)
    assert outcome.alarm is not None
    assert server.heard[0].startswith("EHLO")
    assert len(server.heard) == 1


async def test_a_wrong_password() -> None:
    """It concerns everybody's mail, and the alarm does not tell the password."""
    async with ScriptedServer({"EHLO": "250-x\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 no"}) as server:
        outcome = await channel_to(Server("127.0.0.1", server.port, Tls.NONE, "bep", "bí mật")).send(
            LAN, rice(), key="m1"
        )
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.EVERYBODY
    assert "mật" not in repr(outcome)


async def test_it_is_a_channel() -> None:
    """It has the port's shape and takes mail addresses only."""
    channel: Channel = channel_to(plain(1))
    assert channel.name is ChannelName.EMAIL
    assert channel.reaches(LAN, "order_new", now=MORNING)
    assert not channel.reaches(Address(AddressKind.PHONE, "+84909123456"), "order_new", now=MORNING)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.vn", Server("mail.vn", 587, Tls.STARTTLS)),
        ("smtp://mail.vn:465", Server("mail.vn", 465, Tls.IMPLICIT)),
        ("smtp://mail.vn:25?tls=none", Server("mail.vn", 25, Tls.NONE)),
        ("smtp://a%40b.vn:p%3Aw%2F@mail.vn:2525", Server("mail.vn", 2525, Tls.STARTTLS, "a@b.vn", "p:w/")),
    ],
)
def test_the_server_is_read_from_its_setting(url: str, server: Server) -> None:
    """Names and passwords with signs of their own are percent-encoded."""
    assert read_url(url) == server


@pytest.mark.parametrize(
    "url", ["smtp://", "http://mail.vn", "smtp://mail.vn:99999", "smtp://mail.vn?tls=maybe"]
)
def test_a_wrong_setting_names_itself(url: str) -> None:
    """The fault is told at the start."""
    with pytest.raises(Misconfigured, match="CHOTDON_SMTP_URL"):
        read_url(url)


def test_the_channel_of_settings() -> None:
    """A sender without an address stops the start too."""
    with pytest.raises(Misconfigured, match="CHOTDON_EMAIL_FROM"):
        MailChannel.from_settings(Settings(_env_file=None, smtp_url="smtp://mail.vn", email_from="Bếp"))
    good = Settings(_env_file=None, smtp_url="smtp://mail.vn", email_from="Bếp <don@bep.vn>")
    assert MailChannel.from_settings(good).name is ChannelName.EMAIL


def test_a_password_is_not_shown() -> None:
    """Nobody finds it in a log line."""
    assert "bimat" not in repr(read_url("smtp://bep:bimat@mail.vn"))
