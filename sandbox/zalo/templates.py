"""ZBS templates: approved texts with parameters, sent to a phone number or to a user id."""

import re
from dataclasses import dataclass
from typing import Final

from sandbox.zalo.errors import Refused
from sandbox.zalo.messages import Button, Content

# docs/facts.md#zbs-request (ZBS page "send by phone": 84 + 9 digits, tracking_id of at most 48 characters
# and none of them special, sending_mode 1 or 3).
_PHONE: Final = re.compile(r"\+?84\d{9}")
_TRACKING: Final = re.compile(r"[A-Za-z0-9]{1,48}")
_MODES: Final = frozenset({"1", "3"})


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a template; `max_length` follows the parameter's type at the vendor's.

    docs/facts.md#zbs-params: name 30, phone 15, address 200, code 30, status 30, amount 20, time 20, URL 200.
    """

    name: str
    max_length: int
    required: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template. `body` shows a parameter as `<name>`; `responses` are quick-reply buttons."""

    template_id: str
    name: str
    body: str
    params: tuple[Param, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    responses: tuple[str, ...] = ()
    approved: bool = True

    def filled(self, data: object) -> Content:
        """Return what the person will see. Raises Refused as the vendor refuses `template_data`."""
        values = self._checked(data)
        links = tuple(Button(title, "oa.open.url", _fill(url, values)) for title, url in self.links)
        replies = tuple(Button(label, "zbs.response", label) for label in self.responses)
        return Content(_fill(self.body, values), replies + links, kind="template")

    def _checked(self, data: object) -> dict[str, str]:
        if not isinstance(data, dict):
            raise Refused(-121)
        return {param.name: _value(param, data.get(param.name)) for param in self.params}


def _value(param: Param, value: object) -> str:
    if value is None and not param.required:
        return ""
    if value is None or value == "":
        raise Refused(-1122, f"Template data is missing {param.name}")
    if not isinstance(value, str):
        raise Refused(-1124, f"Template data {param.name} has a wrong format")
    if len(value) > param.max_length:
        raise Refused(-1121, f"Template data {param.name} exceeds {param.max_length} characters")
    return value


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


def read_phone(value: object) -> str:
    """Return the number as 84 and nine digits. Raises Refused for any other shape."""
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise Refused(-108)
    return value.removeprefix("+")


def read_tracking_id(value: object) -> str:
    """Return the caller's own id of this message. Raises Refused for special characters or length."""
    if not isinstance(value, str) or not _TRACKING.fullmatch(value):
        raise Refused(-132, "tracking_id is invalid")
    return value


def read_sending_mode(value: object) -> str:
    """Return the sending mode, "1" when none is given."""
    if value is None:
        return "1"
    if value not in _MODES:
        raise Refused(-162)
    return str(value)
