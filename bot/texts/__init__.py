"""What we say, in each language."""

from bot.texts.catalogue import Texts, msg, texts_in

__all__ = ["Texts", "msg", "texts_in"]
