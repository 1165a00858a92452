"""Mail by SMTP: sends a card, and says what became of it."""

import asyncio
import re
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import Message
from typing import Final, Self

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from bot.mail.render import Renderer, sender_of
from bot.mail.server import Connections, read_url
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    NoSuchRecipient,
    Outcome,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from core.errors import Misconfigured
from core.settings import Settings

_TIMEOUT: Final = 5.0  # seconds for the whole exchange, interface.md
_PERMANENT: Final = 500  # docs/facts.md#smtp-replies: 4yz may pass when tried again, 5yz will not
_NOT_LET_IN: Final = frozenset({530, 534, 535, 538})  # docs/facts.md#smtp-replies (RFC 4954): sign in first


class MailChannel:
    """Reaches people by mail. `clock` dates the mails, in real time."""

    name: Final = ChannelName.EMAIL
    gateway: Final = "smtp"
    rate: Final = None

    def __init__(
        self,
        connections: Connections,
        renderer: Renderer,
        *,
        clock: Callable[[], datetime] = real_now,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._connections = connections
        self._renderer = renderer
        self._clock = clock
        self._timeout = timeout

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the channel that the settings describe. Raises Misconfigured with what is wrong in them."""
        server = read_url(settings.require("smtp_url"))
        try:
            sender = sender_of(settings.require("email_from"))
        except ValueError:
            raise Misconfigured("CHOTDON_EMAIL_FROM: must be name@host or Name <name@host>") from None
        return cls(Connections(server), Renderer(sender))

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whether the address is a mail address."""
        return address.kind is AddressKind.EMAIL

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one mail to the server; `key` becomes its `Message-ID`, so that a repeat can be known."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            mail = self._renderer.mail(card, to=address.value, key=key, now=self._clock())
        except ValueError:
            return NoSuchRecipient("no address that a mail can be sent to")
        try:
            client = await self._ready(address.value, deadline)
        except SMTPResponseException as error:
            return _refused(error)
        except (TimeoutError, OSError, SMTPException) as error:
            return _unreachable(error)
        return await self._hand_in(client, mail, deadline)

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """A mail server tells nothing afterwards."""
        return None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.close()

    async def _ready(self, to: str, deadline: float) -> SMTP:
        """Return a connection whose server waits for a mail to this address. Nothing is sent yet."""
        async with asyncio.timeout_at(deadline):
            client = await self._connections.take()
            try:
                await client.mail(self._renderer.sender.address)
                await client.rcpt(to)
            except BaseException:
                client.close()
                raise
            return client

    async def _hand_in(self, client: SMTP, mail: Message, deadline: float) -> Outcome:
        """Send the mail itself. Once it has begun, silence proves nothing."""
        try:
            async with asyncio.timeout_at(deadline):
                await client.data(mail.as_bytes())
        except SMTPResponseException as error:
            client.close()
            return _refused(error)
        except (TimeoutError, OSError, SMTPException):
            client.close()
            return Unclear("the server did not say whether it took the mail")
        except BaseException:
            client.close()
            raise
        self._connections.keep(client)
        return Sent(id=str(mail["Message-ID"]))


def _refused(error: SMTPResponseException) -> Outcome:
    """Translate a reply other than yes. The reply's words may name people: only its numbers are kept."""
    why = _numbers(error)
    if error.code < _PERMANENT:
        return TryLater(why)
    if isinstance(error, SMTPRecipientRefused) and error.code not in _NOT_LET_IN:
        return NoSuchRecipient(why)
    if isinstance(error, SMTPDataError) and error.code not in _NOT_LET_IN:
        return Refused(why)
    return Refused(why, Scope.EVERYBODY, alarm=f"the mail server refuses us: {why}")


def _numbers(error: SMTPResponseException) -> str:
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _unreachable(error: Exception) -> Outcome:
    """Translate what happened before the mail itself was sent: it surely was not delivered."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Refused("certificate", Scope.EVERYBODY, alarm="the mail server's certificate is not trusted")
    if type(error) is SMTPException:  # what the library itself will not do: no STARTTLS, no way to sign in
        return Refused("agreement", Scope.EVERYBODY, alarm=f"the mail server cannot be used: {error.message}")
    return TryLater(type(error).__name__)
