"""The one place where something inbound becomes an intent, an intent a command, and everybody gets an answer.

Effects and answers commit together, under the inbound's key: a repeat finds them and does nothing more.
Answers are owed as notices and leave from the worker.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.replies import FILTERS
from bot.compose import desk_of
from bot.intents import (
    Act,
    Ask,
    GivenReason,
    Intent,
    Link,
    ListOrders,
    Money,
    Question,
    Unclear,
    Verb,
    Why,
)
from bot.meaning import read
from bot.owing import Owing, Told, one_per_kitchen
from bot.phone_claims import PhoneClaims
from bot.questions import Reply, reply
from bot.quick_replies import QuickReplies, deeds_of
from bot.replying import fitting
from bot.tokens import ButtonToken, Purpose, Signer, is_button
from core import inbox, metrics, outbox
from core.actors import Via
from core.batch.free_codes import CODE_RESTS
from core.channels import (
    ChannelName,
    Followed,
    Inbound,
    Left,
    Moved,
    Pressed,
    Receipt,
    ReceiptKind,
    Replied,
    Said,
    SharedPhone,
    Unreadable,
)
from core.database import Connection, Database
from core.errors import Malformed, NotFound, Untrusted
from core.ledger import Ledger, StaffRef
from core.orders import codes, lookups
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.events import Json
from core.orders.lookups import Placed
from core.orders.order import OrderId
from core.partners import addresses, linking
from core.partners.addresses import StaffAt
from core.partners.linking import Linked, WrongCode
from core.settings import Settings
from core.waking import Wake

_NOBODY: Final = UUID(int=0)


class Conversation:
    """Takes in what people say and press, on any channel."""

    def __init__(
        self, *, settings: Settings, database: Database, ledger: Ledger, signer: Signer, wake: Wake
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._signer = signer
        self._desk = desk_of(settings, signer)
        self._link_key = linking.code_key(settings.require("secret_key"))
        self._owing = Owing(database, wake)
        self._asks_phones = settings.sms_is_on
        self._claims = PhoneClaims(database, wake, link_key=self._link_key, by_sms=settings.sms_is_on)
        self._quick_replies = QuickReplies(
            database,
            ledger,
            self._owing,
            deeds=deeds_of(settings.zalo_quick_replies),
            by_sms=settings.sms_is_on,
        )
        #: The routing keyword of a rented short code comes with every SMS.
        self._prefixes = {ChannelName.SMS: settings.sms_reply_prefix or ""}

    async def handle(self, inbound: Inbound) -> Answer | None:
        """Do what somebody asks for and owe the answer; returns after the commit, what a pressed command did.

        Raises Unavailable, or one of AWAY, when the database is: the gateway sends it again.
        """
        match inbound.body:
            case Pressed(payload):
                return await self._pressed(inbound, payload)
            case Said(text):
                await self._said(inbound, text)
            case Receipt():
                await outbox.receipt(self._database, inbound.channel, inbound.body)
            case Replied():
                await self._replied(inbound, inbound.body)
            case Left():
                await self._left(inbound)
            case Moved(to):
                await addresses.move(self._database.pool, inbound.answer_to, to)
            case Followed():
                await self._followed(inbound)
            case Unreadable():
                await self._unreadable(inbound)
            case SharedPhone():
                await self._heard(inbound)
                await self._claims.shared(inbound, inbound.body)
        return None

    async def _heard(self, inbound: Inbound) -> list[StaffAt]:
        """Remember that this address wrote to us; return the staff behind it, in a group its kitchen's."""
        pool, now = self._database.pool, self._database.clock.now()
        await addresses.heard(pool, inbound.sender, now=now)
        seats = await addresses.staff_at(pool, inbound.sender)
        if inbound.group is None:
            return seats
        await addresses.heard(pool, inbound.group, now=now)
        kitchens = {seat.partner_id for seat in await addresses.staff_at(pool, inbound.group)}
        return [seat for seat in seats if seat.partner_id in kitchens]

    async def _left(self, inbound: Inbound) -> None:
        """Nothing is sent there any more; a repeat ends nothing that has come back to life since."""
        now = self._database.clock.now()

        async def end(connection: Connection) -> Mapping[str, Json]:
            await addresses.end(connection, inbound.answer_to, now=now)
            return {}

        await inbox.once(self._database, inbound.key, end, now=now)

    async def _followed(self, inbound: Inbound) -> None:
        if await inbox.is_known(self._database, inbound.key):
            return
        seats = one_per_kitchen(await self._heard(inbound))
        told = [Told(seat.staff_id, reply(Reply.LINKED)) for seat in seats]
        vouched = inbound.channel is ChannelName.TELEGRAM  # Telegram knows whose phone it is
        how = reply(Reply.HOW_TO_LINK, by_phone=int(self._asks_phones or vouched), vouched=int(vouched))
        await self._owing.owe_all(inbound, told or [Told(None, how)])

    async def _replied(self, inbound: Inbound, replied: Replied) -> None:
        """Do what was tapped on a template; who taps has seen it."""
        await self._quick_replies.tapped(inbound, replied)
        seen = Receipt(ReceiptKind.SEEN, ids=replied.ids, keys=replied.keys)
        await outbox.receipt(self._database, inbound.channel, seen)

    async def _unreadable(self, inbound: Inbound) -> None:
        if await inbox.is_known(self._database, inbound.key):
            return
        await self._passive(inbound, await self._heard(inbound), reply(Reply.UNREADABLE))

    async def _passive(self, inbound: Inbound, seats: Sequence[StaffAt], data: Mapping[str, Json]) -> None:
        if seats and inbound.group is None:  # people of a group talk to each other
            await self._owing.owe_passive(inbound, seats, [Told(seats[0].staff_id, data)])

    # --- buttons ----------------------------------------------------------------------------------

    async def _pressed(self, inbound: Inbound, payload: str) -> Answer | None:
        try:
            token = self._signer.read_button(payload)
        except (Untrusted, Malformed) as error:
            metrics.REJECTED.labels(inbound.channel.value, error.reason).inc()
            await self._passive(
                inbound, await self._heard(inbound), reply(Reply.UNCLEAR, why=Why.NOT_UNDERSTOOD)
            )
            return None
        command = _command(token)
        if inbound.group:
            return await self._pressed_in_group(inbound, token, command)
        if command is None:
            await self._asked_by_button(inbound, token)
            return None
        return await self._commanded_by_button(inbound, token, command)

    async def _pressed_in_group(
        self, inbound: Inbound, token: ButtonToken, command: Command | None
    ) -> Answer | None:
        """Act in the name of who pressed: anybody of the kitchen may, whoever the card was made for."""
        placed = await lookups.by_id(token.order_id) if token.order_id != _NOBODY else None
        seats = one_per_kitchen(await self._heard(inbound))
        theirs = [seat for seat in seats if placed is None or seat.partner_id == placed.order.partner_id]
        if not theirs:
            metrics.INBOUND.labels(inbound.channel.value, "stranger").inc()
            return Answer(AnswerKind.FORBIDDEN, None, token.purpose.name.lower(), why="not_linked")
        if command:
            return await self._submit(inbound, theirs[0].staff_id, command)
        if not await inbox.is_known(self._database, inbound.key):
            await self._owing.owe_all(inbound, [Told(theirs[0].staff_id, _question(token))])
        return None

    async def _commanded_by_button(self, inbound: Inbound, token: ButtonToken, command: Command) -> Answer:
        """Act in the name of whom the button was made for; the ledger checks that this is their address."""
        answer = await self._submit(inbound, token.staff_id, command)
        if answer.kind is AnswerKind.FORBIDDEN and answer.why == "not_linked":
            await self._show_forwarded(inbound, token)
        return answer

    async def _show_forwarded(self, inbound: Inbound, token: ButtonToken) -> None:
        """Show a colleague the order of a card that was made for somebody else: it never acts."""
        placed = await lookups.by_id(token.order_id)
        seats = one_per_kitchen(await self._heard(inbound))
        shown = [seat for seat in seats if placed and seat.partner_id == placed.order.partner_id]
        told = [Told(seat.staff_id, reply(Reply.DETAILS, order_id=token.order_id)) for seat in shown]
        if told:
            await self._owing.owe_all(inbound, told, key=f"{inbound.key}:shown")

    async def _asked_by_button(self, inbound: Inbound, token: ButtonToken) -> None:
        if await inbox.is_known(self._database, inbound.key):
            return
        seats = await self._heard(inbound)
        if any(seat.staff_id == token.staff_id for seat in seats):
            await self._owing.owe_all(inbound, [Told(token.staff_id, _question(token))])
        elif token.order_id != _NOBODY:
            await self._show_forwarded(inbound, token)

    # --- words ------------------------------------------------------------------------------------

    async def _said(self, inbound: Inbound, text: str) -> None:
        if is_button(text.strip()):  # some chats send a payload back as plain words
            await self._pressed(inbound, text.strip())
            return
        if await inbox.is_known(self._database, inbound.key):
            return
        seats = await self._heard(inbound)
        intent = read(text, prefix=self._prefixes.get(inbound.channel, ""))
        if isinstance(intent, Link):
            await self._link(inbound, seats, intent.code)
        elif seats:
            await self._meant(inbound, seats, intent)
        else:
            metrics.INBOUND.labels(inbound.channel.value, "stranger").inc()

    async def _meant(self, inbound: Inbound, seats: list[StaffAt], intent: Intent) -> None:
        match intent:
            case Act(verb, None, _):
                await self._act_on_the_only_one(inbound, seats, verb)
            case Act(verb, str() as code, reason):
                await self._act_on_code(inbound, seats, verb, code, reason)
            case Unclear():
                await self._unclear(inbound, seats, intent)
            case ListOrders(status):
                await self._told(inbound, seats, reply(Reply.LIST, status=status))
            case Money(month, year):
                await self._told(inbound, seats, reply(Reply.MONEY, month=month, year=year), private=True)
            case Ask(question):
                await self._asked(inbound, seats, question)

    async def _asked(self, inbound: Inbound, seats: list[StaffAt], question: Question) -> None:
        if question is Question.HELP:
            await self._passive(inbound, seats, reply(Reply.HELP))
        elif question in {Question.ENGLISH, Question.VIETNAMESE}:
            await self._speak(inbound, seats, question.value)
        else:
            private = question is Question.WEB
            await self._told(inbound, seats, reply(_REPLIES[question]), private=private)

    async def _told(
        self, inbound: Inbound, seats: list[StaffAt], data: Mapping[str, Json], *, private: bool = False
    ) -> None:
        """Answer for every kitchen that the person works for; of several each is named."""
        kitchens = one_per_kitchen(seats)
        data = {**data, "of_several": True} if len(kitchens) > 1 else data
        told = [Told(seat.staff_id, data, private=private) for seat in kitchens]
        await self._owing.owe_all(inbound, told)

    async def _speak(self, inbound: Inbound, seats: list[StaffAt], locale: str) -> None:
        """Speak this language with everybody behind the address from now on."""

        async def choose(connection: Connection) -> Sequence[Told]:
            people = sorted(seat.staff_id for seat in seats)
            await connection.execute(
                "UPDATE staff SET locale = $2 WHERE id = ANY($1::uuid[])", people, locale
            )
            return [Told(seats[0].staff_id, reply(Reply.LANGUAGE))]

        await self._owing.owe(inbound, choose)

    async def _link(self, inbound: Inbound, seats: list[StaffAt], code: str) -> None:
        """Link this address by a one-time code. Strangers hear of a right code only."""
        now = self._database.clock.now()

        async def choose(connection: Connection) -> Sequence[Told]:
            done = await linking.redeem(
                connection, code=code, address=inbound.answer_to, key=self._link_key, now=now
            )
            if isinstance(done, Linked):
                return [Told(seat.staff_id, reply(Reply.LINKED)) for seat in (done.staff, *done.others)]
            if not seats:
                return ()
            if isinstance(done, WrongCode):
                return [Told(seats[0].staff_id, reply(Reply.LINK_WRONG, tries_left=done.tries_left))]
            return [Told(seats[0].staff_id, reply(Reply.LINK_LOCKED))] if done.just_now else ()

        try:
            await self._owing.owe(inbound, choose)
        except NotFound:  # whoever the code was for has just been removed
            return

    # --- orders named in words --------------------------------------------------------------------

    async def _act_on_the_only_one(self, inbound: Inbound, seats: list[StaffAt], verb: Verb) -> None:
        partners = [seat.partner_id for seat in one_per_kitchen(seats)]
        fit = await fitting(verb, partners, self._desk, self._database.clock.now())
        if len(fit) == 1:
            await self._act(inbound, _seat_for(seats, fit[0]), verb, fit[0], None)
            return
        concerned = {placed.order.partner_id for placed in fit}
        asked = [seat for seat in one_per_kitchen(seats) if not fit or seat.partner_id in concerned]
        await self._ask_which(inbound, asked, verb)

    async def _ask_which(self, inbound: Inbound, seats: Sequence[StaffAt], verb: Verb) -> None:
        """Ask which order is meant; a phone that answers "OK" by itself is not asked for ever."""
        told = [Told(seat.staff_id, reply(Reply.WHICH, verb=verb)) for seat in seats]
        await self._owing.owe_passive(inbound, seats, told)

    async def _act_on_code(
        self, inbound: Inbound, seats: list[StaffAt], verb: Verb, code: str, reason: GivenReason | None
    ) -> None:
        if await self._owing.is_locked(inbound.sender):
            return
        found = await lookups.by_code({seat.partner_id for seat in seats}, code)
        if not found:
            await self._wrong_code(inbound, seats, code, Why.WRONG_CODE)
        elif len(found) == 1:
            await self._act(inbound, _seat_for(seats, found[0]), verb, found[0], reason)
        else:  # two kitchens of one person have an order of this code: show both
            told = [
                Told(_seat_for(seats, placed).staff_id, reply(Reply.DETAILS, order_id=placed.order.id))
                for placed in found
            ]
            await self._owing.owe_all(inbound, told)

    async def _act(
        self, inbound: Inbound, seat: StaffAt, verb: Verb, placed: Placed, reason: GivenReason | None
    ) -> None:
        command = _typed_command(verb, placed.order.id, reason)
        if command:
            await self._submit(inbound, seat.staff_id, command)
            return
        asked = Reply.REASONS if verb is Verb.CANCEL else Reply.DETAILS
        await self._owing.owe_all(inbound, [Told(seat.staff_id, reply(asked, order_id=placed.order.id))])

    async def _unclear(self, inbound: Inbound, seats: list[StaffAt], unclear: Unclear) -> None:
        if unclear.why is Why.WHICH_ORDER:
            await self._ask_which(inbound, one_per_kitchen(seats), Verb.CANCEL)
        elif unclear.typed is None:
            await self._passive(inbound, seats, reply(Reply.UNCLEAR, why=unclear.why))
        elif not await self._owing.is_locked(inbound.sender):
            await self._ask_back(inbound, seats, unclear.typed, unclear.why)

    async def _ask_back(self, inbound: Inbound, seats: list[StaffAt], typed: str, why: Why) -> None:
        """Show the order that was named where there is one; nothing is done."""
        partners = {seat.partner_id for seat in seats}
        found = await lookups.by_code(partners, typed) if codes.is_valid(typed) else []
        if found:
            data = reply(Reply.MEANT, why=why, typed=typed, order_id=found[0].order.id)
            told = Told(_seat_for(seats, found[0]).staff_id, data)
            await self._owing.owe_passive(inbound, seats, [told])
        elif len(typed) == codes.LENGTH:
            await self._wrong_code(inbound, seats, typed, Why.WRONG_CODE)
        else:
            await self._owing.owe_passive(inbound, seats, [await self._suggested(seats, typed, why)])

    async def _wrong_code(self, inbound: Inbound, seats: list[StaffAt], typed: str, why: Why) -> None:
        await self._owing.owe_for_wrong_code(inbound, await self._suggested(seats, typed, why))

    async def _suggested(self, seats: list[StaffAt], typed: str, why: Why) -> Told:
        """Return the answer to a code that is nobody's: with the one that is a slip away, if there is one."""
        partners = {seat.partner_id for seat in seats}
        since = self._database.clock.now() - CODE_RESTS
        near = codes.suggest(typed, await lookups.codes_in_use(partners, since=since))
        found = await lookups.by_code(partners, near) if near else []
        if found:
            data = reply(Reply.MEANT, why=why, typed=typed, order_id=found[0].order.id)
            return Told(_seat_for(seats, found[0]).staff_id, data)
        kind = Reply.NO_SUCH_CODE if why is Why.WRONG_CODE else Reply.UNCLEAR
        return Told(seats[0].staff_id, reply(kind, typed=typed, why=why))

    async def _submit(self, inbound: Inbound, staff_id: UUID, command: Command) -> Answer:
        return await self._ledger.submit(
            command,
            actor=StaffRef(staff_id, _VIA[inbound.channel], inbound.sender),
            key=inbound.key,
            reply_to=inbound.answer_to,
            hold=inbound.answer_within,
            edits=inbound.pressed_on,
        )


_VIA: Final[Mapping[ChannelName, Via]] = MappingProxyType(
    {
        ChannelName.ZALO: Via.ZALO,
        ChannelName.TELEGRAM: Via.TELEGRAM,
        ChannelName.SMS: Via.SMS,
        ChannelName.EMAIL: Via.EMAIL,
    }
)

_REPLIES: Final[Mapping[Question, Reply]] = MappingProxyType(
    {
        Question.TODAY: Reply.TODAY,
        Question.TOMORROW: Reply.TOMORROW,
        Question.REVIEWS: Reply.REVIEWS,
        Question.WEB: Reply.WEB,
    }
)


def _command(token: ButtonToken) -> Command | None:
    """Return the command that a button gives, None for one that asks something."""
    if token.purpose is Purpose.CONFIRM:
        return ConfirmOrder(token.order_id, token.revision)
    if token.purpose is Purpose.COMPLETE:
        return CompleteOrder(token.order_id, token.revision)
    if token.purpose.reason:
        return CancelOrder(token.order_id, reason_of(token.purpose.reason), token.revision)
    return None


def _question(token: ButtonToken) -> Mapping[str, Json]:
    match token.purpose:
        case Purpose.CANCEL:
            return reply(Reply.REASONS, order_id=token.order_id)
        case Purpose.CANCEL_OTHER:
            return reply(Reply.OTHER_REASONS, order_id=token.order_id)
        case Purpose.TODAY:
            return reply(Reply.TODAY)
        case Purpose.TOMORROW:
            return reply(Reply.TOMORROW)
        case Purpose.LIST:
            return _next_page(token)
        case Purpose.DETAILS:
            return reply(Reply.DETAILS, order_id=token.order_id)
    return reply(Reply.HELP)


def _next_page(token: ButtonToken) -> Mapping[str, Json]:
    status = FILTERS[token.revision] if token.revision < len(FILTERS) else None
    after = token.order_id if token.order_id != _NOBODY else None
    return reply(Reply.LIST, status=status, after=after)


def _typed_command(verb: Verb, order_id: OrderId, reason: GivenReason | None) -> Command | None:
    """Return the command that words give; None where they only look, or a reason is still to be asked for."""
    if verb is Verb.CONFIRM:
        return ConfirmOrder(order_id)
    if verb is Verb.COMPLETE:
        return CompleteOrder(order_id)
    if verb is Verb.CANCEL and reason:
        return CancelOrder(order_id, reason_of(reason.code, reason.words))
    return None


def _seat_for(seats: Sequence[StaffAt], placed: Placed) -> StaffAt:
    return next(seat for seat in one_per_kitchen(seats) if seat.partner_id == placed.order.partner_id)
