"""The other side of each channel, as the contract needs it: it takes, refuses, fails and hangs.

A new channel, or a new gateway of one, joins the contract by one entry of GATEWAYS.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

from core.channels import Address, AddressKind, ChannelName
from core.clock import real_now
from sandbox.mailbox import Mailbox
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio, SmsFake
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
        tokens = self.zalo.issue_tokens()
        return {
            "zalo_app_id": self.zalo.app_id,
            "zalo_app_secret": self.zalo.app_secret,
            "zalo_oa_id": self.zalo.oa_id,
            "zalo_oa_secret": self.zalo.oa_secret,
            "zalo_access_token": tokens.access_token,
            "zalo_refresh_token": tokens.refresh_token,
            "zalo_openapi_url": self.zalo.url,
            "zalo_business_url": self.zalo.url,
            "zalo_oauth_url": self.zalo.url,
            "zalo_templates": {KIND: "1"},
        }

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

    def _once(self, request_id: str) -> None:
        self.asked.append(request_id)
        super()._once(request_id)


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


GATEWAYS: Final[Mapping[str, tuple[ChannelName, Callable[[], Gateway]]]] = MappingProxyType(
    {
        "zalo": (ChannelName.ZALO, ZaloGateway),
        "esms": (ChannelName.SMS, EsmsGateway),
        "speedsms": (ChannelName.SMS, lambda: SmsOverHttp(FakeSpeedSms(), "105")),
        "twilio": (ChannelName.SMS, lambda: SmsOverHttp(FakeTwilio(), 21211)),
        "mail": (ChannelName.EMAIL, MailGateway),
    }
)
