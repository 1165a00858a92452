"""What we say, in Vietnamese or another language, and how we write money, days and times.

The Vietnamese sentence is the key of its translations (gettext catalogues in `locale/`).
"""

import datetime as dt
import gettext
import io
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DOMAIN: Final = "chotdon"
LOCALES: Final = ("vi", "en")
_SOURCE: Final = "vi"
_FOLDER: Final = Path(__file__).parent / "locale"


def msg(sentence: str) -> str:
    """Mark a sentence for the catalogues where it is kept for later; returned as it is."""
    return sentence


_WEEKDAYS: Final = (
    msg("thứ Hai"),
    msg("thứ Ba"),
    msg("thứ Tư"),
    msg("thứ Năm"),
    msg("thứ Sáu"),
    msg("thứ Bảy"),
    msg("Chủ nhật"),
)


class Texts:
    """The voice of the product in one language. An unknown language is answered in Vietnamese."""

    def __init__(self, locale: str) -> None:
        self.locale = locale if locale in LOCALES else _SOURCE
        self._catalogue = _catalogue(self.locale)

    def t(self, sentence: str, /, **facts: object) -> str:
        """Return the sentence in this language, its blanks filled."""
        said = self._catalogue.gettext(sentence)
        return said.format(**facts) if facts else said

    def label(self, sentence: str, /) -> str:
        """Return the label of a button: what it does may be another word than what then is ("Complete")."""
        return self._catalogue.pgettext("button", sentence)

    def n(self, sentence: str, count: int, /, **facts: object) -> str:
        """Return the sentence for so many things; its blank `count` is the number."""
        said = self._catalogue.ngettext(sentence, sentence, count)
        return said.format(count=grouped(count), **facts)

    def money(self, amount: int) -> str:
        """Return đồng: "2.400.000 đ"."""
        return f"{grouped(amount)} đ"

    def decimal(self, number: float) -> str:
        """Return a number with one decimal: "4,5", in English "4.5"."""
        written = f"{number:.1f}"
        return written.replace(".", ",") if self.locale == _SOURCE else written

    def portions(self, count: int) -> str:
        """Return "40 suất"."""
        return self.n("{count} suất", count)

    def date(self, day: dt.date) -> str:
        """Return "24/11/2026"."""
        return f"{day:%d/%m/%Y}"

    def day(self, day: dt.date) -> str:
        """Return "thứ Ba 24/11"."""
        return f"{self.t(_WEEKDAYS[day.weekday()])} {day:%d/%m}"

    def clock(self, at: dt.datetime, zone: ZoneInfo) -> str:
        """Return "11:30", as the clock on the kitchen's wall shows it."""
        return f"{at.astimezone(zone):%H:%M}"

    def moment(self, at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> str:
        """Return "11:30 thứ Ba 24/11", with the year where it is another one."""
        local = at.astimezone(zone)
        year = f"/{local:%Y}" if local.year != now.astimezone(zone).year else ""
        return f"{local:%H:%M} {self.day(local)}{year}"

    def brief_moment(self, at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> str:
        """Return "11:30 24/11", with the year where it is another one."""
        local = at.astimezone(zone)
        year = f"/{local:%Y}" if local.year != now.astimezone(zone).year else ""
        return f"{local:%H:%M %d/%m}{year}"

    def happened(self, at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> str:
        """Return "09:12" for today, and "09:12 ngày 23/11" for another day."""
        local = at.astimezone(zone)
        if local.date() == now.astimezone(zone).date():
            return f"{local:%H:%M}"
        return self.t("{time} ngày {day}", time=f"{local:%H:%M}", day=f"{local:%d/%m}")

    def relative(self, at: dt.datetime, now: dt.datetime) -> str:
        """Return "còn 3 giờ 20 phút", "đã qua 20 phút" or "ngay bây giờ"."""
        away = at - now
        if abs(away) < dt.timedelta(minutes=1):
            return self.t("ngay bây giờ")
        if away > dt.timedelta():
            return self.t("còn {span}", span=self.span(away))
        return self.t("đã qua {span}", span=self.span(-away))

    def span(self, length: dt.timedelta) -> str:
        """Return a length of time by its two biggest units: "3 giờ 20 phút", "2 ngày 5 giờ"."""
        minutes = int(length.total_seconds() // 60)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            return self._two(self.n("{count} ngày", days), hours and self.n("{count} giờ", hours))
        if hours:
            return self._two(self.n("{count} giờ", hours), minutes and self.n("{count} phút", minutes))
        return self.n("{count} phút", minutes)

    @staticmethod
    def _two(big: str, small: str | int) -> str:
        return f"{big} {small}" if small else big


@cache
def texts_in(locale: str) -> Texts:
    """Return the voice for this language, made once."""
    return Texts(locale)


def grouped(number: int) -> str:
    """Return "2.400.000"."""
    return f"{number:,}".replace(",", ".")


@cache
def _catalogue(locale: str) -> gettext.NullTranslations:
    if locale == _SOURCE:
        return gettext.NullTranslations()
    source = _FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = source.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime > source.stat().st_mtime:
        return gettext.GNUTranslations(io.BytesIO(compiled.read_bytes()))
    return gettext.GNUTranslations(_compiled(source))


def _compiled(source: Path) -> io.BytesIO:
    """Return a catalogue compiled now: for a checkout where nobody has compiled it since it changed."""
    out = io.BytesIO()
    with source.open("rb") as file:
        write_mo(out, read_po(file, domain=DOMAIN))
    out.seek(0)
    return out
