"""Whether an SMS gateway is there and takes our keys. Nothing is sent, nothing is paid.

A check returns what is to be said when all is well, and raises Misconfigured for a fault.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
from aiosmpplib import SmppCommandStatus  # type: ignore[import-untyped]

from bot.sms import esms, speedsms, twilio
from bot.sms.calling import Reply, Request, call, open_session, parsed, unreadable
from bot.sms.smpp import read_url, source_of, status_name
from bot.sms.smpp_pdu import Delivery
from bot.sms.smpp_session import AGAIN, Account, NotBound, Pace, Session
from cli.printing import money
from core.channels import Charge, NoSuchRecipient, Outcome, Refused, TryLater, Unclear
from core.errors import Misconfigured
from core.settings import Settings

# docs/facts.md#esms-status: asked for a message that is nobody's, it answers 105, and 101 to bad keys.
_ESMS_ASK: Final = "/MainService.svc/json/GetSendStatus"
_NOBODYS: Final = "chotdon-doctor"
_KEYS_ARE_GOOD: Final = frozenset({"100", "105"})
# docs/facts.md#speedsms-account
_SPEEDSMS_ACCOUNT: Final = "/index.php/user/info"
_SPEEDSMS_PASSWORD: Final = "x"  # noqa: S105  (SpeedSMS wants this letter)
# docs/facts.md#twilio-account
_TWILIO_ACCOUNTS: Final = "/2010-04-01/Accounts"
_ACTIVE: Final = "active"
#: A call to a gateway is bounded to 5 s; so is a bind, the parting included.
_BIND_WITHIN: Final = 4.5

Check = Callable[[Settings], Awaitable[str]]


async def check_sms(settings: Settings) -> str:
    """Ask the gateway that is set, within 6 s. Raises Misconfigured for what keeps it from sending."""
    name = settings.require("sms_gateway")
    return await _CHECKS[name](settings) if name in _CHECKS else f"{name} is set up; it cannot be asked"


class _EsmsState(msgspec.Struct):
    CodeResponse: str | int = ""
    CodeResult: str | int = ""


class _SpeedSmsAccount(msgspec.Struct):
    balance: float


class _SpeedSmsError(msgspec.Struct):
    code: str | int


class _TwilioAccount(msgspec.Struct):
    sid: str
    status: str


class _TwilioError(msgspec.Struct):
    code: int


async def _esms(settings: Settings) -> str:
    keys = {"ApiKey": settings.require("esms_api_key"), "SecretKey": settings.require("esms_secret_key")}
    url = settings.esms_url + _ESMS_ASK
    reply = await _asked("eSMS", Request("GET", url, params={"RefId": _NOBODYS, **keys}))
    state = parsed(reply, _EsmsState)
    code = str(state.CodeResponse or state.CodeResult) if state else ""
    if not code:
        raise _not_its_own(reply, "eSMS")
    if code not in _KEYS_ARE_GOOD:
        raise _refused("eSMS", esms.ERRORS.get(code), code)
    return f"eSMS takes our keys; brand name {settings.require('esms_brandname')}"


async def _speedsms(settings: Settings) -> str:
    authorization = aiohttp.encode_basic_auth(settings.require("speedsms_token"), _SPEEDSMS_PASSWORD)
    url = settings.speedsms_url + _SPEEDSMS_ACCOUNT
    reply = await _asked("SpeedSMS", Request("GET", url, authorization=authorization))
    if account := parsed(reply, _SpeedSmsAccount):
        return _with_a_purse(round(account.balance))
    if reply.status in {401, 403}:
        raise Misconfigured(f"SpeedSMS does not take our token (HTTP {reply.status})")
    if fault := parsed(reply, _SpeedSmsError):
        code = str(fault.code).zfill(3)
        raise _refused("SpeedSMS", speedsms.ERRORS.get(code), code)
    raise _not_its_own(reply, "SpeedSMS")


def _with_a_purse(dong: int) -> str:
    if dong <= 0:
        raise Misconfigured("SpeedSMS takes our token, but the purse is empty")
    return f"SpeedSMS takes our token; {money(dong)} in the purse"


async def _twilio(settings: Settings) -> str:
    sid = settings.require("twilio_account_sid")
    authorization = aiohttp.encode_basic_auth(sid, settings.require("twilio_auth_token"))
    url = f"{settings.twilio_url}{_TWILIO_ACCOUNTS}/{quote(sid, safe='')}.json"
    reply = await _asked("Twilio", Request("GET", url, authorization=authorization))
    if account := parsed(reply, _TwilioAccount):
        if account.status != _ACTIVE:
            raise Misconfigured(f"Twilio says that our account is {account.status[:20]}")
        return f"Twilio takes our token; sends from {settings.require('twilio_from')}"
    if fault := parsed(reply, _TwilioError):
        raise _refused("Twilio", twilio.ERRORS.get(fault.code), str(fault.code))
    raise _not_its_own(reply, "Twilio")


async def _smpp(settings: Settings) -> str:
    account = read_url(settings.require("smpp_url"))
    source_of(settings.sms_reply_number, account.system_id)  # raises for a number that can be no sender
    where = f"{account.host}:{account.port}"
    try:
        async with asyncio.timeout(_BIND_WITHIN):
            await _bind_and_unbind(account)
    except NotBound as fault:
        return _unbound(where, fault)
    except TimeoutError:
        raise Misconfigured(f"the SMSC at {where} gave no answer") from None
    except (OSError, UnicodeError) as fault:
        raise Misconfigured(f"no SMSC at {where}: {type(fault).__name__}") from None
    return f"the SMSC at {where} lets {account.system_id} in"


async def _bind_and_unbind(account: Account) -> None:
    session = await Session.open(account, number=1, deliver=_not_now, pace=Pace())
    await session.close()


async def _not_now(delivery: Delivery, number: int) -> int:
    """Leave what comes in meanwhile to the worker: the SMSC sends it again."""
    return AGAIN


def _unbound(where: str, fault: NotBound) -> str:
    """Return what a refusal means that is none: the worker's own bind is in the way."""
    if fault.status == SmppCommandStatus.ESME_RALYBND:
        return f"the SMSC at {where} has our bind already: a worker's, most likely"
    why = fault.why if fault.status is None else status_name(fault.status)
    raise Misconfigured(f"the SMSC at {where} does not let us in: {why}") from None


async def _asked(gateway: str, request: Request) -> Reply:
    async with open_session() as session:
        reply = await call(session, request)
    if isinstance(reply, TryLater | Unclear):
        raise Misconfigured(f"{gateway} gave no answer: {reply.why}")
    return reply


def _refused(gateway: str, outcome: Outcome | None, code: str) -> Misconfigured:
    """Return a fault in the words of the gateway's own table of errors."""
    known = outcome.why if isinstance(outcome, Refused | TryLater | NoSuchRecipient) else code[:20]
    told = outcome.alarm if isinstance(outcome, Refused) else None
    return Misconfigured(f"{gateway} says {known}" + (f": {told}" if told else ""))


def _not_its_own(reply: Reply, gateway: str) -> Misconfigured:
    why = unreadable(reply, gateway, Charge(gateway)).why
    return Misconfigured(f"{gateway} gave no answer that can be used: {why}")


_CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {esms.NAME: _esms, speedsms.NAME: _speedsms, twilio.NAME: _twilio, "smpp": _smpp}
)
