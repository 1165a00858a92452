"""Keys for what comes in by SMPP, which gives an incoming text no name of its own."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from bot.sms import smpp_pdu
from bot.sms.smpp_pdu import Delivery

_NAMING_TAGS: Final = (smpp_pdu.RECEIPTED_MESSAGE_ID, smpp_pdu.USER_MESSAGE_REFERENCE)
_UNANSWERED_FOR: Final = 3600.0  # seconds: an SMSC tries on for hours, a person says the same again next day
_ANSWER_LOST_WITHIN: Final = 120.0
_MINUTE: Final = 60


@dataclass(slots=True)
class _Known:
    minute: int
    nth: int
    session: int
    at: float
    is_answered: bool = False


@dataclass(slots=True)
class Keys:
    """Tells an SMSC's second try from a person who says the same thing twice.

    The same octets from the same phone have the same key
    - as long as we have not answered that we took them in: the SMSC sends them again;
    - for two minutes after that answer, if they come over another bind: it was lost with the old one;
    - within one minute of the clock after a restart, which is as much as can be told without memory.
    Otherwise they are another message, with another key.
    """

    clock: Callable[[], float] = time.time
    most: int = 10_000
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)

    def key(self, fingerprint: str, came: float, session: int) -> str:
        """Return the key of what came at this time of the clock over this session."""
        known = self._known.pop(fingerprint, None)
        if known is None or _is_over(known, came, session):
            known = _fresh(known, came, session)
        known.session = session
        self._known[fingerprint] = known
        if len(self._known) > self.most:
            self._known.popitem(last=False)
        return f"sms:smpp:{fingerprint}:{known.minute}" + (f":{known.nth}" if known.nth > 1 else "")

    def answered(self, fingerprint: str) -> None:
        """We are about to say that it was taken in."""
        if known := self._known.get(fingerprint):
            known.at, known.is_answered = self.clock(), True


def _is_over(known: _Known, came: float, session: int) -> bool:
    if not known.is_answered:
        return came - known.at > _UNANSWERED_FOR
    if session == known.session:
        return came > known.at  # what came before our answer was sent by somebody who waited for it
    return came - known.at > _ANSWER_LOST_WITHIN


def _fresh(before: _Known | None, came: float, session: int) -> _Known:
    minute = int(came) // _MINUTE
    nth = before.nth + 1 if before and before.minute == minute else 1
    return _Known(minute, nth, session, came)


def fingerprint(parts: Iterable[Delivery]) -> str:
    """Return a short name of who said what to whom; the same when the SMSC sends it again."""
    digest = hashlib.sha256()
    for part in parts:
        named = (part.tags.get(tag, b"") for tag in _NAMING_TAGS)
        ends = (part.source.number.encode(), part.destination.number.encode())
        for piece in (*ends, bytes([part.data_coding]), part.content, *named):
            digest.update(len(piece).to_bytes(4))
            digest.update(piece)
    return digest.hexdigest()[:32]
