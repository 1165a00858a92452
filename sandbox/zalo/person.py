"""Somebody with a phone: sees the messages of the Official Account, taps, types, follows, leaves."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.feed import Feed
from sandbox.moments import milliseconds
from sandbox.zalo.messages import QUERIES, Button, Content
from sandbox.zalo.webhooks import OA_SERVER, ZBS_SERVER, Delivery, Postman, new_message_id


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as it stands on the phone.

    `kind` is text, template, request_user_info or media. `billed`: the vendor takes money for it.
    """

    message_id: str
    at: datetime
    text: str
    from_oa: bool = True
    buttons: tuple[Button, ...] = ()
    kind: str = "text"
    tracking_id: str = ""
    billed: bool = False
    reaction: str = ""
    read: bool = False

    def button(self, wanted: str | int) -> Button | None:
        """Return the button of that title, or of that index, if there is one."""
        if isinstance(wanted, int):
            return self.buttons[wanted] if 0 <= wanted < len(self.buttons) else None
        return next((one for one in self.buttons if one.title == wanted), None)


class Person:
    """A person's side of the chat with one Official Account.

    `refusal` is the error code that sends to this person get; `offline` keeps receipts from coming.
    """

    def __init__(
        self, user_id: str, name: str, *, phone: str, oa_id: str, postman: Postman, feed: Feed
    ) -> None:
        self.user_id = user_id
        self.name = name
        self.phone = phone
        self.bubbles: list[Bubble] = []
        self.follows = False
        self.last_interaction: datetime | None = None
        self.refusal: int | None = None
        self.offline = False
        self.shared_info: dict[str, str] = {}
        self.on_change: Callable[[], None] = _nothing
        self._oa_id = oa_id
        self._postman = postman
        self._feed = feed
        self._arrived = asyncio.Event()

    # What the phone shows.

    @property
    def received(self) -> list[Bubble]:
        """The messages of the Official Account, the oldest first."""
        return [bubble for bubble in self.bubbles if bubble.from_oa]

    @property
    def unread(self) -> list[Bubble]:
        """The messages that `sees` has not read yet, the oldest first."""
        return [bubble for bubble in self.received if not bubble.read]

    async def sees(self, text: str, *, within: float = 5.0) -> Bubble:
        """Read the oldest unread message that contains `text`, waiting for it up to `within` real seconds.

        Raises AssertionError, with what was there instead.
        """
        try:
            async with asyncio.timeout(within):
                return await self._first_with(text)
        except TimeoutError:
            there = [bubble.text for bubble in self.unread]
            raise AssertionError(f"{self.name} did not see {text!r}; unread: {there}") from None

    async def _first_with(self, text: str) -> Bubble:
        while True:
            for bubble in self.unread:
                if text in bubble.text:
                    return self._swap(bubble, replace(bubble, read=True))
            self._arrived.clear()
            await self._arrived.wait()

    def reads_all(self) -> list[Bubble]:
        """Read every unread message and return them."""
        return [self._swap(bubble, replace(bubble, read=True)) for bubble in self.unread]

    def receive(
        self, content: Content, *, at: datetime, tracking_id: str = "", billed: bool = False
    ) -> Bubble:
        """Put a message of the Official Account on the phone."""
        bubble = Bubble(
            new_message_id(),
            at,
            content.text,
            buttons=content.buttons,
            kind=content.kind,
            tracking_id=tracking_id,
            billed=billed,
        )
        self._add(bubble)
        return bubble

    def react(self, message_id: str, icon: str) -> bool:
        """Put the Official Account's reaction on one of the person's messages; False if there is none."""
        for bubble in self.bubbles:
            if bubble.message_id == message_id:
                self._swap(bubble, replace(bubble, reaction=icon))
                return True
        return False

    # What the person does. Everything here counts as an interaction.

    async def tap(self, button: str | int, *, on: Bubble | None = None) -> Delivery:
        """Tap a button: on that bubble, or on the newest one that has it.

        Zalo turns the tap into a message of this person whose text is the button's payload.
        Raises LookupError if there is no such button, ValueError if it opens a link or a call.
        """
        bubble, found = self._find(button, on)
        self._feed.report("zalo.tap", f"{self.name} bấm “{found.title}” trên Zalo", ref=self.user_id)
        if found.type == "zbs.response":
            return await self._respond(bubble, found)
        if found.type not in QUERIES:
            raise ValueError(f"{found.title!r} opens {found.target}")
        message_id = new_message_id()
        if found.type == "oa.query.show":
            self._add(self._own(found.target, message_id))
        return await self._speak(found.target, message_id)

    async def replies(self, label: str, *, on: Bubble | None = None) -> Delivery:
        """Tap a button of a ZBS template; Zalo names the message and the button, and nobody.

        Works as soon as the message is on the phone, also while the call that sent it still waits for
        its answer. Raises LookupError if there is no such button.
        """
        bubble, found = self._find(label, on)
        self._feed.report("zalo.tap", f"{self.name} bấm “{found.title}” trên Zalo", ref=self.user_id)
        return await self._respond(bubble, found)

    def link(self, button: str | int, *, on: Bubble | None = None) -> str:
        """Return the address that a link button opens."""
        return self._find(button, on)[1].target

    async def say(self, text: str) -> Delivery:
        """Type a text and send it."""
        message_id = new_message_id()
        self._add(self._own(text, message_id))
        self._feed.report("zalo.tap", f"{self.name} nhắn “{text}” trên Zalo", ref=self.user_id)
        return await self._speak(text, message_id)

    async def attach(self, kind: str, payload: dict[str, object], *, text: str = "") -> Delivery:
        """Send something that is not text: image, gif, sticker, location, file, audio, video, link."""
        message_id = new_message_id()
        message: dict[str, object] = {
            "msg_id": message_id,
            "attachments": [{"type": kind, "payload": payload}],
        }
        if text:
            message["text"] = text
        self._add(self._own(text or f"[{kind}]", message_id))
        self._feed.report("zalo.tap", f"{self.name} gửi {kind} trên Zalo", ref=self.user_id)
        event = "image" if kind == "gif" else kind
        return await self._post(f"user_send_{event}", {"message": message})

    async def follow(self, *, source: str = "oa_profile") -> Delivery:
        """Press "Quan tâm"."""
        self.follows = True
        self._interact()
        self._feed.report("zalo.tap", f"{self.name} quan tâm OA", ref=self.user_id)
        return await self._manage(
            {"follower": {"id": self.user_id}, "event_name": "follow", "source": source}
        )

    async def unfollow(self) -> Delivery:
        """Press "Bỏ quan tâm"."""
        self.follows = False
        self._feed.report("zalo.tap", f"{self.name} bỏ quan tâm OA", ref=self.user_id)
        event = {"follower": {"id": self.user_id}, "event_name": "unfollow", "source": "oa_profile"}
        return await self._manage(event)

    async def click_chat_now(self) -> Delivery:
        """Press "Nhắn tin" for the first time."""
        self._interact()
        return await self._manage({"user_id": self.user_id, "event_name": "user_click_chatnow"})

    async def submit_info(self, *, name: str, phone: str) -> Delivery:
        """Answer a card that asks for name and phone."""
        self.shared_info = {"name": name, "phone": phone}
        return await self._post("user_submit_info", {"info": {"name": name, "phone": phone}})

    async def shares_phone(self, *, on: Bubble | None = None) -> Delivery:
        """Press the button of a card that asks for name and phone, by default the newest one.

        Raises LookupError if nothing asked for it.
        """
        asking = [one for one in ([on] if on else self.received) if one.kind == "request_user_info"]
        if not asking:
            raise LookupError(f"nothing asked {self.name} for the phone")
        self._feed.report("zalo.tap", f"{self.name} chia sẻ số điện thoại", ref=self.user_id)
        return await self.submit_info(name=self.name, phone=self.phone)

    # What the phone reports by itself. No interaction.

    async def confirm_received(self, bubble: Bubble) -> Delivery:
        """Report that a message reached the phone: by user id, or by phone number for ZBS by phone."""
        if bubble.tracking_id:
            return await self._confirm_zbs(bubble)
        return await self._report("user_received_message", {"msg_id": bubble.message_id})

    async def confirm_seen(self, bubbles: Sequence[Bubble]) -> Delivery:
        """Report that messages were looked at."""
        ids = [bubble.message_id for bubble in bubbles]
        return await self._report("user_seen_message", {"msg_ids": ids})

    async def _confirm_zbs(self, bubble: Bubble) -> Delivery:
        message = {
            "delivery_time": milliseconds(self._feed.clock()),
            "msg_id": bubble.message_id,
            "tracking_id": bubble.tracking_id,
        }
        event = {
            "sender": {"id": self._oa_id},
            "recipient": {"id": self.phone},
            "event_name": "user_received_message",
            "message": message,
        }
        return await self._postman.post(event, server=ZBS_SERVER)

    async def _report(self, name: str, message: dict[str, object]) -> Delivery:
        event = {
            "sender": {"id": self._oa_id},
            "recipient": {"id": self.user_id},
            "event_name": name,
            "message": message,
        }
        return await self._postman.post(event)

    async def _respond(self, bubble: Bubble, button: Button) -> Delivery:
        self._interact()
        message = {
            "submit_time": milliseconds(self._feed.clock()),
            "button_type": "response",
            "data": button.target,
            "tracking_id": bubble.tracking_id,
        }
        event = {
            "event_name": "user_click_response_button",
            "message": message,
            "msg_id": bubble.message_id,
            "oa_id": self._oa_id,
        }
        return await self._postman.post(event, server=ZBS_SERVER)

    async def _speak(self, text: str, message_id: str) -> Delivery:
        return await self._post("user_send_text", {"message": {"text": text, "msg_id": message_id}})

    async def _post(self, name: str, rest: dict[str, object]) -> Delivery:
        self._interact()
        event = {"sender": {"id": self.user_id}, "recipient": {"id": self._oa_id}, "event_name": name, **rest}
        return await self._postman.post(event, server=OA_SERVER)

    async def _manage(self, event: Mapping[str, object]) -> Delivery:
        return await self._postman.post({"oa_id": self._oa_id, **event})

    def _interact(self) -> None:
        self.last_interaction = self._feed.clock()
        self.on_change()

    def _own(self, text: str, message_id: str) -> Bubble:
        return Bubble(message_id, self._feed.clock(), text, from_oa=False, read=True)

    def _add(self, bubble: Bubble) -> None:
        self.bubbles.append(bubble)
        self._arrived.set()
        self.on_change()

    def _swap(self, old: Bubble, new: Bubble) -> Bubble:
        self.bubbles[self.bubbles.index(old)] = new
        self.on_change()
        return new

    def _find(self, button: str | int, on: Bubble | None) -> tuple[Bubble, Button]:
        for bubble in [on] if on else reversed(self.received):
            found = bubble.button(button)
            if found is not None:
                return bubble, found
        raise LookupError(f"{self.name} has no button {button!r}")


def _nothing() -> None:
    """Do nothing: nobody watches this phone."""
