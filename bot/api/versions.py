"""Which version of an order a platform has seen: ETag, If-None-Match and If-Match."""

import re
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from bot.api.faults import Fault, Faulty

_ANY: Final = "*"
# docs/facts.md#entity-tags: a list of W/"…" or "…", or a star.
_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS: Final = re.compile(rf"[ \t]*{_TAG}(?:[ \t]*,[ \t]*{_TAG})*[ \t]*")
_OURS: Final = re.compile(r'"v([1-9][0-9]{0,8})"')


def etag(version: int) -> str:
    """Return the strong tag of an order's version."""
    return f'"v{version}"'


def wanted_versions(request: web.Request) -> frozenset[int] | None:
    """Return which versions `If-Match` allows, None for whichever; tags that are weak or not ours allow none.

    Raises Faulty for a header that is no list of tags.
    """
    given = _header(request, "If-Match")
    if given is None or given == _ANY:
        return None
    if not _TAGS.fullmatch(given):
        raise Faulty(Fault(("If-Match",), 'must be * or tags like "v3"'))
    return frozenset(int(ours[1]) for tag in _tags(given) if (ours := _OURS.fullmatch(tag)))


def is_known(request: web.Request, version: int) -> bool:
    """Tell whether `If-None-Match` names this version; here a weak tag is as good as a strong one."""
    given = _header(request, "If-None-Match")
    if given is None:
        return False
    return given == _ANY or etag(version) in {tag.removeprefix("W/") for tag in _tags(given)}


def _header(request: web.Request, name: str) -> str | None:
    given = request.headers.getall(name, [])
    return ", ".join(given).strip() if given else None


def _tags(given: str) -> Iterable[str]:
    return re.findall(_TAG, given)
