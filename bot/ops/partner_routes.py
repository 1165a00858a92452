"""The routes of the console's pages of kitchens."""

from typing import Final

from aiohttp import web

from bot.ops import partner, partner_staff, partners

_ONE: Final = "/ops/partners/{code:[^/]+}"
_STAFF: Final = _ONE + "/staff/{staff:[^/]+}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the list of kitchens, each kitchen's page and its people's."""
    router.add_get("/ops/partners", partners.show)
    router.add_get("/ops/partners/_new", partners.ask_new)
    router.add_post("/ops/partners/_new", partners.add)
    router.add_get(_ONE, partner.show)
    router.add_post(f"{_ONE}/settings", partner.change)
    router.add_post(f"{_ONE}/pause", partner.pause)
    router.add_post(f"{_ONE}/resume", partner.resume)
    router.add_get(f"{_ONE}/staff/_new", partner_staff.ask_new)
    router.add_post(f"{_ONE}/staff/_new", partner_staff.add)
    router.add_get(_STAFF, partner_staff.show)
    router.add_post(_STAFF, partner_staff.change)
    router.add_post(f"{_STAFF}/address", partner_staff.add_address)
    router.add_post(f"{_STAFF}/address/end", partner_staff.take_address)
    router.add_post(f"{_STAFF}/out", partner_staff.sign_out)
    router.add_post(f"{_STAFF}/remove", partner_staff.remove)
    router.add_post(f"{_STAFF}/link", partner_staff.make_link)
    router.add_post(f"{_STAFF}/codes", partner_staff.draw_codes)
