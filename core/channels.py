"""The port between the product and every way to reach a person. Types only, no I/O."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable


class ChannelName(StrEnum):
    """Our side of a gateway."""

    ZALO = "zalo"
    TELEGRAM = "telegram"
    SMS = "sms"
    EMAIL = "email"


#: The channels that can change a message after it was sent (`Edits`): an order's cards there are kept true.
CHANGEABLE: Final = (ChannelName.TELEGRAM,)


class AddressKind(StrEnum):
    """What an address is written in."""

    ZALO_USER = "zalo_user"
    PHONE = "phone"
    TELEGRAM_CHAT = "telegram_chat"
    EMAIL = "email"


#: The addresses each channel can use, best first. A phone is an address of two channels.
ADDRESS_KINDS: Mapping[ChannelName, tuple[AddressKind, ...]] = {
    ChannelName.ZALO: (AddressKind.ZALO_USER, AddressKind.PHONE),
    ChannelName.TELEGRAM: (AddressKind.TELEGRAM_CHAT,),
    ChannelName.SMS: (AddressKind.PHONE,),
    ChannelName.EMAIL: (AddressKind.EMAIL,),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached: a Zalo user id, an E.164 phone, a Telegram chat id, a mail address.

    `heard_at` is when we last heard from it (product time, UTC), which opens Zalo's window.
    """

    kind: AddressKind
    value: str
    heard_at: datetime | None = None

    @property
    def is_group(self) -> bool:
        """Whether several people read it: Telegram's groups have ids below zero."""
        return self.kind is AddressKind.TELEGRAM_CHAT and self.value.startswith("-")


# --- What goes out ----------------------------------------------------------------------------


class ButtonStyle(StrEnum):
    """How much a button stands out."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """One thing a person can press.

    Chats send `payload` back when it is pressed; mails and pages open `url`; `phone` is called.
    `word` is what stands for it in an SMS ("XN 48273").
    """

    label: str
    payload: str | None = None
    url: str | None = None
    phone: str | None = None
    word: str | None = None
    style: ButtonStyle = ButtonStyle.SECONDARY


class BlockRole(StrEnum):
    """What a part of a card tells; channels may show each in its own way."""

    WHEN = "when"
    AMOUNT = "amount"
    DISHES = "dishes"
    WHERE = "where"
    NOTE = "note"
    WHO = "who"
    TEXT = "text"
    CHANGES = "changes"
    REVIEW = "review"
    HISTORY = "history"
    LIST = "list"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a card that belong together, in the card's language."""

    role: BlockRole
    lines: tuple[str, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Badge:
    """An order's status beside its code: the word shown, and the status for its colour and shape."""

    status: str
    word: str
    code: str


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A delivery for a person's calendar; `sequence` rises with each change of it. Times UTC.

    `tentative` until the kitchen has confirmed it; `cancelled` takes it out again.
    """

    uid: str
    starts_at: datetime
    summary: str
    location: str
    sequence: int
    tentative: bool = False
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """An order or an answer, complete in one language, ready for any channel.

    `kind` is the notice kind (or "answer"); `short` is the whole matter in one SMS, accents
    allowed; `template` holds what a Zalo template of that kind is filled with; `thread` is the
    order that mails about it are threaded by. `wants_phone` asks its reader to share their phone
    number, where the chat has a way to do that.
    """

    kind: str
    locale: str
    title: str
    short: str
    wants_phone: bool = False
    badge: Badge | None = None
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button, ...] = ()
    template: Mapping[str, str] = field(default_factory=dict)
    thread: str | None = None
    calendar: CalendarEntry | None = None


class ReceiptKind(StrEnum):
    """How far a message came; only ever moves forward."""

    DELIVERED = "delivered"
    SEEN = "seen"
    FAILED = "failed"


# --- What became of it ------------------------------------------------------------------------


class Scope(StrEnum):
    """Whom a failure concerns."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Charge:
    """What is paid for: `parts` of `what`, which the setting PRICES has a price for.

    `dong` is the whole amount where the gateway told it.
    """

    what: str
    parts: int = 1
    dong: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The gateway accepted it; `id` is the gateway's name for it.

    `receipt_within` is set where acceptance is no proof: without a receipt in that time the
    next channel takes over.
    """

    id: str | None = None
    receipt_within: timedelta | None = None
    charge: Charge | None = None


@dataclass(frozen=True, slots=True)
class NoSuchRecipient:
    """The address cannot be reached on this channel; the next one takes over at once.

    With scope RECIPIENT it is the person's trouble: for `out_for` (product time) the address is not
    tried again on this channel unless it is heard from; without it only later than others that work.
    `unheard`: the gateway says that the person has not written within its window. Where the channel
    reaches such a person in another way, the same message is tried again at once. `gone`: the address has
    ended (blocked, left, deleted) until it is heard from. `moved_to`: it is another one from now on, where
    the same message is tried at once.
    """

    why: str
    scope: Scope = Scope.RECIPIENT
    out_for: timedelta | None = None
    unheard: bool = False
    gone: bool = False
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Surely not delivered; the same call may be made again, `after` this long if it said so.

    With scope RECIPIENT only that address has had enough for now: the gateway itself is well.
    """

    why: str
    after: timedelta | None = None
    scope: Scope = Scope.EVERYBODY


@dataclass(frozen=True, slots=True)
class Refused:
    """Not delivered, and the same call would be refused again.

    `alarm` names a trouble that the operators are told of, once, with `why`, until it is over: that is when
    the gateway takes a message again that would be paid for as this one (`charge`; None: any message), and,
    with scope MESSAGE, is of the same kind.
    """

    why: str
    scope: Scope = Scope.MESSAGE
    alarm: str | None = None
    charge: Charge | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been delivered (and charged): never the same call again at once."""

    why: str
    charge: Charge | None = None


Outcome = Sent | NoSuchRecipient | TryLater | Refused | Unclear


@dataclass(frozen=True, slots=True)
class Rate:
    """The gateway takes so many `calls` in any span of `per` (real time)."""

    calls: int
    per: timedelta


class Channel(Protocol):
    """A way to reach a person."""

    @property
    def name(self) -> ChannelName:
        """The channel this is."""

    @property
    def gateway(self) -> str:
        """Who is behind it ("zalo", "esms", "smtp"): whose limits, prices and troubles they are."""

    @property
    def rate(self) -> Rate | None:
        """How much the gateway takes, None where it has said nothing."""

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whether a card of this kind can be tried at this address at all. No I/O."""

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one card to the gateway; `key` is the same for every attempt at it.

        Returns within the gateway's timeout (5 s) plus a second; never raises for what the gateway does.
        """

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Ask how far a message came that the gateway calls `gateway_id`; None where it cannot tell.

        Bounded as `send` is; never raises for what the gateway does.
        """

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Listens(Protocol):
    """A channel that hears people over a connection of its own instead of a webhook."""

    async def listen(self, hear: Callable[["Inbound"], Awaitable[object]]) -> None:
        """Hand everything that comes in to `hear`, which may raise to have it sent again; until cancelled."""


@runtime_checkable
class Edits(Protocol):
    """A channel whose messages can be changed after they were sent."""

    async def edit(
        self, address: Address, gateway_id: str, card: Card, *, key: str, or_send: bool
    ) -> Outcome:
        """Let the message that the gateway calls `gateway_id` show this card from now on.

        What the gateway does not let us change any more is sent anew with `or_send`, in short, else Refused.
        Changing is the same however often it is done: what is unclear may be tried again (TryLater).
        Bounded as `send` is; never raises for what the gateway does. Sent.id is the message that shows it.
        """


# --- What comes in ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote this."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed a button of ours that carried this payload."""

    payload: str


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody opened the conversation (followed the account, pressed start)."""


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody ended the conversation (unfollowed, blocked); the address is dead."""


@dataclass(frozen=True, slots=True)
class SharedPhone:
    """Somebody says that this is their phone (E.164): a claim, unless the gateway vouches for it.

    `is_own`: the gateway says that it is the phone of the account that shared it.
    """

    phone: str
    name: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat that this came from is another one from now on (a Telegram group became a supergroup)."""

    to: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Somebody sent what we do not read: a picture, a voice, a sticker, a place. `what` names it."""

    what: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A gateway tells how far messages of ours came. `keys` are ours, `ids` the gateway's.

    `dong` is what the gateway says they cost, where it does.
    """

    kind: ReceiptKind
    ids: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    dong: int | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """Somebody pressed a button of a template, `label`. It names our message, not the person.

    The message is named by `keys` (ours) or `ids` (the gateway's).
    """

    label: str
    keys: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


Body = Said | Pressed | Followed | Left | SharedPhone | Moved | Unreadable | Receipt | Replied


@dataclass(frozen=True, slots=True)
class Inbound:
    """One verified thing that somebody sent us.

    `key` names it for ever (`zalo:<msg_id>`): a repeat has the same key. `answer_within` is set where
    the gateway carries an answer in its own HTTP reply: until then nobody else sends it. `group` is where
    it was said when several people read that. `pressed_on` is what the gateway calls the message whose
    button was pressed, where its answer can take that message's place.
    """

    channel: ChannelName
    key: str
    sender: Address
    body: Body
    answer_within: timedelta | None = None
    group: Address | None = None
    pressed_on: str | None = None

    @property
    def answer_to(self) -> Address:
        """Where an answer goes that everybody there may read."""
        return self.group or self.sender
