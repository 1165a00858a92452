"""Somebody with Telegram on their phone: starts the bot, taps, types, shares a number, blocks."""

import secrets
from dataclasses import replace

from sandbox.telegram.chats import Chat, ChatKind, Message, told_chat, told_message
from sandbox.telegram.errors import BLOCKED, DEACTIVATED, NEVER_STARTED
from sandbox.telegram.office import Office, Tap
from sandbox.telegram.webhooks import Delivery


class TelegramPerson:
    """A person, and their private chat with the bot. `phone` is digits with the country's code, no plus.

    `toasts` are the words that taps of this person were answered with, the oldest first.
    """

    def __init__(
        self, office: Office, user_id: int, name: str, *, phone: str = "", language: str = "vi"
    ) -> None:
        self.user_id = user_id
        self.name = name
        self.phone = phone
        self.language = language
        self.chat = office.open_chat(user_id, ChatKind.PRIVATE, name, shut=NEVER_STARTED)
        self.taps_made: list[Tap] = []
        self._office = office

    # What the phone shows.

    @property
    def received(self) -> list[Message]:
        """The bot's messages in the private chat, the oldest first."""
        return self.chat.received

    @property
    def unread(self) -> list[Message]:
        """The bot's messages that `sees` has not read yet, the oldest first."""
        return self.chat.unread

    @property
    def toasts(self) -> list[str]:
        """The words of answered taps, the oldest first."""
        return [tap.toast for tap in self.taps_made if tap.toast]

    async def sees(self, text: str, *, within: float = 5.0) -> Message:
        """Read the oldest unread message of the private chat that contains `text`."""
        return await self.chat.sees(text, within=within)

    def reads_all(self) -> list[Message]:
        """Read every unread message of the private chat and return them."""
        return self.chat.reads_all()

    def now(self, message: Message) -> Message:
        """Return a message, of any chat, as it is now. Raises LookupError if it is gone."""
        return self._office.chats[message.chat_id].now(message)

    # What the person does.

    async def starts(self, code: str = "") -> Delivery:
        """Open the bot and press start, by the deep link that carries `code` where one is given."""
        if self.chat.shut == BLOCKED:
            await self.unblocks()
        self.chat.shut = ""
        return await self._say(f"/start {code}".strip(), self.chat, f"{self.name} mở bot Telegram")

    async def says(
        self, text: str, *, where: Chat | None = None, answering: Message | None = None
    ) -> Delivery | None:
        """Write in the private chat, or in a group; None where the bot is not shown what was said there."""
        chat = where or self.chat
        if chat.is_private:
            self.chat.shut = ""
        return await self._say(text, chat, f"{self.name} nhắn “{text}” trên Telegram", answering)

    async def taps(self, label: str, *, on: Message | None = None, where: Chat | None = None) -> Tap:
        """Press a button: on that message as it is now, or on the newest of the chat that has it.

        Returns once the webhook has answered. Raises LookupError if there is no such button, ValueError if
        it opens a link.
        """
        chat = self._chat_of(on, where)
        message, button = chat.find(label, on)
        if button.data is None:
            raise ValueError(f"{label!r} opens {button.url}")
        return await self.presses(button.data, on=message, label=label)

    async def presses(self, data: str, *, on: Message, label: str = "?") -> Tap:
        """Send any data as if a button of that message carried it: what a changed client could do."""
        tap = Tap(str(secrets.randbits(62)), label, data)
        self._office.taps[tap.query_id] = tap
        self.taps_made.append(tap)
        self._report(f"{self.name} bấm “{label}” trên Telegram")
        delivery = await self._office.postman.post("callback_query", self._query(tap, on))
        tap.status = delivery.status
        return tap

    def link(self, label: str, *, on: Message | None = None, where: Chat | None = None) -> str:
        """Return the address that a link button opens."""
        return self._chat_of(on, where).find(label, on)[1].url or ""

    async def shares_contact(
        self, of: "TelegramPerson | None" = None, *, names_account: bool = True
    ) -> Delivery:
        """Share the own number, or somebody else's from the address book."""
        whose = of or self
        contact: dict[str, object] = {"phone_number": whose.phone, "first_name": whose.name}
        if names_account:
            contact["user_id"] = whose.user_id
        self.chat.shut = ""
        self._own("☎ " + whose.phone, self.chat)
        self._report(f"{self.name} chia sẻ số của {whose.name} trên Telegram")
        return await self._post_message(self.chat, {"contact": contact})

    async def attaches(self, kind: str, content: object, *, where: Chat | None = None) -> Delivery:
        """Send something that is not text: photo, voice, sticker, location, document."""
        chat = where or self.chat
        self._own(f"[{kind}]", chat)
        self._report(f"{self.name} gửi {kind} trên Telegram")
        return await self._post_message(chat, {kind: content})

    async def blocks(self) -> Delivery:
        """Block the bot."""
        self.chat.shut = BLOCKED
        self._report(f"{self.name} chặn bot Telegram")
        return await self._member("member", "kicked")

    async def unblocks(self) -> Delivery:
        """Let the bot write again."""
        self.chat.shut = ""
        self._report(f"{self.name} bỏ chặn bot Telegram")
        return await self._member("kicked", "member")

    def ends_account(self) -> None:
        """Delete the account; Telegram tells bots nothing."""
        self.chat.shut = DEACTIVATED

    # Inside.

    @property
    def told(self) -> dict[str, object]:
        """The person as the Bot API tells it."""
        return {
            "id": self.user_id,
            "is_bot": False,
            "first_name": self.name,
            "language_code": self.language,
        }

    def _chat_of(self, on: Message | None, where: Chat | None) -> Chat:
        return self._office.chats[on.chat_id] if on else where or self.chat

    async def _say(self, text: str, chat: Chat, report: str, answering: Message | None = None) -> Delivery:
        own = self._own(text, chat)
        self._report(report)
        if not (chat.is_private or self._is_shown(text, answering)):
            return Delivery({}, status=200)
        content: dict[str, object] = {"text": text}
        if text.startswith("/"):
            length = len(text.split(maxsplit=1)[0])
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        if answering:
            content["reply_to_message"] = self._office.told(chat, answering)
        return await self._post_message(chat, content, own)

    def _is_shown(self, text: str, answering: Message | None) -> bool:
        to_bot = answering is not None and answering.from_bot
        return not self._office.privacy or text.startswith("/") or to_bot

    async def _post_message(
        self, chat: Chat, content: dict[str, object], own: Message | None = None
    ) -> Delivery:
        message_id = own.message_id if own else chat.messages[-1].message_id
        message: dict[str, object] = {
            "message_id": message_id,
            "from": self.told,
            "chat": told_chat(chat),
            "date": int(self._office.clock().timestamp()),
        }
        return await self._office.postman.post("message", message | content)

    def _own(self, text: str, chat: Chat) -> Message:
        message = Message(
            chat.id, self._office.next_id(chat), self._office.clock(), self.name, text, "", from_bot=False
        )
        return chat.add(replace(message, read=True))

    def _query(self, tap: Tap, on: Message) -> dict[str, object]:
        chat = self._office.chats[on.chat_id]
        present = chat.message(on.message_id)
        gone = {"chat": told_chat(chat), "message_id": on.message_id, "date": 0}
        return {
            "id": tap.query_id,
            "from": self.told,
            "message": told_message(chat, present, self._office.bot) if present else gone,
            "chat_instance": str(chat.id * 7919),
            "data": tap.data,
        }

    async def _member(self, old: str, new: str) -> Delivery:
        return await self._office.postman.post(
            "my_chat_member", member_update(self._office, self.chat, self.told, old, new)
        )

    def _report(self, text: str) -> None:
        self._office.feed.report("telegram.tap", text, ref=str(self.user_id))


def member_update(office: Office, chat: Chat, by: dict[str, object], old: str, new: str) -> dict[str, object]:
    """Return the update that tells how the bot's place in a chat changed."""
    return {
        "chat": told_chat(chat),
        "from": by,
        "date": int(office.clock().timestamp()),
        "old_chat_member": _place(office, old),
        "new_chat_member": _place(office, new),
    }


def _place(office: Office, status: str) -> dict[str, object]:
    until = {"until_date": 0} if status == "kicked" else {}
    return {"user": office.bot, "status": status, **until}
