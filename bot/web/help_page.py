"""`/help`: the guide for kitchens, open to everybody, in the reader's language."""

from typing import Any, Final

from aiohttp import web

from bot.keys import SETTINGS
from bot.texts.catalogue import LOCALES, Texts, texts_in
from bot.web import guide
from bot.web.guide import Line
from bot.web.middleware import language
from bot.web.nav import role_word
from bot.web.pages import PAGES
from bot.web.session import inside, seat_if_any

_TEMPLATE: Final = "help.html"


async def show(request: web.Request) -> web.Response:
    """Show the guide; who is signed in has the way to the other pages beside it."""
    seat = await seat_if_any(request)
    texts = _texts(request, seat.texts if seat else texts_in(language(request)))
    shown = _shown(request, texts)
    if seat and texts.locale == seat.texts.locale:
        return inside(request, seat, _TEMPLATE, layout="inside.html", **shown)
    return request.config_dict[PAGES].answer(
        _TEMPLATE, locale=texts.locale, layout="open.html", is_in=seat is not None, **shown
    )


def _texts(request: web.Request, usual: Texts) -> Texts:
    wanted = request.query.get("lang", "")
    return texts_in(wanted) if wanted in LOCALES else usual


def _shown(request: web.Request, texts: Texts) -> dict[str, Any]:
    settings, t = request.config_dict[SETTINGS], texts.t
    early = texts.span(settings.policy.complete_early)
    return {
        "title": t("Hướng dẫn cho quán"),
        "arrivals": guide.arrivals(texts, settings.policy),
        "buttons": [Line(texts.label(label), t(means).format(early=early)) for label, means in guide.BUTTONS],
        "sayings": [Line(word, t(means)) for word, means in guide.SAYINGS.values()],
        "roles": [Line(t(role_word(role)), t(may)) for role, may in guide.ROLES.items()],
        "masked": [t(line) for line in guide.MASKED],
        "questions": [Line(t(asked), t(answer)) for asked, answer in guide.QUESTIONS],
        "hotline": settings.hotline,
        "number": settings.sms_reply_number,
        "prefix": settings.sms_reply_prefix,
    }
