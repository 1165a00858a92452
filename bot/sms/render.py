"""A card as one SMS. Pure."""

import re
from collections.abc import Callable
from typing import Final

from bot.sms.text import fitting, plain
from core.channels import Card

#: Two parts at most, for answers; what cards say fits one.
_MOST: Final = 2
_LINK: Final = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)\]}'\"]", re.IGNORECASE)


def with_links(card: Card) -> str:
    """Return what a card says, as an SMS may carry it."""
    return fitting(plain(card.short), _MOST).rstrip()


def without_links(card: Card) -> str:
    """Return what a card says with every link left out: filters of the networks hold such texts for fraud."""
    return fitting(plain(_LINK.sub("", card.short)), _MOST).rstrip()


def renderer(*, links: bool) -> Callable[[Card], str]:
    """Return how cards are written, by the setting SMS_LINKS."""
    return with_links if links else without_links
