"""Pages made of templates, and the style sheet and scripts that they share."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from bot.texts.catalogue import texts_in

_HERE: Final = Path(__file__).parent
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
)


class Pages:
    """The parsed templates, the style sheet and the scripts. Safe to share."""

    def __init__(self) -> None:
        found = [path for path in (_HERE / "static").iterdir() if path.suffix in _TYPES]
        self.static = {path.name: path.read_bytes() for path in found}
        self._jinja = Environment(
            loader=ChoiceLoader([_folder("web"), PrefixLoader({"ops": _folder("ops")})]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals["static"] = self.address_of

    def address_of(self, name: str) -> str:
        """Return where a style sheet or a script is; the address changes with what it says."""
        return f"/static/{name}?v={hashlib.sha256(self.static[name]).hexdigest()[:12]}"

    def answer(self, template: str, *, locale: str, status: int = 200, **shown: Any) -> web.Response:
        """Return a page in this language."""
        texts = texts_in(locale)
        text = self._jinja.get_template(template).render(
            t=texts.t, n=texts.n, label=texts.label, locale=texts.locale, **shown
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def _folder(part: str) -> FileSystemLoader:
    """Return the templates of one part: the partner's pages, the operators' console."""
    return FileSystemLoader(_HERE.parent / part / "templates")


@cache
def pages() -> Pages:
    """Return the pages of this process, which parses them once."""
    return Pages()


PAGES: Final = web.AppKey("pages", Pages)


async def show_static(request: web.Request) -> web.Response:
    """Answer with a style sheet or a script; its address changes with it, so it may be kept."""
    name = request.match_info["name"]
    body = request.config_dict[PAGES].static.get(name)
    if body is None:
        raise web.HTTPNotFound
    return web.Response(
        body=body,
        content_type=_TYPES[Path(name).suffix],
        charset=None if name.endswith(".png") else "utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
