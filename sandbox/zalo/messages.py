"""What `/v3.0/oa/message/cs` accepts, and the vendor's limits on it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sandbox.zalo.errors import Refused, invalid

# docs/facts.md#zalo-cs-limits (OA pages on consultation messages, appendix on the parameter "buttons").
MAX_TEXT: Final = 2000
MAX_BUTTONS: Final = 5
MAX_TITLE: Final = 100
MAX_PAYLOAD: Final = 1000
MAX_SMS: Final = 160
MAX_SUBTITLE: Final = 500

QUERIES: Final = frozenset({"oa.query.show", "oa.query.hide"})
# docs/facts.md#zalo-shut-down: shapes of the API that ended with MessageV2 and with 2026-03-01.
_ENDED: Final = frozenset({"list", "promotion"})


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a bubble; `target` is the query's payload, the link, or the number to call.

    `type` is the vendor's (`oa.query.hide`, `oa.open.url` …), or `zbs.response` under a ZBS template.
    """

    title: str
    type: str
    target: str

    @property
    def is_link(self) -> bool:
        """True when it opens a page instead of telling the Official Account."""
        return self.type == "oa.open.url"


@dataclass(frozen=True, slots=True)
class Content:
    """What a person sees of one message."""

    text: str
    buttons: tuple[Button, ...] = ()
    kind: str = "text"


def read_message(message: object) -> Content:
    """Return what the person will see. Raises Refused as the vendor refuses it."""
    fields = mapping(message, "message")
    attachment = fields.get("attachment")
    if attachment is None:
        return Content(_text(fields.get("text")))
    payload = mapping(mapping(attachment, "attachment").get("payload"), "payload")
    kind = payload.get("template_type")
    if kind is None:
        return Content(_text(fields.get("text")), _buttons(payload.get("buttons")))
    return _typed(str(kind), fields, payload)


def _typed(kind: str, fields: dict[str, object], payload: dict[str, object]) -> Content:
    if kind == "request_user_info":
        return _request_user_info(payload)
    if kind == "media":
        return _media(fields, payload)
    if kind in _ENDED or kind.startswith("transaction"):
        raise Refused(-240)
    raise Refused(-233)


def _text(value: object) -> str:
    text = string(value, "text")
    if not text.strip():
        raise invalid("text")
    if len(text) > MAX_TEXT:
        raise Refused(-210, f"text exceeds {MAX_TEXT} characters")
    return text


def _buttons(value: object) -> tuple[Button, ...]:
    if not isinstance(value, list) or not value:
        raise invalid("buttons")
    if len(value) > MAX_BUTTONS:
        raise Refused(-210, f"buttons exceeds {MAX_BUTTONS}")
    return tuple(_button(one) for one in value)


def _button(value: object) -> Button:
    fields = mapping(value, "button")
    title = _bounded(fields.get("title"), "title", MAX_TITLE)
    kind = string(fields.get("type"), "type")
    return Button(title, kind, _target(kind, fields.get("payload")))


def _target(kind: str, payload: object) -> str:
    if kind in QUERIES:
        return _bounded(payload, "payload", MAX_PAYLOAD)
    if kind == "oa.open.url":
        return _web_address(mapping(payload, "payload").get("url"))
    if kind == "oa.open.phone":
        return string(mapping(payload, "payload").get("phone_code"), "phone_code")
    if kind == "oa.open.sms":
        fields = mapping(payload, "payload")
        _bounded(fields.get("content"), "content", MAX_SMS)
        return string(fields.get("phone_code"), "phone_code")
    raise invalid("type")


def _web_address(value: object) -> str:
    address = string(value, "url")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid("url")
    return address


def _request_user_info(payload: dict[str, object]) -> Content:
    element = _only_element(payload)
    title = _bounded(element.get("title"), "title", MAX_TITLE)
    subtitle = _bounded(element.get("subtitle"), "subtitle", MAX_SUBTITLE)
    _web_address(element.get("image_url"))
    return Content(f"{title}\n{subtitle}", kind="request_user_info")


def _media(fields: dict[str, object], payload: dict[str, object]) -> Content:
    element = _only_element(payload)
    if element.get("media_type") not in ("image", "gif"):
        raise invalid("media_type")
    picture = _web_address(element.get("url"))
    buttons = _buttons(payload["buttons"]) if "buttons" in payload else ()
    text = _text(fields["text"]) if "text" in fields else picture
    return Content(text, buttons, kind="media")


def _only_element(payload: dict[str, object]) -> dict[str, object]:
    elements = payload.get("elements")
    if not isinstance(elements, list) or len(elements) != 1:
        raise invalid("elements")
    return mapping(elements[0], "elements")


def _bounded(value: object, field: str, limit: int) -> str:
    text = string(value, field)
    if len(text) > limit:
        raise Refused(-210, f"{field} exceeds {limit} characters")
    return text


def mapping(value: object, field: str) -> dict[str, object]:
    """Return `value` if it is a JSON object, else refuse `field`."""
    if not isinstance(value, dict):
        raise invalid(field)
    return value


def string(value: object, field: str) -> str:
    """Return `value` if it is a text that is not empty, else refuse `field`."""
    if not isinstance(value, str) or not value:
        raise invalid(field)
    return value
