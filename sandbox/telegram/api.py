"""The Bot API's methods, as far as the product calls them, each with the server's own checks."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.telegram.chats import Chat, Message
from sandbox.telegram.errors import NOT_MODIFIED, NOT_THERE, TOO_OLD, Refused, bad_request
from sandbox.telegram.html import Text, read_text
from sandbox.telegram.keyboards import Rows, read_markup
from sandbox.telegram.office import Office
from sandbox.telegram.rates import Rates

Fields = Mapping[str, Any]
Method = Callable[[Fields], Awaitable[object]]

# docs/facts.md#telegram-toast (Bot API, answerCallbackQuery).
_MAX_TOAST: Final = 200
# docs/facts.md#telegram-commands (Bot API, BotCommand and setMyCommands).
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS: Final = 100
_MAX_DESCRIPTION: Final = 256
# docs/facts.md#telegram-secret (Bot API, setWebhook).
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]*")
_MAX_SECRET: Final = 256
_PORTS: Final = frozenset({80, 88, 443, 8443})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


class Api:
    """What a bot can call. `rates` counts what is sent; None lifts the limits."""

    def __init__(self, office: Office, *, token: str, rates: Rates | None) -> None:
        self.rates = rates
        self.commands: dict[str, list[dict[str, str]]] = {}
        self._office = office
        self._token = token
        self._methods: dict[str, Method] = {
            "getme": self._get_me,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "setmycommands": self._set_my_commands,
            "getmycommands": self._get_my_commands,
            "deletemycommands": self._delete_my_commands,
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "answercallbackquery": self._answer_callback_query,
            "deletemessage": self._delete_message,
        }

    def add_routes(self, app: web.Application) -> None:
        """Serve every method under `/bot<token>/<method>`, by GET and by POST."""
        app.router.add_route("*", "/bot{token}/{method}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", request.match_info["token"]):
            raise Refused(404, "Not Found")
        if request.match_info["token"] != self._token:
            raise Refused(401, "Unauthorized")
        result = await self.call(request.match_info["method"], await _fields(request))
        return web.json_response({"ok": True, "result": result})

    async def call(self, name: str, fields: Fields) -> object:
        """Do one method and return its result. Raises Refused."""
        method = self._methods.get(name.lower())
        if method is None:
            raise Refused(404, "Not Found")
        return await method(fields)

    # The bot itself.

    async def _get_me(self, fields: Fields) -> object:
        return self._office.bot | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._office.privacy,
            "supports_inline_queries": False,
        }

    async def _set_webhook(self, fields: Fields) -> object:
        url = _checked_webhook(str(fields.get("url", "")))
        secret = str(fields.get("secret_token") or "")
        if len(secret) > _MAX_SECRET:
            raise bad_request("secret token is too long")
        if not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        postman = self._office.postman
        allowed = _json(fields.get("allowed_updates"), [])
        if not isinstance(allowed, list):
            raise bad_request("can't parse allowed updates list")
        postman.webhook_url, postman.secret, postman.allowed = url, secret, tuple(map(str, allowed))
        self._drop_pending(fields)
        return True

    def _drop_pending(self, fields: Fields) -> None:
        if _flag(fields.get("drop_pending_updates")):
            self._office.postman.forget()

    async def _delete_webhook(self, fields: Fields) -> object:
        self._office.postman.webhook_url = ""
        self._drop_pending(fields)
        return True

    async def _get_webhook_info(self, fields: Fields) -> object:
        postman = self._office.postman
        info: dict[str, object] = {
            "url": postman.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": postman.pending,
            "max_connections": 40,
        }
        if postman.allowed:
            info["allowed_updates"] = list(postman.allowed)
        if postman.last_error:
            at = int(self._office.clock().timestamp())
            info |= {"last_error_date": at, "last_error_message": postman.last_error}
        return info

    async def _set_my_commands(self, fields: Fields) -> object:
        commands = _json(fields.get("commands"), None)
        if not isinstance(commands, list):
            raise bad_request("can't parse commands list JSON object")
        if len(commands) > _MAX_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        self.commands[_audience(fields)] = [_command(one) for one in commands]
        return True

    async def _get_my_commands(self, fields: Fields) -> object:
        return self.commands.get(_audience(fields), [])

    async def _delete_my_commands(self, fields: Fields) -> object:
        self.commands.pop(_audience(fields), None)
        return True

    # Messages.

    async def _send_message(self, fields: Fields) -> object:
        chat = self._office.reach(_whole(fields.get("chat_id")))
        text = read_text(fields.get("text"), fields.get("parse_mode"))
        markup = read_markup(fields.get("reply_markup"))
        self._count(chat)
        return self._office.told(chat, self._office.put(chat, text, markup))

    async def _edit_message_text(self, fields: Fields) -> object:
        chat, message = self._to_edit(fields)
        text = read_text(fields.get("text"), fields.get("parse_mode"))
        return self._edit(chat, message, text, read_markup(fields.get("reply_markup")).inline)

    async def _edit_message_reply_markup(self, fields: Fields) -> object:
        chat, message = self._to_edit(fields)
        text = Text(message.text, message.entities, message.html)
        return self._edit(chat, message, text, read_markup(fields.get("reply_markup")).inline)

    def _to_edit(self, fields: Fields) -> tuple[Chat, Message]:
        chat = self._office.reach(_whole(fields.get("chat_id")))
        message = chat.message(_whole(fields.get("message_id")) or 0)
        if message is None:
            raise Refused(400, NOT_THERE)
        if not message.from_bot or self._is_old(message, self._office.edit_within):
            raise Refused(400, TOO_OLD)
        return chat, message

    def _is_old(self, message: Message, within: timedelta | None) -> bool:
        return within is not None and self._office.clock() - message.at > within

    def _edit(self, chat: Chat, message: Message, text: Text, rows: Rows) -> object:
        if (message.text, message.entities, message.rows) == (text.plain, text.entities, rows):
            raise Refused(400, NOT_MODIFIED)
        self._count(chat)
        changed = self._office.change(chat, message, message.changed(text, rows, at=self._office.clock()))
        return self._office.told(chat, changed)

    async def _delete_message(self, fields: Fields) -> object:
        chat = self._office.reach(_whole(fields.get("chat_id")))
        message = chat.message(_whole(fields.get("message_id")) or 0)
        if message is None:
            raise bad_request("message to delete not found")
        if self._is_old(message, timedelta(hours=48)):  # docs/facts.md#telegram-edit-within
            raise bad_request("message can't be deleted")
        chat.drop(message)
        return True

    async def _answer_callback_query(self, fields: Fields) -> object:
        text = str(fields.get("text") or "")
        if len(text) > _MAX_TOAST:
            raise bad_request("MESSAGE_TOO_LONG")
        self._office.answer(
            str(fields.get("callback_query_id", "")), text, alert=_flag(fields.get("show_alert"))
        )
        return True

    def _count(self, chat: Chat) -> None:
        if self.rates is not None:
            self.rates.take(chat)


async def _fields(request: web.Request) -> Fields:
    """Read the parameters: from the address, a form of either kind, or JSON."""
    if request.content_type == "application/json":
        body = _json(await request.text() or "{}", {})
        return {**request.query, **(body if isinstance(body, dict) else {})}
    return {**request.query, **(await request.post())}


def _json(value: object, missing: object) -> object:
    if value in (None, ""):
        return missing
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise bad_request("can't parse JSON object") from None


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _flag(value: object) -> bool:
    return str(value).lower() in {"true", "1", "yes"}


def _checked_webhook(url: str) -> str:
    """Refuse what the server refuses, except loopback by http, where this product's tests live."""
    parts = urlsplit(url)
    if not url or parts.hostname in _LOOPBACK:
        return url
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in _PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    return url


def _audience(fields: Fields) -> str:
    scope = _json(fields.get("scope"), {})
    kind = scope.get("type", "default") if isinstance(scope, dict) else "default"
    return f"{kind}:{fields.get('language_code') or ''}"


def _command(value: object) -> dict[str, str]:
    fields = value if isinstance(value, dict) else {}
    name, description = str(fields.get("command", "")), str(fields.get("description", ""))
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= _MAX_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
