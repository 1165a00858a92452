"""How Telegram says no: a code, a description, and sometimes what to do instead."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web


class Refused(Exception):
    """Telegram answers this code and does nothing. `parameters` are `retry_after` or `migrate_to_chat_id`."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})


# The sentences of the real server (docs/facts.md#telegram-errors): clients tell them apart by their words.
BLOCKED: Final = "Forbidden: bot was blocked by the user"
NEVER_STARTED: Final = "Forbidden: bot can't initiate conversation with a user"
DEACTIVATED: Final = "Forbidden: user is deactivated"
KICKED: Final = "Forbidden: bot was kicked from the group chat"
KICKED_SUPER: Final = "Forbidden: bot was kicked from the supergroup chat"
NOT_FOUND: Final = "Bad Request: chat not found"
UPGRADED: Final = "Bad Request: group chat was upgraded to a supergroup chat"
NOT_MODIFIED: Final = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
NOT_THERE: Final = "Bad Request: message to edit not found"
TOO_OLD: Final = "Bad Request: message can't be edited"
QUERY_TOO_OLD: Final = "Bad Request: query is too old and response timeout expired or query ID is invalid"


def bad_request(what: str) -> Refused:
    """Return a refusal of something that the caller wrote."""
    return Refused(400, f"Bad Request: {what}")


def too_many(seconds: int) -> Refused:
    """Return a refusal that asks to wait."""
    return Refused(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def answer_of(refused: Refused) -> web.Response:
    """Return the refusal as Telegram writes it: the code is the HTTP status too."""
    body: dict[str, object] = {
        "ok": False,
        "error_code": refused.code,
        "description": refused.description,
    }
    if refused.parameters:
        body["parameters"] = refused.parameters
    return web.json_response(body, status=refused.code)
