"""Cards as Zalo shows them: a text, and up to five buttons under it. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core.channels import Block, BlockRole, Button, Card

# See docs/facts.md#zalo-cs-limits: a longer text is refused with -210. What Zalo counts as
# one character is not known; UTF-16 units are the most it could be.
MAX_TEXT: Final = 2000
MAX_BUTTONS: Final = 5
MAX_TITLE: Final = 100
MAX_PAYLOAD: Final = 1000
MAX_SUBTITLE: Final = 500
#: Where the web process has the picture above the form that asks for a phone.
PICTURE_PATH: Final = "/static/share-phone.png"

# A tap comes back as a text message that holds the payload and nothing else tells it from
# typing. The "#" lets it pass the console's syntax filter.
PAYLOAD_MARK: Final = "#cd:"

# What is kept first when a card is too long.
_IMPORTANCE: Final = (
    BlockRole.WHEN,
    BlockRole.CHANGES,
    BlockRole.TEXT,
    BlockRole.MONEY,
    BlockRole.AMOUNT,
    BlockRole.WHERE,
    BlockRole.NOTE,
    BlockRole.WHO,
    BlockRole.LIST,
    BlockRole.DISHES,
    BlockRole.REVIEW,
    BlockRole.HISTORY,
)
#: Facts that are read at a glance: a card should fit one screen of a phone.
_ON_ONE_LINE: Final = frozenset({BlockRole.WHEN, BlockRole.AMOUNT, BlockRole.WHO})
_GLANCE: Final = 120
_MAX_LINE: Final = 600
_CUT: Final = "…"

# See docs/facts.md#zbs-parameters: code 30, customer name 30, time 20, address 200, product
# 200, amount 20, URL 200.
_TEMPLATE_LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order_code": 30,
        "partner_name": 30,
        "deliver_at": 20,
        "address": 200,
        "summary": 200,
        "total": 20,
        "link": 200,
    }
)


def message(card: Card, *, picture: str | None = None) -> dict[str, object]:
    """Return the `message` of a consultation send.

    A card that wants a phone becomes Zalo's form for it, which has to show a `picture`.

    Raises ValueError for a button whose payload would not fit: that is a fault of ours,
    better found here than at the gateway.
    """
    if card.wants_phone and picture:
        return _request_for_phone(card, picture)
    said: dict[str, object] = {"text": text(card)}
    buttons = [_button(button) for button in _chosen(card.buttons)]
    if buttons:
        said["attachment"] = {"type": "template", "payload": {"buttons": buttons}}
    return said


def _request_for_phone(card: Card, picture: str) -> dict[str, object]:
    """Return the form by which a person shares name and phone; docs/facts.md#zalo-request-user-info."""
    lines = [line for block in card.blocks for line in _lines(block)]
    element = {
        "title": _shortened(_nfc(card.title).strip(), MAX_TITLE),
        "subtitle": _shortened("\n".join(lines) or _CUT, MAX_SUBTITLE),
        "image_url": picture,
    }
    payload = {"template_type": "request_user_info", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


def text(card: Card) -> str:
    """Return the card as lines, cut by whole lines to what Zalo takes."""
    head = "\n".join(_head(card))
    lines = {index: _lines(block) for index, block in enumerate(card.blocks)}
    budget = MAX_TEXT - _length(head)
    whole = sum(_cost(block) for block in lines.values())
    kept = lines if whole <= budget else _most_important(card.blocks, lines, budget)
    return head + "".join(_spaced([kept[index] for index in sorted(kept) if kept[index]]))


def template_data(card: Card) -> dict[str, str]:
    """Return the parameters of a ZBS template, cut to Zalo's lengths.

    An empty parameter is refused with -1122, so a dash stands for it.
    """
    return {
        name: _shortened(_nfc(card.template.get(name, "")).strip(), limit) or "-"
        for name, limit in _TEMPLATE_LENGTHS.items()
    }


def tracking_id(key: str) -> str:
    """Return `key` as a tracking id: at most 48 letters and digits; `key_of` undoes it for UUIDs."""
    bare = key.replace("-", "")
    return bare if re.fullmatch(r"[A-Za-z0-9]{1,48}", bare) else sha256(key.encode()).hexdigest()[:48]


def key_of(tracking: str) -> str:
    """Return the key behind a tracking id of ours."""
    return str(UUID(hex=tracking)) if re.fullmatch(r"[0-9a-f]{32}", tracking) else tracking


def _head(card: Card) -> list[str]:
    title = _shortened(_nfc(card.title).strip(), _MAX_LINE)
    badge = card.badge
    if badge is None:
        return [title]
    beside = [part for part in (badge.code, badge.word) if part.casefold() not in title.casefold()]
    return [title, " · ".join(map(_nfc, beside))] if beside else [title]


def _lines(block: Block) -> list[str]:
    lines = [_shortened(_nfc(line), _MAX_LINE) for line in block.lines]
    glance = " · ".join(lines)
    if lines and block.role in _ON_ONE_LINE and _length(glance) <= _GLANCE:
        lines = [glance]
    if not lines or block.label is None:
        return lines
    label = _nfc(block.label)
    return [f"{label}: {lines[0]}"] if len(lines) == 1 else [f"{label}:", *lines]


def _spaced(blocks: list[list[str]]) -> Iterable[str]:
    """Return the blocks with what parts them: an empty line, or none between two that are one line each."""
    before: list[str] | None = None
    for block in blocks:
        close = before is not None and len(before) == len(block) == 1 and block != [_CUT]
        yield ("\n" if close else "\n\n") + "\n".join(block)
        before = block


def _most_important(
    blocks: tuple[Block, ...], lines: Mapping[int, list[str]], budget: int
) -> dict[int, list[str]]:
    """Return the lines that fit, block by block in the order of importance."""
    left = budget - _cost([_CUT])
    kept: dict[int, list[str]] = {}
    for index in sorted(lines, key=lambda at: _IMPORTANCE.index(blocks[at].role)):
        kept[index] = list(_fitting(lines[index], left))
        left -= _cost(kept[index])
    kept[len(blocks)] = [_CUT]
    return kept


def _fitting(lines: list[str], budget: int) -> Iterable[str]:
    left = budget - len("\n")
    for line in lines:
        left -= _length(line) + len("\n")
        if left < 0:
            return
        yield line


def _cost(lines: list[str]) -> int:
    """Return what a block adds to a text: its lines, and the empty line before it."""
    return sum(_length(line) + len("\n") for line in lines) + len("\n") if lines else 0


def _chosen(buttons: tuple[Button, ...]) -> list[Button]:
    """Return the buttons Zalo can show, at most five; those that act stay before links."""
    usable = [button for button in buttons if button.payload or button.url or button.phone]
    acting = [button for button in usable if button.payload]
    kept = (acting + [button for button in usable if not button.payload])[:MAX_BUTTONS]
    return [button for button in usable if button in kept]


def _button(button: Button) -> dict[str, object]:
    title = _shortened(_nfc(button.label).strip(), MAX_TITLE) or _CUT  # without a title Zalo refuses all
    if button.payload:
        return {"title": title, "type": "oa.query.hide", "payload": _packed(button.payload)}
    if button.url:
        return {"title": title, "type": "oa.open.url", "payload": {"url": button.url}}
    code = re.sub(r"[^0-9]", "", button.phone or "")
    return {"title": title, "type": "oa.open.phone", "payload": {"phone_code": code}}


def _packed(payload: str) -> str:
    packed = PAYLOAD_MARK + payload
    if _length(packed) > MAX_PAYLOAD:
        raise ValueError(f"a button's payload has {_length(packed)} characters, Zalo takes {MAX_PAYLOAD}")
    return packed


def _nfc(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _length(value: str) -> int:
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def _shortened(value: str, limit: int) -> str:
    """Return `value`, or as much of it as fits with an ellipsis, cut between words where it can."""
    if _length(value) <= limit:
        return value
    units = value.encode("utf-16-le", "surrogatepass")[: 2 * (limit - len(_CUT))]
    start = units.decode("utf-16-le", "ignore")
    words = start.rpartition(" ")[0]
    return (words if len(words) > limit // 2 else start).rstrip() + _CUT
