"""How messages can leave here, and which of them can be tried now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.channels import Address, ChannelName
from core.notices.routing import Reaches


@dataclass(frozen=True, slots=True)
class Ways:
    """How messages can leave here: the order of chats, what reaches whom, where operators are.

    `operator_chats` are chats of Telegram. What they are owed waits for `gather` for more of it, so that it
    is one message; not at all with none.
    """

    chat_order: Sequence[ChannelName]
    reaches: Callable[[ChannelName, Address, str, datetime], bool]
    operator_emails: Sequence[str]
    operator_chats: Sequence[str] = ()
    gather: timedelta = timedelta()

    def at(self, now: datetime) -> Reaches:
        """Return `reaches` as of one moment."""
        return lambda channel, address, kind: self.reaches(channel, address, kind, now)


@dataclass(frozen=True, slots=True)
class Due:
    """A message that can be tried now; `tries` names the try, so that one try is queued once."""

    id: UUID
    channel: ChannelName
    tries: int
