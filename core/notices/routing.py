"""From a notice to messages: which people, which address of each, which channel next. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.actors import Role
from core.channels import ADDRESS_KINDS, Address, AddressKind, ChannelName
from core.notices.kinds import RULES, Audience, NoticeKind, Way
from core.orders.events import Json
from core.quiet import Quiet
from core.schedule import Reach

#: Whether a card of this kind can be tried at this address on this channel at all.
Reaches = Callable[[ChannelName, Address, str], bool]


@dataclass(frozen=True, slots=True)
class Person:
    """A staff member who is still there, with live addresses; people come in the order they were added.

    `doubtful` are addresses that failed last on a channel, `out` those that are not tried there for now.
    """

    id: UUID
    name: str
    role: Role
    notify: bool
    addresses: tuple[Address, ...]
    doubtful: frozenset[tuple[ChannelName, str]] = frozenset()
    out: frozenset[tuple[ChannelName, str]] = frozenset()

    @property
    def is_recipient(self) -> bool:
        """Whether the partner's notices go to this person."""
        return self.role.is_told or self.notify


@dataclass(frozen=True, slots=True)
class Leg:
    """One message to be: `way` is what it is for, `person` whom it is for; `staff_id` if staff.

    `edits` names the earlier message whose place it takes; `rung` tells legs of one person apart.
    """

    way: Way
    person: str
    staff_id: UUID | None
    channel: ChannelName
    address: Address
    edits: str | None = None
    rung: int = 0


@dataclass(frozen=True, slots=True)
class SentCard:
    """A card of an order that was sent and can be changed: what the gateway calls it, and where it is.

    `is_newest` of all cards of that order there.
    """

    gateway_id: str
    staff_id: UUID
    channel: ChannelName
    address: Address
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A chat of the whole kitchen, and who linked it."""

    staff_id: UUID
    address: Address


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A partner's people and groups; by which channels each person was told of this order, oldest first.

    `cards` of the order are those that were sent and can be changed, `coming` the chats to which such a card
    is on its way.
    """

    people: Sequence[Person]
    told: Mapping[UUID, Sequence[ChannelName]]
    quiet: Quiet | None = None
    groups: Sequence[Group] = ()
    cards: Sequence[SentCard] = ()
    coming: frozenset[str] = frozenset()


def chats_of(
    person: Person, kind: str, *, chat_order: Sequence[ChannelName], reaches: Reaches
) -> tuple[tuple[ChannelName, Address], ...]:
    """Return every chat by which this person can be tried, best first: what failed last comes last."""
    chats = [
        (channel, address)
        for channel in chat_order
        for address_kind in ADDRESS_KINDS[channel]
        for address in person.addresses
        if address.kind is address_kind
        and (channel, address.value) not in person.out
        and reaches(channel, address, kind)
    ]
    return tuple(sorted(chats, key=lambda chat: (chat[0], chat[1].value) in person.doubtful))


def legs_for_staff(
    kind: NoticeKind,
    data: Mapping[str, Json],
    kitchen: Kitchen,
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
) -> tuple[Leg, ...]:
    """Return the first message for each person and way that this notice owes a partner's staff."""
    rule = RULES[kind]
    if rule.audience is Audience.LADDER:
        return _ladder_legs(kind, data, kitchen, chat_order=chat_order, reaches=reaches)
    if rule.audience is Audience.TOLD:
        return _told_legs(kind, data, kitchen, chat_order=chat_order, reaches=reaches)
    people = [person for person in kitchen.people if person.is_recipient and str(person.id) != _but(data)]
    legs = [leg for person in people if Way.EMAIL in rule.ways for leg in _mail_legs(person, kind, reaches)]
    if Way.CHAT in rule.ways:
        for person in people:
            chats = chats_of(person, kind, chat_order=chat_order, reaches=reaches)
            legs += [_chat_leg(person, chat) for chat in chats[:1]]
        legs += _group_legs(kind, kitchen, reaches)
    if rule.told_too:
        others = [person for person in kitchen.people if not person.is_recipient]
        legs += _where_told(kind, others, kitchen, chat_order=chat_order, reaches=reaches)
    return tuple(_once_per_address(legs))


def _but(data: Mapping[str, Json]) -> str:
    """Return the id of a member who is not told: they did it themselves."""
    return str(data.get("but") or "")


def _group_legs(kind: NoticeKind, kitchen: Kitchen, reaches: Reaches) -> list[Leg]:
    return [
        Leg(Way.CHAT, f"group:{group.address.value}", group.staff_id, ChannelName.TELEGRAM, group.address)
        for group in kitchen.groups
        if reaches(ChannelName.TELEGRAM, group.address, kind)
    ]


def edits_of(kitchen: Kitchen) -> tuple[Leg, ...]:
    """Return what brings every card of an order that was sent up to date; one of each chat may be resent."""
    return tuple(
        Leg(
            Way.EDIT,
            f"card:{card.gateway_id}",
            card.staff_id,
            card.channel,
            card.address,
            edits=card.gateway_id,
            rung=0 if card.is_newest else 1,
        )
        for card in kitchen.cards
    )


def _ladder_legs(
    kind: NoticeKind,
    data: Mapping[str, Json],
    kitchen: Kitchen,
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
) -> tuple[Leg, ...]:
    """The confirmation ladder: the recipients' next channel, the next person, then all who may confirm."""
    wanted = [Reach(str(data[name])) for name in ("reach", "otherwise") if name in data]
    for reach in wanted:
        if legs := _legs_for(reach, kind, kitchen, chat_order=chat_order, reaches=reaches):
            return tuple(_once_per_address([*legs, *_group_legs(kind, kitchen, reaches)]))
    return ()


def _legs_for(
    reach: Reach,
    kind: NoticeKind,
    kitchen: Kitchen,
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
) -> list[Leg]:
    legs: list[Leg] = []
    for person in _people_for(reach, kitchen):
        chats = chats_of(person, kind, chat_order=chat_order, reaches=reaches)
        if chats:
            legs.append(_chat_leg(person, next_chat(chats, kitchen.told.get(person.id, ()))))
        else:  # somebody without any chat is still told, by the way that is left
            legs += _mail_legs(person, kind, reaches)
        if legs and reach is Reach.NEXT_STAFF:
            break
    return legs


def _people_for(reach: Reach, kitchen: Kitchen) -> list[Person]:
    if reach is Reach.NEXT_CHANNEL:
        return [person for person in kitchen.people if person.is_recipient]
    acting = [person for person in kitchen.people if person.role.may_act]
    if reach is Reach.NEXT_STAFF:
        return [p for p in acting if p.id not in kitchen.told and not p.is_recipient]
    return acting


def next_chat(
    chats: Sequence[tuple[ChannelName, Address]], used: Sequence[ChannelName]
) -> tuple[ChannelName, Address]:
    """Return the chat after the one used last, in the person's order; around to the first again."""
    used = [channel for channel in used if channel is not ChannelName.EMAIL]
    if not used:
        return chats[0]
    channels = list(dict.fromkeys(channel for channel, _ in chats))
    last = used[-1]
    following = channels[(channels.index(last) + 1) % len(channels)] if last in channels else channels[0]
    return next(chat for chat in chats if chat[0] is following)


def _told_legs(
    kind: NoticeKind,
    data: Mapping[str, Json],
    kitchen: Kitchen,
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
) -> tuple[Leg, ...]:
    """Who was told of the order by chat hears what became of it there, but for who made it so."""
    by = data.get("by")
    actor = by.get("id") if isinstance(by, dict) else None
    others = [person for person in kitchen.people if str(person.id) != actor]
    legs = _where_told(kind, others, kitchen, chat_order=chat_order, reaches=reaches)
    shown = kitchen.coming.union(card.address.value for card in kitchen.cards)  # their card says it
    return tuple(_once_per_address([leg for leg in legs if leg.address.value not in shown]))


def _where_told(
    kind: NoticeKind,
    people: Sequence[Person],
    kitchen: Kitchen,
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
) -> list[Leg]:
    """Return the chat that told each of these people last of this order, where one did."""
    legs: list[Leg] = []
    for person in people:
        told = [name for name in kitchen.told.get(person.id, ()) if name is not ChannelName.EMAIL]
        if not told:
            continue
        chats = chats_of(person, kind, chat_order=chat_order, reaches=reaches)
        legs += [_chat_leg(person, chat) for chat in chats if chat[0] is told[-1]][:1]
    return legs


def next_leg(
    kind: NoticeKind,
    person: Person,
    tried: Sequence[tuple[ChannelName, str]],
    *,
    chat_order: Sequence[ChannelName],
    reaches: Reaches,
    silent: ChannelName | None = None,
) -> Leg | None:
    """Return the chat that takes over for this person, or None when every one of theirs was tried.

    Other addresses of a channel that is `silent` about a message come last: each may be one more copy.
    """
    chats = chats_of(person, kind, chat_order=chat_order, reaches=reaches)
    left = [chat for chat in chats if (chat[0], chat[1].value) not in tried]
    left.sort(key=lambda chat: chat[0] is silent)
    return _chat_leg(person, left[0]) if left else None


def _mail_legs(person: Person, kind: NoticeKind, reaches: Reaches) -> list[Leg]:
    return [
        Leg(Way.EMAIL, f"staff:{person.id}", person.id, ChannelName.EMAIL, address)
        for address in person.addresses
        if address.kind is AddressKind.EMAIL and reaches(ChannelName.EMAIL, address, kind)
    ][:1]


def _chat_leg(person: Person, chat: tuple[ChannelName, Address]) -> Leg:
    channel, address = chat
    return Leg(Way.CHAT, f"staff:{person.id}", person.id, channel, address)


def _once_per_address(legs: Sequence[Leg]) -> list[Leg]:
    """Two staff members may share a phone or a mailbox: it gets one copy."""
    return list({(leg.channel, leg.address.value): leg for leg in reversed(legs)}.values())[::-1]
