"""How much one bot may send: overall, to one chat, to one group."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import too_many


@dataclass(slots=True)
class _Window:
    calls: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return how long until one more fits; 0 when it does now."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        return self.taken[0] + self.seconds - now if len(self.taken) >= self.calls else 0.0


# docs/facts.md#telegram-rates (Bots FAQ): 30 a second overall, 1 a second in a chat where bursts are
# tolerated (here five in five seconds), 20 a minute in a group.
_OVERALL: Final = (30, 1.0)
_CHAT: Final = (5, 5.0)
_GROUP: Final = (20, 60.0)


class Rates:
    """Counts what was sent (real time) and refuses what is too much."""

    def __init__(self) -> None:
        self._overall = _Window(*_OVERALL)
        self._chats: dict[int, _Window] = {}

    def take(self, chat: Chat) -> None:
        """Count one message to this chat. Raises Refused (429) where it is one too many."""
        limit = _CHAT if chat.is_private else _GROUP
        windows = (self._overall, self._chats.setdefault(chat.id, _Window(*limit)))
        now = time.monotonic()
        wait = max(window.wait(now) for window in windows)
        if wait > 0:
            raise too_many(max(1, math.ceil(wait)))
        for window in windows:
            window.taken.append(now)
