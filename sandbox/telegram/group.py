"""A group of people with the bot among them: a kitchen's own chat."""

from sandbox.telegram.chats import Chat, ChatKind, Message, told_chat
from sandbox.telegram.errors import KICKED, KICKED_SUPER
from sandbox.telegram.office import Office
from sandbox.telegram.person import TelegramPerson, member_update
from sandbox.telegram.webhooks import Delivery


class TelegramGroup:
    """A group chat; it becomes a supergroup by `migrates`, and is then another chat with another id."""

    def __init__(self, office: Office, chat_id: int, title: str, *members: TelegramPerson) -> None:
        self.chat: Chat = office.open_chat(chat_id, ChatKind.GROUP, title, shut=KICKED)
        self.members = list(members)
        self._office = office

    @property
    def received(self) -> list[Message]:
        """The bot's messages, the oldest first."""
        return self.chat.received

    @property
    def unread(self) -> list[Message]:
        """The bot's messages that `sees` has not read yet, the oldest first."""
        return self.chat.unread

    async def sees(self, text: str, *, within: float = 5.0) -> Message:
        """Read the oldest unread message that contains `text`."""
        return await self.chat.sees(text, within=within)

    def reads_all(self) -> list[Message]:
        """Read every unread message and return them."""
        return self.chat.reads_all()

    def now(self, message: Message) -> Message:
        """Return a message as it is now. Raises LookupError if it is gone."""
        return self.chat.now(message)

    async def adds_bot(self, by: TelegramPerson, *, code: str = "") -> Delivery:
        """Let the bot in, by the deep link `?startgroup=` where a code is given; returns the last update."""
        self.chat.shut = ""
        self._report(f"{by.name} thêm bot vào nhóm {self.chat.title}")
        await self._changes(by, "left", "member")
        joined = await self._service(by, {"new_chat_members": [self._office.bot]})
        if not code:
            return joined
        said = await by.says(f"/start@{self._office.username} {code}", where=self.chat)
        return said or joined

    async def kicks_bot(self, by: TelegramPerson) -> Delivery:
        """Put the bot out."""
        self.chat.shut = KICKED_SUPER if self.chat.kind is ChatKind.SUPERGROUP else KICKED
        self._report(f"{by.name} xoá bot khỏi nhóm {self.chat.title}")
        return await self._changes(by, "member", "kicked")

    async def migrates(self, *, tells: bool = True) -> Chat:
        """Become a supergroup; the bot is told by two messages, unless `tells` is false."""
        old = self.chat
        new_id = -1_000_000_000_000 + old.id
        self.chat = self._office.open_chat(new_id, ChatKind.SUPERGROUP, old.title)
        old.moved_to = new_id
        self._report(f"Nhóm {old.title} thành siêu nhóm")
        if tells:
            await self._service(self.members[0], {"migrate_to_chat_id": new_id}, chat=old)
            await self._service(self.members[0], {"migrate_from_chat_id": old.id})
        return self.chat

    async def _changes(self, by: TelegramPerson, old: str, new: str) -> Delivery:
        update = member_update(self._office, self.chat, by.told, old, new)
        return await self._office.postman.post("my_chat_member", update)

    async def _service(
        self, by: TelegramPerson, content: dict[str, object], *, chat: Chat | None = None
    ) -> Delivery:
        where = chat or self.chat
        message: dict[str, object] = {
            "message_id": self._office.next_id(where),
            "from": by.told,
            "chat": told_chat(where),
            "date": int(self._office.clock().timestamp()),
        }
        return await self._office.postman.post("message", message | content)

    def _report(self, text: str) -> None:
        self._office.feed.report("telegram.tap", text, ref=str(self.chat.id))
