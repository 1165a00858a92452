"""Partners: the kitchens."""

from datetime import date, datetime, time
from typing import Any

import click

from cli.arguments import HOURS, PAUSE, TIME_OF_DAY
from cli.hands import by_option, hand_of
from cli.office import Office, run
from cli.printing import as_json_option, facts, show
from cli.staff import member_document
from core.operators import kitchens
from core.partners.partners import NewPartner, Nothing, Partner, PartnerChange
from core.partners.staff import Member
from core.partners.words import LOCALES


@click.group()
def partner() -> None:
    """Kitchens."""


@partner.command("add")
@click.option("--code", required=True, help="Its short name in commands and addresses, like com-nha-lan.")
@click.option("--name", required=True, help="What it is called.")
@click.option("--owner", metavar="NAME", help="The owner's name; the partner's own by default.")
@click.option("--phone", help="The owner's phone.")
@click.option("--email", help="The owner's mail address.")
@click.option("--locale", type=click.Choice(LOCALES), help="The language it is written to in.")
@click.option("--timezone", metavar="ZONE", help="Where it is, like Asia/Ho_Chi_Minh.")
@by_option
@as_json_option
def add_partner(*, by: str | None, as_json: bool, **given: Any) -> None:
    """Add a kitchen; the phone and the email become addresses of its owner.

    Example: chotdon partner add --code com-nha-lan --name "Cơm Nhà Lan" --owner Lan --phone 0901234567
    """
    hand = hand_of(by)

    async def work(office: Office) -> tuple[Partner, Member]:
        defaults = {"locale": office.settings.locale, "timezone": office.settings.timezone}
        words = {name: given[name] or default for name, default in defaults.items()}
        return await kitchens.add(office.database, NewPartner(**{**given, **words}), hand=hand)

    added, owner = run(work)
    document = {**partner_document(added), "owner": member_document(owner)}
    show(document, lambda: facts({**partner_document(added), "owner": owner.name}), as_json=as_json)


@partner.command("set")
@click.argument("code")
@click.option("--quiet-hours", "quiet", type=HOURS, help="When it should not be disturbed, like 22:00-06:00.")
@click.option("--sheet-at", type=TIME_OF_DAY, help="When it gets the day's sheet, like 06:00.")
@click.option("--locale", type=click.Choice(LOCALES), help="The language it is written to in.")
@click.option("--timezone", metavar="ZONE", help="Where it is, like Asia/Ho_Chi_Minh.")
@click.option(
    "--paused-until",
    type=PAUSE,
    metavar="WHEN",
    help="Until when it takes no new orders: RFC 3339, a day, none.",
)
@by_option
@as_json_option
def set_partner(
    code: str,
    *,
    quiet: tuple[time, time] | Nothing | None,
    sheet_at: time | Nothing | None,
    locale: str | None,
    timezone: str | None,
    paused_until: date | datetime | Nothing | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Change a kitchen's settings; what is not named stays.

    Example: chotdon partner set com-nha-lan --paused-until 2026-11-30
    """
    wanted = PartnerChange(locale, timezone, quiet, sheet_at, paused_until)
    hand = hand_of(by)
    changed = run(lambda office: kitchens.change(office.database, code, wanted, hand=hand))
    show(partner_document(changed), lambda: facts(partner_document(changed)), as_json=as_json)


def partner_document(partner: Partner) -> dict[str, object]:
    """Return a kitchen as it is printed; the pause in its own time."""
    until = partner.paused_until
    return {
        "code": partner.code,
        "name": partner.name,
        "locale": partner.locale,
        "timezone": partner.zone.key,
        "quiet_hours": "-".join(f"{at:%H:%M}" for at in partner.quiet) if partner.quiet else None,
        "sheet_at": f"{partner.sheet_at:%H:%M}" if partner.sheet_at else None,
        "paused_until": until.astimezone(partner.zone).isoformat() if until else None,
    }
