"""The other side of each channel, as the contract needs it: it takes, refuses, fails and hangs.

A new channel, or a new gateway of one, joins the contract by one entry of GATEWAYS.
"""

import asyncio
import json
import socket
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

import smpp34
from aiohttp import web

from core.channels import Address, AddressKind, ChannelName
from core.clock import real_now
from sandbox.faults import Handler
from sandbox.mailbox import Mailbox
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio, SmsFake
from sandbox.telegram import FakeTelegram
from sandbox.zalo import FakeZalo, Param, Template

#: A kind that has a ZBS template in these tests.
KIND: Final = "order_new"
_PARAMS: Final = ("order_code", "summary")


class Gateway(Protocol):
    """A gateway that a test can bring to trouble; `lan` is somebody it reaches, `nobody` it does not."""

    lan: Address
    nobody: Address
    #: Whether it can be told which messages are the same.
    knows_repeats: bool = True

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        ...

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        ...

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        ...

    def names(self) -> list[str]:
        """Return what the gateway was given to tell the messages to `named` apart by."""
        ...

    async def refuse(self) -> None:
        """Refuse connections."""
        ...

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        ...

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        ...


class ZaloGateway(Gateway):
    """The fake Zalo; phones are told apart by tracking_id."""

    def __init__(self) -> None:
        self.zalo = FakeZalo(per_minute=None)
        self.lan = Address(AddressKind.ZALO_USER, "4000000000000000001", real_now())
        self.nobody = Address(AddressKind.PHONE, "+84909000000")

    async def __aenter__(self) -> Self:
        await self.zalo.__aenter__()
        person = self.zalo.person(self.lan.value, "Lan", phone="84909123456")
        person.last_interaction = real_now()
        params = tuple(Param(name, 200, required=False) for name in _PARAMS)
        self.zalo.add_template(Template("1", KIND, "Đơn <order_code>: <summary>", params))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.zalo.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        return {**self.zalo.settings(), "zalo_templates": {KIND: "1"}}

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return [bubble.text for person in self.zalo.people.values() for bubble in person.received]

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return Address(AddressKind.PHONE, "+84909123456")

    def names(self) -> list[str]:
        """Return what the gateway was given to tell the messages to `named` apart by."""
        return [bubble.tracking_id for bubble in self.zalo.people[self.lan.value].received]

    async def refuse(self) -> None:
        """Refuse connections."""
        await self.zalo.refuse()

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self.zalo.status_next(500, times=None)

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self.zalo.hang(seconds)


class TelegramGateway(Gateway):
    """The fake Bot API; it cannot tell repeats."""

    knows_repeats = False

    def __init__(self) -> None:
        self.telegram = FakeTelegram(limited=False, again_after=None)
        self._person = self.telegram.person("Lan")
        self.lan = Address(AddressKind.TELEGRAM_CHAT, str(self._person.user_id))
        self.nobody = Address(AddressKind.TELEGRAM_CHAT, "799999999")

    async def __aenter__(self) -> Self:
        await self.telegram.__aenter__()
        await self._person.starts()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.telegram.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        return self.telegram.settings()

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return [message.text for message in self._person.received]

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return self.lan

    def names(self) -> list[str]:
        """Return nothing: it is given nothing to tell messages apart by."""
        return []

    async def refuse(self) -> None:
        """Refuse connections."""
        await self.telegram.refuse()

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self.telegram.status_next(502, times=None)

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self.telegram.hang(seconds)


class MailGateway(Gateway):
    """The fake mail server; mails are told apart by Message-ID."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.lan = Address(AddressKind.EMAIL, "lan@example.com")
        self.nobody = Address(AddressKind.EMAIL, "khong-co-ai@example.com")

    async def __aenter__(self) -> Self:
        await self.mailbox.__aenter__()
        self.mailbox.refuse(self.nobody.value, times=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.mailbox.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        return {"smtp_url": self.mailbox.smtp_url, "email_from": "Chốt Đơn <chotdon@chotdon.example>"}

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return [f"{mail.subject}\n{mail.text}" for mail in self.mailbox.mails]

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return self.lan

    def names(self) -> list[str]:
        """Return what the gateway was given to tell the messages to `named` apart by."""
        return [mail.message_id for mail in self.mailbox.mails]

    async def refuse(self) -> None:
        """Refuse connections."""
        await self.mailbox.refuse_connections()

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self.mailbox.refuse(self.lan.value, "451 4.3.0 try later", times=None)

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self.mailbox.hang(seconds)


class _NotingEsms(FakeEsms):
    """The fake eSMS, which writes down every RequestId it is given, the repeated ones too."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints, each behind the notebook."""
        return [web.route(one.method, one.path, partial(self._note, one.handler)) for one in super().routes()]

    async def _note(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self.asked.append(json.loads(await request.read())["RequestId"])
        return await handler(request)


class SmsOverHttp(Gateway):
    """A fake SMS gateway; `bad_number` is how it says that a phone is none."""

    knows_repeats = False

    def __init__(self, fake: SmsFake, bad_number: int | str) -> None:
        self.fake = fake
        self.lan = Address(AddressKind.PHONE, "+84909123456")
        self.nobody = Address(AddressKind.PHONE, "+84909000000")
        fake.phone(self.nobody.value).refusal = bad_number

    async def __aenter__(self) -> Self:
        await self.fake.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.fake.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        return self.fake.settings

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return [sms.text for phone in self.fake.phones.values() for sms in phone.received]

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return self.lan

    def names(self) -> list[str]:
        """Return nothing: it is given nothing to tell messages apart by."""
        return []

    async def refuse(self) -> None:
        """Refuse connections."""
        await self.fake.refuse()

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self.fake.status_next(500, times=None)

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self.fake.hang(seconds)


class EsmsGateway(SmsOverHttp):
    """The fake eSMS; messages are told apart by RequestId."""

    knows_repeats = True

    def __init__(self) -> None:
        self.esms = _NotingEsms()
        super().__init__(self.esms, "108")

    def names(self) -> list[str]:
        """Return what the gateway was given to tell the messages to `named` apart by."""
        return self.esms.asked


class DirectBind(Gateway):
    """A real SMSC (`smpp34`); it cannot tell repeats."""

    knows_repeats = False

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self.lan = Address(AddressKind.PHONE, "+84909123456")
        self.nobody = Address(AddressKind.PHONE, "+84909000000")
        self._server = smpp34.Server("127.0.0.1", self._port, system_id="smsc")
        self._sessions: list[smpp34.Esme] = []
        self._texts: dict[bytes, str] = {}
        self._unanswered: list[smpp34.SubmitSmEvent] = []
        self._hanging = 0
        self._failing = False
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._server.start()
        self._serving = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    async def _serve(self) -> None:
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._answer(event)

    def _answer(self, event: smpp34.SubmitSmEvent) -> None:
        if self._hanging:
            self._hanging -= 1
            self._unanswered.append(event)  # let go of, it would be answered with an error
        elif self._failing:
            event.reject(0x58)  # throttled
        elif event.destination_addr != self.lan.value.removeprefix("+"):
            event.reject(0x0B)  # no such number
        else:
            self._keep(event)
            event.accept(f"smsc-{len(self._texts)}")

    def _keep(self, event: smpp34.SubmitSmEvent) -> None:
        """Put the parts of one text together; the letters that tests look for are the same in ASCII."""
        said = event.short_message
        header = said[: said[0] + 1] if event.esm_class & 0x40 else b""
        name = header[3:4] or f"alone {len(self._texts)}".encode()
        self._texts[name] = self._texts.get(name, "") + said[len(header) :].decode("latin-1")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        return {
            "sms_gateway": "smpp",
            "sms_reply_number": "8041",
            "smpp_url": f"smpp://kitchen:secret@127.0.0.1:{self._port}",
        }

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return list(self._texts.values())

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return self.lan

    def names(self) -> list[str]:
        """Return nothing: it is given nothing to tell messages apart by."""
        return []

    async def refuse(self) -> None:
        """Refuse connections, and end those there are."""
        if self._serving is None:
            return
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        self._serving = None
        self._unanswered.clear()
        await asyncio.gather(*(session.unbind() for session in self._sessions), return_exceptions=True)
        await self._server.stop()

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self._failing = True

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self._hanging += 1


GATEWAYS: Final[Mapping[str, tuple[ChannelName, Callable[[], Gateway]]]] = MappingProxyType(
    {
        "zalo": (ChannelName.ZALO, ZaloGateway),
        "telegram": (ChannelName.TELEGRAM, TelegramGateway),
        "esms": (ChannelName.SMS, EsmsGateway),
        "speedsms": (ChannelName.SMS, lambda: SmsOverHttp(FakeSpeedSms(), "105")),
        "twilio": (ChannelName.SMS, lambda: SmsOverHttp(FakeTwilio(), 21211)),
        "smpp": (ChannelName.SMS, DirectBind),
        "mail": (ChannelName.EMAIL, MailGateway),
    }
)
