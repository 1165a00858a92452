"""Pages made of templates, and the one style sheet they share."""

import hashlib
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.texts.catalogue import texts_in

STYLE_PATH: Final = "/static/chotdon.css"
_HERE: Final = Path(__file__).parent


class Pages:
    """The parsed templates and the style sheet. Safe to share."""

    def __init__(self) -> None:
        self.style = (_HERE / "static" / "chotdon.css").read_bytes()
        self._style_address = f"{STYLE_PATH}?v={hashlib.sha256(self.style).hexdigest()[:12]}"
        self._jinja = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, template: str, *, locale: str, status: int = 200, **shown: Any) -> web.Response:
        """Return a page in this language."""
        texts = texts_in(locale)
        text = self._jinja.get_template(template).render(
            t=texts.t, label=texts.label, locale=texts.locale, style=self._style_address, **shown
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


PAGES: Final = web.AppKey("pages", Pages)


async def show_style(request: web.Request) -> web.Response:
    """Answer with the style sheet; its address changes with it, so it may be kept."""
    return web.Response(
        body=request.config_dict[PAGES].style,
        content_type="text/css",
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
