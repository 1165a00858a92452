"""A card as a mail: html beside plain text, threaded by order, the delivery for a calendar. Pure."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from unicodedata import category
from uuid import UUID

import mrml
from icalendar import Calendar, Event, vCalAddress
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.texts.catalogue import texts_in
from core.channels import Block, BlockRole, Button, ButtonStyle, CalendarEntry, Card
from core.notices.kinds import NoticeKind

PRODUCT: Final = "Chốt Đơn"
_TEMPLATES: Final = Path(__file__).with_name("templates")

#: A shape for each status, from a block of Unicode that every mail reader's font has.
SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"pending": "◐", "confirmed": "✓", "completed": "✓✓", "cancelled": "✕", "expired": "▲"}
)

# docs/facts.md#mail-address (the HTML standard's "valid email address"; length by RFC 5321 4.5.3.1.3).
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_LONGEST_ADDRESS: Final = 254
_CONTROL: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_LONGEST_LINE: Final = 10_000

#: Without this the library has every mail fetch a font from elsewhere.
_NO_WEB_FONTS: Final = mrml.RenderOptions(fonts={})


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from: the setting `EMAIL_FROM`, a bare address or `Name <address>`."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What comes after the @; message ids end with it."""
        return self.address.rpartition("@")[2]


def sender_of(email_from: str) -> Sender:
    """Return the sender that a setting names. Raises ValueError when it holds no address."""
    name, address = parseaddr(email_from)
    return Sender(_clean(name) or PRODUCT, checked_address(address))


def checked_address(text: str) -> str:
    """Return the mail address as it is. Raises ValueError for anything else."""
    if len(text) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(text):
        raise ValueError("no mail address")
    return text


@cache
def _templates() -> Environment:
    """Return the mails' templates, which a process parses once."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("mjml",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Renderer:
    """Makes mails of cards; holds the parsed templates. Safe to share."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._jinja = _templates()

    def mail(self, card: Card, *, to: str, key: str, now: datetime) -> Message:
        """Return the mail. The same card, address and key give the same `Message-ID`, whenever it is made.

        Raises ValueError when `to` is no address that a mail can be sent to.
        """
        subject = subject_of(card)
        shown = self._shown(card, subject)
        both = MIMEMultipart("alternative")
        both.attach(_part(self._jinja.get_template("mail.txt").render(shown), "plain"))
        mjml = self._jinja.get_template("mail.mjml").render(shown)
        both.attach(_part(mrml.to_html(mjml, render_options=_NO_WEB_FONTS).content, "html"))
        mail = self._with_calendar(both, card, card.calendar, now) if card.calendar else both
        self._write_headers(mail, card, to=to, key=key)
        mail["Subject"] = Header(subject, "utf-8", header_name="Subject").encode()
        mail["Date"] = format_datetime(now)
        return mail

    def _write_headers(self, mail: Message, card: Card, *, to: str, key: str) -> None:
        mail["From"] = formataddr((self.sender.name, self.sender.address))
        mail["To"] = checked_address(to)
        root = root_id(card, to, self.sender.domain)
        own = root if root and card.kind == NoticeKind.ORDER_NEW else f"<{_clean(key)}@{self.sender.domain}>"
        mail["Message-ID"] = own
        if root and own != root:
            mail["In-Reply-To"] = root
            mail["References"] = root
        mail["Auto-Submitted"] = "auto-generated"  # docs/facts.md#auto-submitted (RFC 3834)
        # docs/facts.md#auto-response-suppress: "All" would keep bounces away too.
        mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"

    def _with_calendar(self, both: Message, card: Card, entry: CalendarEntry, now: datetime) -> Message:
        method = "CANCEL" if entry.cancelled else "PUBLISH"
        text = calendar_text(entry, method=method, organizer=self.sender.address, now=now)
        part = MIMEText(text, "calendar", "utf-8")
        part.set_param("method", method)
        name = card.badge.code if card.badge else "delivery"
        part.add_header("Content-Disposition", "attachment", filename=f"{name}.ics")
        mail = MIMEMultipart("mixed")
        mail.attach(both)
        mail.attach(part)
        return mail

    def _shown(self, card: Card, subject: str) -> dict[str, Any]:
        blocks = [_clean_block(block) for block in card.blocks]
        buttons = [replace(button, label=_clean(button.label)) for button in card.buttons]
        return {
            "t": texts_in(card.locale).t,
            "locale": card.locale,
            "subject": subject,
            "preview": " · ".join(line for block in blocks[:2] for line in block.lines[:1]),
            "title": _clean(card.title),
            "badge": card.badge,
            "shape": SHAPES.get(card.badge.status, "●") if card.badge else "",
            "blocks": blocks,
            "big": [button for button in buttons if _is_big(button)],
            "links": [button for button in buttons if button.url and not _is_big(button)],
            "phones": [button for button in buttons if button.phone and not button.url],
            "product": PRODUCT,
        }


def _part(text: str, subtype: str) -> MIMEText:
    """Return the text as a part of a mail, its lines ended as mail ends them whatever carries it."""
    return MIMEText("\r\n".join(text.splitlines()) + "\r\n", subtype, "utf-8")


def subject_of(card: Card) -> str:
    """Return the subject: every mail about an order begins with the same words."""
    title = _clean(card.title)
    if card.badge is None:
        return title
    stem = texts_in(card.locale).t("Đơn {code}", code=card.badge.code)
    return title if title.startswith(stem) else f"{stem} · {title}"


def root_id(card: Card, to: str, domain: str) -> str | None:
    """Return the `Message-ID` of the first mail about the card's order to this person.

    It is made of the order and the address alone, so that later mails know it without looking it up.
    """
    if card.thread is None:
        return None
    person = sha256(f"{card.thread} {to.lower()}".encode()).digest()[:9]
    return f"<order-{_short(card.thread)}.{urlsafe_b64encode(person).decode()}@{domain}>"


def _short(thread: str) -> str:
    try:
        return urlsafe_b64encode(UUID(thread).bytes).decode().rstrip("=")
    except ValueError:
        return sha256(thread.encode()).hexdigest()[:22]


def calendar_text(entry: CalendarEntry, *, method: str, organizer: str, now: datetime) -> str:
    """Return the delivery as an iCalendar object (RFC 5546): it informs and asks for no reply."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", entry.starts_at)
    event.add("summary", _clean(entry.summary))
    event.add("location", _clean(entry.location))
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    event.add("status", _calendar_status(entry))
    event.add("transp", "TRANSPARENT")
    calendar = Calendar()
    calendar.add("prodid", "-//chotdon//VI")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return str(calendar.to_ical().decode())


def _calendar_status(entry: CalendarEntry) -> str:
    if entry.cancelled:
        return "CANCELLED"
    return "TENTATIVE" if entry.tentative else "CONFIRMED"


def _is_big(button: Button) -> bool:
    return button.url is not None and button.style is not ButtonStyle.SECONDARY


def _clean_block(block: Block) -> Block:
    lines = tuple(_clean(line) for line in block.lines)
    return Block(BlockRole(block.role), lines, _clean(block.label) if block.label else None)


def _clean(text: str) -> str:
    """Return the text on one line without control characters: no header is smuggled in, XML can hold it.

    Orders' texts have at most 2,000 characters; what is far longer is cut, as it would hold everybody up.
    """
    if len(text) > _LONGEST_LINE:
        text = text[: _LONGEST_LINE - 1] + "…"
    return " ".join("".join(" " if category(char) in _CONTROL else char for char in text).split())
