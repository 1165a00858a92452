"""What an answer that is owed to a person says, as data: read again when it is sent."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from core.orders.events import Json


class Reply(StrEnum):
    """What is to be told to somebody who asked, or whom we ask back."""

    DETAILS = "details"
    REASONS = "reasons"
    OTHER_REASONS = "other_reasons"
    LIST = "list"
    TODAY = "today"
    TOMORROW = "tomorrow"
    MONEY = "money"
    REVIEWS = "reviews"
    HELP = "help"
    WEB = "web"
    WEB_SENT = "web_sent"
    MORE = "more"
    BY_STATUS = "by_status"
    LANGUAGE = "language"
    LANGUAGES = "languages"
    HOW_LONG = "how_long"
    FROM_NOW_ON = "from_now_on"
    NOT_YOURS = "not_yours"
    PAUSED = "paused"
    RESUMED = "resumed"
    LINKED = "linked"
    LINK_WRONG = "link_wrong"
    LINK_LOCKED = "link_locked"
    HOW_TO_LINK = "how_to_link"
    CODE_SENT = "code_sent"
    NOBODYS_PHONE = "nobodys_phone"
    OTHERS_PHONE = "others_phone"
    LINK_CODE = "link_code"
    NO_SUCH_CODE = "no_such_code"
    MEANT = "meant"
    WHICH = "which"
    UNCLEAR = "unclear"
    UNREADABLE = "unreadable"
    LOCKED = "locked"


def reply(kind: Reply, **facts: str | int | UUID | None) -> Mapping[str, Json]:
    """Return the data of an answer."""
    return {"reply": kind.value, **{name: _json(value) for name, value in facts.items()}}


def _json(value: str | int | UUID | None) -> Json:
    return str(value) if isinstance(value, UUID) else value
