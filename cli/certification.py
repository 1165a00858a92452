"""What a platform's webhook receiver must do, tried out on it: the scenarios of `chotdon certify`.

Everything sent is signed as webhooks are, and about orders that do not exist: a receiver takes them as it
would take any other order that another platform placed. See docs/integrating.md.
"""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from bot.api.shapes import Scope, partner_webhook_body, webhook_body
from core import ids
from core.actors import Via
from core.clock import real_now
from core.orders.events import Event, EventType, Json
from core.orders.order import By, Customer, Item, Order, OrderId
from core.orders.queries import Told
from core.orders.status import Status
from core.partners.events import PartnerEvent
from jobs.webhook_calls import signature

#: Calls at once: no more than the service makes to one platform.
_TOGETHER: Final = 20
#: docs/facts.md#webhook-tolerance: receivers refuse what is more than five minutes old or ahead.
_STALE: Final = timedelta(minutes=10)
_GONE: Final = 410
_MOST_ITEMS: Final = 200
_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_KITCHEN: Final = "certification-kitchen"


class Failed(Exception):
    """The receiver did something else than it should; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario ended: `found` is what the receiver did where it failed, `advice` what to do then."""

    name: str
    title: str
    passed: bool
    found: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class _Sending:
    """A webhook that can be sent as it should be, or bent."""

    body: bytes
    id: str
    secrets: Sequence[str]
    at: datetime

    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "ChotDon/1",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.at.timestamp())),
            "webhook-signature": signature(self.secrets, self.id, self.at, self.body),
        }


class Player:
    """Plays the service towards one receiver."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._session = session
        self._url = url
        self.secret = secret

    def sending(self, body: bytes, *, age: timedelta = timedelta()) -> _Sending:
        """Return a webhook with a new id, signed with the receiver's secret."""
        return _Sending(body, f"msg_{ids.new()}", (self.secret,), real_now() - age)

    async def is_taken(self, sending: _Sending) -> None:
        """Send a webhook that must be answered 2xx."""
        status = await self.post(sending.body, sending.headers())
        if not 200 <= status < 300:
            raise Failed(f"it was answered {status}")

    async def is_refused(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a webhook that must be answered 4xx."""
        status = await self.post(body, headers)
        if status == _GONE:
            raise Failed("it was answered 410, by which a receiver says that it wants no webhooks any more")
        if not 400 <= status < 500:
            raise Failed(f"it was answered {status} instead of 401")

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer; raises Failed where there is none in time."""
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except TimeoutError:
            raise Failed("it was not answered within 5 seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswerError(f"there was no answer ({type(error).__name__})") from None


class NoAnswerError(Failed):
    """Nothing answers at that address."""


Play = Callable[[Player], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that a receiver must get right, and what to do where it does not."""

    title: str
    play: Play
    advice: str


async def certify(
    session: aiohttp.ClientSession, url: str, secret: str, *, scenarios: Mapping[str, Scenario] | None = None
) -> list[Outcome]:
    """Play every scenario, one after the other; where nothing answers at all, only the first is tried."""
    player = Player(session, url, secret)
    outcomes: list[Outcome] = []
    for name, scenario in (SCENARIOS if scenarios is None else scenarios).items():
        if outcomes and outcomes[0].found.startswith("there was no answer"):
            outcomes.append(Outcome(name, scenario.title, passed=False, found="it was not tried"))
            continue
        outcomes.append(await _played(player, name, scenario))
    return outcomes


async def _played(player: Player, name: str, scenario: Scenario) -> Outcome:
    try:
        await scenario.play(player)
    except NoAnswerError as failed:
        return Outcome(name, scenario.title, passed=False, found=str(failed), advice=_NOBODY)
    except Failed as failed:
        return Outcome(name, scenario.title, passed=False, found=str(failed), advice=scenario.advice)
    return Outcome(name, scenario.title, passed=True)


_NOBODY: Final = "Start the receiver, and check the address and the port."


# --- the scenarios ------------------------------------------------------------------------------


async def _good(player: Player) -> None:
    await player.is_taken(player.sending(_body(_order())))


async def _wrong_key(player: Player) -> None:
    sending = replace(player.sending(_body(_order())), secrets=(_another_secret(),))
    await player.is_refused(sending.body, sending.headers())


async def _changed_body(player: Player) -> None:
    sending = player.sending(_body(_order()))
    changed = sending.body.replace(b'"total":900000', b'"total":100000')
    await player.is_refused(changed, sending.headers())


async def _respelled_body(player: Player) -> None:
    """The same JSON, laid out otherwise: only who signs the bytes as they came notices."""
    sending = player.sending(_body(_order()))
    await player.is_refused(sending.body.replace(b'{"type":', b'{ "type":', 1), sending.headers())


async def _changed_id(player: Player) -> None:
    sending = player.sending(_body(_order()))
    await player.is_refused(sending.body, {**sending.headers(), "webhook-id": f"msg_{ids.new()}"})


async def _unsigned(player: Player) -> None:
    sending = player.sending(_body(_order()))
    bare = {name: text for name, text in sending.headers().items() if not name.startswith("webhook-")}
    await player.is_refused(sending.body, bare)


async def _stale(player: Player) -> None:
    sending = player.sending(_body(_order()), age=_STALE)
    await player.is_refused(sending.body, sending.headers())


async def _ahead(player: Player) -> None:
    sending = player.sending(_body(_order()), age=-_STALE)
    await player.is_refused(sending.body, sending.headers())


async def _repeated(player: Player) -> None:
    sending = player.sending(_body(_order()))
    await player.is_taken(sending)
    await player.is_taken(sending)


async def _out_of_order(player: Player) -> None:
    placed = _order()
    confirmed = _moved(placed, Status.CONFIRMED)
    for order, event in (
        (_moved(confirmed, Status.CANCELLED), EventType.CANCELLED),
        (confirmed, EventType.CONFIRMED),
        (placed, EventType.PLACED),
    ):
        await player.is_taken(player.sending(_body(order, event)))


async def _unknown_type(player: Player) -> None:
    await player.is_taken(player.sending(_bent(_body(_order()), type="order.certified")))


async def _unknown_fields(player: Player) -> None:
    body = _bent(_body(_order()), trace={"hop": 1})
    data = {**msgspec.json.decode(body)["data"], "mood": "sunny"}
    await player.is_taken(player.sending(_bent(body, data=data)))


async def _reduced(player: Player) -> None:
    await player.is_taken(player.sending(_body(_order(), scope=Scope.REDUCED)))


async def _paused(player: Player) -> None:
    now = real_now()
    data: dict[str, Json] = {
        "partner": _KITCHEN,
        "paused_until": (now + timedelta(days=1)).isoformat(),
        "at": now.isoformat(),
        "by": {"channel": "zalo", "name": "Lan"},
    }
    await player.is_taken(player.sending(partner_webhook_body(PartnerEvent("partner.paused", 1, data))))


async def _rotation(player: Player) -> None:
    """While a secret is renewed there are two signatures, and a receiver knows the key of one."""
    for both in ((_another_secret(), player.secret), (player.secret, _another_secret())):
        await player.is_taken(replace(player.sending(_body(_order())), secrets=both))


async def _large(player: Player) -> None:
    items = tuple(Item(f"Cơm gà số {number}", 1, 4_500, "ít cay " * 60) for number in range(_MOST_ITEMS))
    await player.is_taken(player.sending(_body(_order(items=items))))


async def _together(player: Player) -> None:
    sendings = [player.sending(_body(_order())) for _ in range(_TOGETHER)]
    ends = await asyncio.gather(*map(player.is_taken, sendings), return_exceptions=True)
    for failure in filter(None, ends):
        raise failure


_VERIFY: Final = (
    "Sign webhook-id, webhook-timestamp and the body, with dots between, by HMAC-SHA256, and compare before"
    " reading the body: a Standard Webhooks library does it."
)
_RAW: Final = (
    "Verify the bytes of the body as they came: JSON that was parsed and written again is not the same."
)
_TIME: Final = "Refuse a webhook-timestamp that is more than 5 minutes from your clock; check the clock too."

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {
        "takes-good": Scenario(
            "takes a webhook with a good signature",
            _good,
            "Answer 2xx within 5 seconds: keep the body, work later. Check that the secret is the right one.",
        ),
        "refuses-wrong-key": Scenario("refuses a webhook signed with another key", _wrong_key, _VERIFY),
        "refuses-changed-body": Scenario("refuses a changed body", _changed_body, _VERIFY),
        "refuses-respelled-body": Scenario("refuses a body that is spelled otherwise", _respelled_body, _RAW),
        "refuses-changed-id": Scenario("refuses a good signature under another id", _changed_id, _VERIFY),
        "refuses-unsigned": Scenario(
            "refuses a webhook without a signature",
            _unsigned,
            "Answer 401 where a webhook-… header is missing.",
        ),
        "refuses-stale": Scenario("refuses a webhook of ten minutes ago", _stale, _TIME),
        "refuses-ahead": Scenario("refuses a webhook of ten minutes ahead", _ahead, _TIME),
        "takes-repeat": Scenario(
            "takes the same webhook once more",
            _repeated,
            "Answer 2xx to a webhook-id that you have, and do nothing: it comes again if an answer is lost.",
        ),
        "takes-out-of-order": Scenario(
            "takes older events after newer ones",
            _out_of_order,
            "Drop an event whose data.version is not above the one you have, and answer 2xx all the same.",
        ),
        "takes-unknown-type": Scenario(
            "takes an event of an unknown type",
            _unknown_type,
            "Answer 2xx to types that you do not know: new ones may come at any time.",
        ),
        "takes-unknown-fields": Scenario(
            "takes fields that it does not know",
            _unknown_fields,
            "Leave out what you do not know instead of refusing it: new fields may come at any time.",
        ),
        "takes-reduced": Scenario(
            "takes an order without customer, address and note",
            _reduced,
            "Orders of other platforms come without these fields. They are absent, not empty.",
        ),
        "takes-partner-events": Scenario(
            "takes a kitchen's pause",
            _paused,
            "The data of partner.… events is no order: look at the type first.",
        ),
        "takes-rotation": Scenario(
            "takes two signatures while a secret is renewed",
            _rotation,
            "webhook-signature is a list with spaces between; one that fits is enough.",
        ),
        "takes-large": Scenario(
            "takes an order of 200 dishes",
            _large,
            "Allow bodies of 1 MB; a proxy in front of the receiver may have a limit of its own.",
        ),
        "takes-many": Scenario(
            f"takes {_TOGETHER} webhooks at once",
            _together,
            "Answer each within 5 seconds while others are under way: keep the body, work later.",
        ),
    }
)


# --- what is sent -------------------------------------------------------------------------------


def _another_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _order(*, items: tuple[Item, ...] = (Item("Cơm gà", 20, 45_000),)) -> Order:
    now = real_now()
    return Order(
        id=OrderId(ids.new()),
        platform_id=ids.new(),
        external_id=f"certify-{secrets.token_hex(8)}",
        partner_id=ids.new(),
        code="48274",
        status=Status.PENDING,
        version=1,
        revision=1,
        deliver_at=now + timedelta(days=2),
        ordered_at=now,
        placed_at=now,
        asked_at=now,
        updated_at=now,
        address="12 Lê Lợi, Quận 1, TP.HCM",
        note="Giao cổng sau",
        items=items,
        fees=0,
        discount=0,
        total=900_000,
        customer=Customer("Công ty ABC", "+84909123456", "an@example.com", "vi"),
        status_changed_at=now,
        status_changed_by=By(Via.API, "Certification"),
    )


def _moved(order: Order, status: Status) -> Order:
    return replace(order, status=status, version=order.version + 1)


def _body(order: Order, event_type: EventType = EventType.PLACED, *, scope: Scope = Scope.FULL) -> bytes:
    data: dict[str, Json] = {"from": None, "to": order.status.value}
    event = Event(event_type, order.version, order.updated_at, order.status_changed_by, data)
    return webhook_body(Told(order, (event,), _KITCHEN, _ZONE), scope)


def _bent(body: bytes, **changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(body), **changes})
