"""A one-time link to a kitchen's pages, for whoever asks the operators for one."""

from uuid import UUID

import click

from bot.registry import signer_of
from cli.office import Office, run
from cli.printing import as_json_option, show
from core.partners import one_time_links, partners, staff
from core.partners.one_time_links import LIFE, LinkPurpose
from core.partners.partners import Partner
from core.partners.staff import Member


@click.command("login-link")
@click.argument("partner")
@click.option("--staff", "name", metavar="NAME", help="Who signs in; the owner by default.")
@as_json_option
def login_link(partner: str, *, name: str | None, as_json: bool) -> None:
    """Make a link that signs somebody in to the kitchen's pages, once, within 15 minutes.

    Whoever opens it is that person there: give it to nobody else. The chat answers the same to WEB.

    Example: chotdon login-link com-nha-lan --staff Lan
    """

    async def work(office: Office) -> tuple[dict[str, str], Member]:
        kitchen = await partners.by_code(office.database.pool, partner)
        member = await member_of(office, kitchen, name)
        made = await one_time_link(office, kitchen, member.id, LinkPurpose.LOGIN)
        return made, member

    made, member = run(work)
    show(made, lambda: f"{member.name}, until {made['expires_at']}:\n{made['url']}", as_json=as_json)


async def member_of(office: Office, kitchen: Partner, name: str | None) -> Member:
    """Return the member of this name, the owner without one."""
    if name is None:
        return await staff.first_of(office.database.pool, kitchen.id)
    return await staff.by_name(office.database.pool, kitchen.id, name)


async def one_time_link(
    office: Office, kitchen: Partner, staff_id: UUID, purpose: LinkPurpose
) -> dict[str, str]:
    """Make a one-time link and return its address and until when it works, in the kitchen's zone."""
    now, settings = office.database.clock.now(), office.settings
    link_id = await one_time_links.issue(office.database.pool, staff_id, purpose, via="operator", now=now)
    token = signer_of(settings).one_time(link_id)
    expires_at = (now + LIFE[purpose]).astimezone(kitchen.zone)
    return {
        "url": f"{settings.base_url}/{purpose.value}/{token}",
        "expires_at": expires_at.isoformat(timespec="seconds"),
    }
