"""How often a group is written to: Telegram takes twenty messages a minute in one. Real time, in memory."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

# docs/facts.md#telegram-rates: 20 messages a minute in a group; one is left for what other workers send.
PER_MINUTE: Final = 19
_MINUTE: Final = 60.0
_REMEMBERED: Final = 5_000


class GroupPace:
    """Knows when a group was written to lately; each worker for itself."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, chat: str) -> timedelta:
        """Take a message out of what this chat gets; return how long to wait instead when there is none."""
        if not chat.startswith("-"):
            return timedelta()
        now = self._clock()
        sent = self._sent.setdefault(chat, deque(maxlen=PER_MINUTE))
        self._sent.move_to_end(chat)
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        if len(sent) == PER_MINUTE and now - sent[0] < _MINUTE:
            return timedelta(seconds=_MINUTE - (now - sent[0]))
        sent.append(now)
        return timedelta()
