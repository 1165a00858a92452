"""Buttons under a message or in place of the keyboard, and the vendor's limits on them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.telegram.errors import Refused, bad_request

# docs/facts.md#telegram-callback-data (Bot API, InlineKeyboardButton).
MAX_DATA: Final = 64
# docs/facts.md#telegram-buttons: more are refused by the server as "reply markup is too long".
MAX_BUTTONS: Final = 100


@dataclass(frozen=True, slots=True)
class Button:
    """One button: `data` is sent to the bot, `url` is opened; `asks_contact` shares the phone number."""

    label: str
    data: str | None = None
    url: str | None = None
    asks_contact: bool = False


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Markup:
    """What came as `reply_markup`: buttons under the message, or another keyboard for typing.

    `keyboard` is None where the message leaves the keyboard as it is, empty where it takes it away.
    """

    inline: Rows = ()
    keyboard: Rows | None = None


def read_markup(value: object) -> Markup:
    """Return the buttons; raises Refused as the server does."""
    markup = _object(value)
    if "inline_keyboard" in markup:
        return Markup(inline=_rows(markup["inline_keyboard"], _inline))
    if "keyboard" in markup:
        return Markup(keyboard=_rows(markup["keyboard"], _typed))
    if markup.get("remove_keyboard"):
        return Markup(keyboard=())
    return Markup()


def written(rows: Rows) -> dict[str, object]:
    """Return inline buttons as the Bot API tells them of a message."""
    return {"inline_keyboard": [[_written(button) for button in row] for row in rows]}


def _written(button: Button) -> dict[str, str]:
    if button.url is not None:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.data or ""}


def _object(value: object) -> Mapping[str, Any]:
    if value in (None, ""):
        return {}
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise bad_request("can't parse reply keyboard markup JSON object") from None
    if not isinstance(read, dict):
        raise bad_request("object expected as reply markup")
    return read


def _rows(value: object, button: Any) -> Rows:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise bad_request("can't parse inline keyboard button: Field must be of type Array")
    rows = tuple(tuple(button(one) for one in row) for row in value)
    if sum(map(len, rows)) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return tuple(row for row in rows if row)


def _typed(value: object) -> Button:
    if isinstance(value, str):
        return Button(value)
    fields = value if isinstance(value, dict) else {}
    return Button(_label(fields), asks_contact=bool(fields.get("request_contact")))


def _inline(value: object) -> Button:
    if not isinstance(value, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    label = _label(value)
    if "url" in value:
        return Button(label, url=_checked(str(value["url"])))
    if "callback_data" in value:
        return Button(label, data=_data(value["callback_data"]))
    raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _label(fields: Mapping[str, Any]) -> str:
    label = fields.get("text")
    if not isinstance(label, str) or not label.strip():
        raise bad_request('can\'t parse keyboard button: Field "text" must be of type String')
    return label


def _data(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= MAX_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    return value


def _checked(url: str) -> str:
    """Refuse what the server refuses: other protocols, and hosts without a dot, `localhost` among them.

    docs/facts.md#telegram-button-url (tdlib, LinkManager::get_checked_link).
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
    except ValueError:
        raise _wrong(url, "Wrong HTTP URL") from None
    if parts.scheme not in {"http", "https", "tg"}:
        raise _wrong(url, "Unsupported URL protocol")
    if parts.scheme != "tg" and "." not in host and not _is_ip(host):
        raise _wrong(url, "Wrong HTTP URL")
    return url


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _wrong(url: str, why: str) -> Refused:
    return bad_request(f"inline keyboard button URL '{url}' is invalid: {why}")
