"""The ways in which a kitchen runs its orders, each behind the same few deeds: it reads, acts and asks."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import unescape
from typing import ClassVar, Final
from urllib.parse import urljoin

import aiohttp

from sandbox.zalo import Bubble
from tests.stories.world import Placed, Somebody, World

LIST, TODAY, TOMORROW, MONEY, REVIEWS, HELP = "list", "today", "tomorrow", "money", "reviews", "help"
_WORDS: Final[Mapping[str, str]] = {
    LIST: "DS",
    TODAY: "HN",
    TOMORROW: "MAI",
    MONEY: "TIEN",
    REVIEWS: "DG",
    HELP: "TG",
}
_COMMANDS: Final[Mapping[str, str]] = {
    LIST: "/donhang",
    TODAY: "/homnay",
    TOMORROW: "/ngaymai",
    MONEY: "/tien",
    REVIEWS: "/danhgia",
    HELP: "/trogiup",
}
_FORM: Final = re.compile(r'<form[^>]* action="([^"]+)".*?</form>', re.DOTALL)
_HIDDEN: Final = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')
_UNSEEN: Final = re.compile(r"<(head|svg|script)\b.*?</\1>", re.DOTALL)


def folded(text: str) -> str:
    """Return a text as an SMS would say it: small letters without accents, one space between words."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.lower().split())


class Way(ABC):
    """One person and one channel; every text that is returned is `folded`."""

    channel: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world
        self.who: Somebody

    @abstractmethod
    async def joins(self, name: str, role: str = "owner") -> None:
        """Make the person who is reached and acts in this way."""

    @abstractmethod
    async def reads(self) -> str:
        """Read whatever has come."""

    @abstractmethod
    async def confirms(self, order: Placed) -> str:
        """Confirm an order; return what is said to it."""

    @abstractmethod
    async def cancels(self, order: Placed) -> str:
        """Cancel an order for want of a dish, in the steps that this way asks for."""

    @abstractmethod
    async def completes(self, order: Placed) -> str:
        """Report an order as delivered."""

    @abstractmethod
    async def details(self, order: Placed) -> str:
        """Look at one order."""

    @abstractmethod
    async def asks(self, question: str) -> str:
        """Ask one of the questions above."""

    @abstractmethod
    async def looks_again(self, order: Placed) -> str:
        """Try to confirm what is confirmed, where that can be tried at all, else look at it."""

    async def aclose(self) -> None:
        """Let go of whatever is open: by most ways nothing is."""
        return

    async def _joins(self, name: str, role: str, *, phone: str | None = None, **ways: bool) -> None:
        zalo, telegram = ways.get("zalo", False), ways.get("telegram", False)
        if role == "owner":
            self.who = await self.world.kitchen(
                owner=name, email=None, phone=phone, zalo=zalo, telegram=telegram
            )
        else:
            await self.world.kitchen(owner="Chị Cả", email=None, zalo=False)
            self.who = await self.world.hires(name, role, phone=phone, zalo=zalo, telegram=telegram)


class Chatting(Way):
    """What the ways in which people write have in common."""

    @abstractmethod
    async def says(self, text: str) -> str:
        """Write this; return what is said to it."""

    async def asks(self, question: str) -> str:
        """Ask by the word that all chats share."""
        return await self.says(_WORDS[question])

    async def details(self, order: Placed) -> str:
        """Ask for one order by its code."""
        return await self.says(f"CT {order.code}")

    async def looks_again(self, order: Placed) -> str:
        """Confirm by words: they know of no buttons that have gone.

        In other words than before: a gateway without ids of its own takes the same again for a repeat.
        """
        return await self.says(f"{order.code} xn nha")


class Tapping(Chatting):
    """What the chats whose cards have buttons have in common."""

    @abstractmethod
    async def taps(self, label: str, order: Placed) -> str:
        """Tap a button of the newest card of this order; return what is said to it."""

    async def confirms(self, order: Placed) -> str:
        """Tap the card's button."""
        return await self.taps("Xác nhận đơn hàng", order)

    async def cancels(self, order: Placed) -> str:
        """Tap cancel, then the reason."""
        await self.taps("Huỷ đơn hàng", order)
        return await self.taps("Hết món", order)

    async def completes(self, order: Placed) -> str:
        """Tap the newest card's button."""
        return await self.taps("Hoàn thành", order)


class ByZalo(Tapping):
    """On Zalo, by buttons where a card has them."""

    channel = "zalo"

    async def joins(self, name: str, role: str = "owner") -> None:
        """Link a Zalo."""
        await self._joins(name, role, zalo=True)

    async def reads(self) -> str:
        """Read the chat."""
        return folded("\n".join(bubble.text for bubble in self.who.phone.person.reads_all()))

    async def says(self, text: str) -> str:
        """Write to the account."""
        await self.who.phone.says(text)
        return await self.reads()

    async def taps(self, label: str, order: Placed) -> str:
        """Tap it."""
        card = next(one for one in reversed(self.who.phone.person.received) if _has(one, label, order))
        await self.who.phone.taps(label, on=card)
        return await self.reads()


def _has(bubble: Bubble, label: str, order: Placed) -> bool:
    return order.code in bubble.text and bubble.button(label) is not None


class ByTelegram(Tapping):
    """On Telegram: cards that change in their place, and commands."""

    channel = "telegram"

    async def joins(self, name: str, role: str = "owner") -> None:
        """Link a Telegram."""
        await self._joins(name, role, telegram=True)

    async def reads(self) -> str:
        """Read the chat."""
        return folded("\n".join(message.text for message in self.who.telegram.person.reads_all()))

    async def says(self, text: str) -> str:
        """Write to the bot."""
        await self.who.telegram.says(text)
        return await self.reads()

    async def asks(self, question: str) -> str:
        """Ask by a command of the menu."""
        return await self.says(_COMMANDS[question])

    async def taps(self, label: str, order: Placed) -> str:
        """Press it: the card changes in its place."""
        phone = self.who.telegram
        mine = [one for one in phone.person.received if order.code in one.text and one.button(label)]
        tap = await phone.taps(label, on=mine[-1])
        return folded(f"{tap.toast}\n{phone.now(mine[-1]).text}")


class BySms(Chatting):
    """By SMS, from a phone that can do nothing else."""

    channel = "sms"
    number: ClassVar[str] = "+84909000111"

    async def joins(self, name: str, role: str = "owner") -> None:
        """Have a number, and no more."""
        await self._joins(name, role, phone=self.number)

    async def reads(self) -> str:
        """Read the texts, each of which is in two segments at most."""
        texts = self.who.texts.phone.reads_all()
        assert all(sms.parts <= 2 for sms in texts), [sms.text for sms in texts]
        return folded("\n".join(sms.text for sms in texts))

    async def says(self, text: str) -> str:
        """Text the number."""
        await self.who.texts.writes(text)
        return await self.reads()

    async def confirms(self, order: Placed) -> str:
        """Text the word and the code."""
        return await self.says(f"XN {order.code}")

    async def cancels(self, order: Placed) -> str:
        """Text the word, and with the reason once it is asked for."""
        await self.says(f"HUY {order.code}")
        return await self.says(f"HUY {order.code} 1")

    async def completes(self, order: Placed) -> str:
        """Text the word and the code."""
        return await self.says(f"HT {order.code}")


class ByWeb(Way):
    """On the web page, signed in by a link that the chat answered with."""

    channel = "web"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def aclose(self) -> None:
        """Close the browser."""
        await self._session.close()

    async def joins(self, name: str, role: str = "owner") -> None:
        """Ask for the link in the chat, open it and press the button."""
        await self._joins(name, role, zalo=True)
        await self.who.phone.says("WEB")
        (card,) = self.who.phone.person.reads_all()
        link = next(button.target for button in card.buttons if button.is_link)
        await self._sends(await self._opens(link), "/login/")

    async def reads(self) -> str:
        """Look at what is to be done."""
        self.who.phone.person.reads_all()
        return _text(await self._opens("/orders"))

    async def confirms(self, order: Placed) -> str:
        """Press the button on the order's page."""
        return await self.acts(order.code, "confirm")

    async def cancels(self, order: Placed) -> str:
        """Choose the reason and press."""
        return await self.acts(order.code, "cancel", reason="1")

    async def completes(self, order: Placed) -> str:
        """Press the button on the order's page."""
        return await self.acts(order.code, "complete")

    async def details(self, order: Placed) -> str:
        """Open the order's page."""
        return _text(await self._opens(f"/orders/{order.code}"))

    async def looks_again(self, order: Placed) -> str:
        """Open the order's page: its button is gone."""
        return await self.details(order)

    async def asks(self, question: str) -> str:
        """Open the page that answers."""
        return _text(await self._opens(self._page(question)))

    def _page(self, question: str) -> str:
        today = self.world.now.date()
        day = today.replace(day=today.day + 1) if question == TOMORROW else today
        if question in {TODAY, TOMORROW}:
            return f"/orders?status=all&from={day}&to={day}"
        return {LIST: "/orders?status=all", MONEY: "/summary", REVIEWS: "/reviews", HELP: "/help"}[question]

    async def acts(self, code: str, deed: str, **fields: str) -> str:
        """Send the form for this deed from the order's page."""
        page = await self._opens(f"/orders/{code}")
        answer = _text(await self._sends(page, f"/{deed}", **fields))
        self.who.phone.person.reads_all()
        return answer

    async def _opens(self, address: str) -> str:
        async with self._session.get(urljoin(self.world.url, address)) as answer:
            return await answer.text()

    async def _sends(self, page: str, deed: str, **fields: str) -> str:
        """Send the form of a page whose address holds `deed`."""
        form = next(found for found in _FORM.finditer(page) if deed in found[1])
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(form[0])}
        address = urljoin(self.world.url, unescape(form[1]))
        async with self._session.post(address, data=hidden | fields) as answer:
            assert answer.status == 200, await answer.text()
            text = await answer.text()
        await self.world.settles()
        return text


def _text(page: str) -> str:
    return folded(unescape(re.sub(r"<[^>]+>", " ", _UNSEEN.sub(" ", page))))


WAYS: Final[tuple[type[Way], ...]] = (ByZalo, ByTelegram, BySms, ByWeb)
CHATS: Final[tuple[type[Chatting], ...]] = (ByZalo, ByTelegram, BySms)
