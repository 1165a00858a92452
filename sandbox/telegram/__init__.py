"""A Bot API of our own: Telegram's methods and limits, and the people who hold the phones."""

from sandbox.telegram.chats import Chat, Message
from sandbox.telegram.fake import FakeTelegram
from sandbox.telegram.group import TelegramGroup
from sandbox.telegram.office import Tap
from sandbox.telegram.person import TelegramPerson
from sandbox.telegram.webhooks import Delivery

__all__ = ["Chat", "Delivery", "FakeTelegram", "Message", "Tap", "TelegramGroup", "TelegramPerson"]
