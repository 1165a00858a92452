"""What a platform changed in an order, as before → after. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from bot.cards.brief import free_words
from bot.cards.view import View
from bot.texts import msg
from core.orders.events import Json


def change_lines(view: View, changes: Json) -> tuple[str, ...]:
    """Return one line for each part that differs; money only for who may see it."""
    if not isinstance(changes, dict):
        return ()
    return tuple(
        line
        for name, lines_of in _LINES.items()
        if isinstance(change := changes.get(name), dict)
        for line in lines_of(view, change["before"], change["after"])
    )


def brief_changes(view: View, changes: Json) -> tuple[str, ...]:
    """Return what differs in few letters: every dish with how many, the time without its day.

    "Bỏ" and "Thêm" are left out: without accents they could be read as beef.
    """
    if not isinstance(changes, dict):
        return ()
    return tuple(
        line
        for name, lines_of in {**_LINES, **_BRIEF}.items()
        if isinstance(change := changes.get(name), dict)
        for line in lines_of(view, change["before"], change["after"])
    )


def _without_phones(
    lines_of: Callable[[View, Any, Any], list[str]],
) -> Callable[[View, Any, Any], list[str]]:
    return lambda view, before, after: [free_words(line) for line in lines_of(view, before, after)]


def _time(view: View, before: Any, after: Any) -> list[str]:
    return [_arrow(view.texts.t("Giờ giao"), _moment(view, before), _moment(view, after))]


def _moment(view: View, text: str) -> str:
    return view.texts.moment(datetime.fromisoformat(text), view.zone, view.now)


def _items(view: View, before: Any, after: Any) -> list[str]:
    old, new = _quantities(before), _quantities(after)
    changed = [name for name in {**old, **new} if old[name] != new[name]]
    lines = [_item_line(view, name, old[name], new[name]) for name in changed]
    return lines + _note_lines(view, before, after)


def _brief_time(view: View, before: Any, after: Any) -> list[str]:
    return [_arrow(view.texts.t("Giờ giao"), _brief_moment(view, before), _brief_moment(view, after))]


def _brief_moment(view: View, text: str) -> str:
    return view.texts.brief_moment(datetime.fromisoformat(text), view.zone, view.now)


def _counts(view: View, before: Any, after: Any) -> list[str]:
    old, new = _quantities(before), _quantities(after)
    changed = [name for name in {**old, **new} if old[name] != new[name]]
    counts = [_arrow(name, str(old[name]), str(new[name])) for name in changed]
    return counts + _note_lines(view, before, after)


def _item_line(view: View, name: str, old: int, new: int) -> str:
    if not old:
        return view.texts.t("Thêm {quantity} × {dish}", quantity=new, dish=name)
    if not new:
        return view.texts.t("Bỏ {quantity} × {dish}", quantity=old, dish=name)
    return _arrow(name, str(old), str(new))


def _note_lines(view: View, before: Any, after: Any) -> list[str]:
    """Return the dishes whose note alone is another one."""
    old = {item["name"]: item["note"] for item in before}
    return [
        _arrow(item["name"], old[item["name"]] or "–", item["note"] or "–")
        for item in after
        if item["name"] in old and old[item["name"]] != item["note"]
    ]


def _quantities(items: Any) -> Counter[str]:
    counted: Counter[str] = Counter()
    for item in items:
        counted[item["name"]] += item["quantity"]
    return counted


def _words(label: str) -> Callable[[View, Any, Any], list[str]]:
    return lambda view, before, after: [_arrow(view.texts.t(label), before or "–", after or "–")]


def _money(label: str) -> Callable[[View, Any, Any], list[str]]:
    def lines(view: View, before: Any, after: Any) -> list[str]:
        money = view.texts.money
        return [_arrow(view.texts.t(label), money(before), money(after))] if view.frame.sees_money else []

    return lines


def _arrow(label: str, before: str, after: str) -> str:
    return f"{label}: {before} → {after}"


_LINES: Final[Mapping[str, Callable[[View, Any, Any], list[str]]]] = MappingProxyType(
    {
        "deliver_at": _time,
        "items": _items,
        "total": _money(msg("Tổng tiền")),
        "fees": _money(msg("Phí")),
        "discount": _money(msg("Giảm giá")),
        "address": _words(msg("Địa chỉ")),
        "note": _words(msg("Ghi chú")),
    }
)

_BRIEF: Final[Mapping[str, Callable[[View, Any, Any], list[str]]]] = MappingProxyType(
    {
        "deliver_at": _brief_time,
        "items": _without_phones(_counts),
        "address": _without_phones(_LINES["address"]),
        "note": _without_phones(_LINES["note"]),
    }
)
