"""The one place where something inbound becomes an intent, an intent a command, and everybody gets an answer.

Effects and answers commit together, under the inbound's key: a repeat finds them and does nothing more.
Answers are owed as notices and leave from the worker.
"""

from collections.abc import Mapping, Sequence

from bot.compose import desk_of
from bot.hearing import heard
from bot.intents import Act, Ask, Intent, Link, ListOrders, Money, Pause, Thank, Unclear, Why
from bot.meaning import read
from bot.naming import Naming
from bot.owing import Owing, Told, one_per_kitchen
from bot.phone_claims import PhoneClaims
from bot.pressing import Pressing
from bot.questioning import Questioning
from bot.questions import Reply, reply
from bot.quick_replies import QuickReplies, deeds_of
from bot.rests import Rests
from bot.tokens import Signer, is_button
from core import inbox, metrics, outbox
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
from core.errors import NotFound
from core.ledger import Ledger
from core.orders.answers import Answer
from core.orders.events import Json
from core.partners import addresses, linking
from core.partners.addresses import StaffAt
from core.partners.linking import Linked, WrongCode
from core.settings import Settings
from core.waking import Wake


class Conversation:
    """Takes in what people say and press, on any channel."""

    def __init__(
        self, *, settings: Settings, database: Database, ledger: Ledger, signer: Signer, wake: Wake
    ) -> None:
        self._database = database
        self._link_key = linking.code_key(settings.require("secret_key"))
        self._owing = Owing(database, wake)
        self._rests = Rests(database, self._owing)
        self._questioning = Questioning(database, self._owing, self._rests, settings)
        self._naming = Naming(database, ledger, self._owing, desk_of(settings, signer))
        self._pressing = Pressing(database, ledger, signer, self._owing, self._questioning)
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
                return await self._pressing.pressed(inbound, payload)
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
                await heard(self._database, inbound)
                await self._claims.shared(inbound, inbound.body)
        return None

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
        seats = one_per_kitchen(await heard(self._database, inbound))
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
        seats = await heard(self._database, inbound)
        await self._owing.owe_unless_in_group(inbound, seats, reply(Reply.UNREADABLE))

    # --- words ------------------------------------------------------------------------------------

    async def _said(self, inbound: Inbound, text: str) -> None:
        if is_button(text.strip()):  # some chats send a payload back as plain words
            await self._pressing.pressed(inbound, text.strip())
            return
        if await inbox.is_known(self._database, inbound.key):
            return
        seats = await heard(self._database, inbound)
        intent = read(text, prefix=self._prefixes.get(inbound.channel, ""))
        if isinstance(intent, Link):
            await self._link(inbound, seats, intent.code)
        elif seats:
            await self._thanked_or_meant(inbound, seats, intent)
        else:
            metrics.INBOUND.labels(inbound.channel.value, "stranger").inc()

    async def _thanked_or_meant(self, inbound: Inbound, seats: list[StaffAt], intent: Intent) -> None:
        """Answer a review where there is one; without it, thanks are only polite."""
        if isinstance(intent, Thank):
            if await self._naming.thanked(inbound, seats, intent.code, intent.words):
                return
            intent = intent.otherwise
        await self._meant(inbound, seats, intent)

    async def _meant(self, inbound: Inbound, seats: list[StaffAt], intent: Intent) -> None:
        match intent:
            case Act(verb, None, _):
                await self._naming.the_only_one(inbound, seats, verb)
            case Act(verb, str() as code, reason):
                await self._naming.of_code(inbound, seats, verb, code, reason)
            case Unclear(Why.HOW_LONG):
                await self._owing.owe_unless_in_group(inbound, seats, reply(Reply.HOW_LONG))
            case Unclear():
                await self._naming.unclear(inbound, seats, intent)
            case Pause():
                await self._rests.asked(inbound, seats, intent)
            case ListOrders(status):
                await self._questioning.told(inbound, seats, reply(Reply.LIST, status=status))
            case Money(month, year):
                await self._questioning.money(inbound, seats, reply(Reply.MONEY, month=month, year=year))
            case Ask(question):
                await self._questioning.asked(inbound, seats, question)

    async def _link(self, inbound: Inbound, seats: list[StaffAt], code: str) -> None:
        """Link this address by a one-time code. Strangers hear of a right code only."""
        now = self._database.clock.now()

        async def choose(connection: Connection) -> Sequence[Told]:
            done = await linking.redeem(
                connection,
                code=code,
                address=inbound.answer_to,
                key=self._link_key,
                now=now,
                sender=inbound.sender,
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
