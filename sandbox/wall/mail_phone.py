"""The mail phone: an inbox that opens real mails, each in a frame that can do nothing but open links."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web
from markupsafe import escape

from sandbox.mailbox import Mail, Mailbox

# A mail is somebody else's page: no script, no form, no picture from outside, its links in a new tab.
MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_TARGET: Final = '<base target="_blank">'
_PLAIN: Final = (
    "<!doctype html><html lang=vi><head>{target}<meta name=color-scheme content='light dark'><title>{title}"
    "</title></head><body><pre style='white-space:pre-wrap;font:15px/1.5 system-ui;padding:8px'>{text}</pre>"
    "</body></html>"
)


class MailPhone:
    """Shows one address's inbox at a time; the newest mail is open until another one is chosen."""

    key = "mail"
    label = "Thư"
    hears = ("mail.",)

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the addresses, the chosen inbox (newest first) and the open mail."""
        addresses = self._mailbox.addresses
        chosen = query.get("mail", "")
        address = chosen if chosen in addresses else next(iter(addresses), "")
        mails = self._mailbox.inbox(address)[::-1]
        opened = next((mail for mail in mails if mail.mail_id == query.get("open")), None)
        return {
            "addresses": [(one, len(self._mailbox.inbox(one))) for one in addresses],
            "address": address,
            "mails": mails,
            "opened": opened or next(iter(mails), None),
            "plain": query.get("as") == "text",
            "now": self._mailbox.clock(),
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the pages a mail opens."""
        return [
            web.get("/mails/{mail_id}", self._show),
            web.get("/mails/{mail_id}/files/{index}", self._download),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        mail = self._mail(request)
        page = _plain(mail) if request.query.get("as") == "text" or not mail.html else _with_target(mail.html)
        response = web.Response(text=page, content_type="text/html")
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response

    async def _download(self, request: web.Request) -> web.Response:
        files = self._mail(request).attachments
        index = request.match_info["index"]
        if not index.isdecimal() or int(index) >= len(files):
            raise web.HTTPNotFound
        response = web.Response(body=files[int(index)].content, content_type="application/octet-stream")
        name = re.sub(r"[^A-Za-z0-9._-]", "_", files[int(index)].filename) or "file"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _mail(self, request: web.Request) -> Mail:
        mail = self._mailbox.mail(request.match_info["mail_id"])
        if mail is None:
            raise web.HTTPNotFound
        return mail


def _with_target(page: str) -> str:
    head = _HEAD.search(page)
    at = head.end() if head else 0
    return page[:at] + _TARGET + page[at:]


def _plain(mail: Mail) -> str:
    return _PLAIN.format(target=_TARGET, title=escape(mail.subject), text=escape(mail.text))
