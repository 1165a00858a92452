"""Who works in a kitchen."""

import io

import click
import segno

from cli.hands import by_option, hand_of
from cli.login_link import one_time_link
from cli.office import Office, run
from cli.printing import as_json_option, show, table
from core.actors import Role
from core.operators import kitchens
from core.partners import partners
from core.partners import staff as members
from core.partners.one_time_links import LinkPurpose
from core.partners.staff import Member, new_member


@click.group()
def staff() -> None:
    """Who works in a kitchen."""


@staff.command("add")
@click.argument("partner")
@click.option("--name", required=True, help="What this person is called; two of one name are refused.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--phone", help="Where this person is reached.")
@click.option("--email", help="Where this person is reached.")
@click.option("--notify", is_flag=True, help="Tell this person too; owner and managers are told anyway.")
@by_option
@as_json_option
def add_staff(
    partner: str,
    *,
    name: str,
    role: str,
    phone: str | None,
    email: str | None,
    notify: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Add somebody to a kitchen.

    Example: chotdon staff add com-nha-lan --name Hoa --role kitchen --phone 0912345678 --notify
    """
    hand = hand_of(by)

    async def work(office: Office) -> Member:
        member = new_member(name, Role(role), phone=phone, email=email, notify=notify)
        kitchen = await partners.by_code(office.database.pool, partner)
        return await kitchens.hire(office.database, kitchen, member, hand=hand)

    _show([run(work)], as_json=as_json, alone=True)


@staff.command("invite")
@click.argument("partner")
@click.option("--name", required=True, help="Who is invited, in any case; somebody of the list.")
@as_json_option
def invite(partner: str, *, name: str, as_json: bool) -> None:
    """Make an invitation, by which a member links Zalo, Telegram or a phone; it works for seven days.

    Without --json its QR code is shown here: let them scan it. It is over when a chat was linked by it.

    Example: chotdon staff invite com-nha-lan --name Hoa
    """

    async def work(office: Office) -> dict[str, str]:
        kitchen = await partners.by_code(office.database.pool, partner)
        member = await members.by_name(office.database.pool, kitchen.id, name)
        return await one_time_link(office, kitchen, member.id, LinkPurpose.INVITE)

    made = run(work)
    show(made, lambda: f"{_qr(made['url'])}\n{made['url']}\nuntil {made['expires_at']}", as_json=as_json)


def _qr(text: str) -> str:
    """Return a QR code in half-high blocks, as terminals show it."""
    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()


@staff.command("remove")
@click.argument("partner")
@click.option("--name", required=True, help="Who leaves, in any case.")
@by_option
@as_json_option
def remove_staff(partner: str, *, name: str, by: str | None, as_json: bool) -> None:
    """Let somebody go: buttons, links, codes and sessions of this person stop working at once.

    The last owner stays until there is another one.

    Example: chotdon staff remove com-nha-lan --name Hoa
    """
    hand = hand_of(by)

    async def work(office: Office) -> Member:
        kitchen = await partners.by_code(office.database.pool, partner)
        member = await members.by_name(office.database.pool, kitchen.id, name)
        await kitchens.fire(office.database, kitchen, member, reason="", hand=hand)
        return member

    gone = run(work)
    show({"removed": gone.name}, lambda: f"{gone.name} is no longer staff of {partner}.", as_json=as_json)


@staff.command("list")
@click.argument("partner")
@as_json_option
def list_staff(partner: str, *, as_json: bool) -> None:
    """List who works in a kitchen, in the order they were added.

    Example: chotdon staff list com-nha-lan
    """

    async def work(office: Office) -> list[Member]:
        kitchen = await partners.by_code(office.database.pool, partner)
        return await members.staff_of(office.database.pool, kitchen.id)

    _show(run(work), as_json=as_json, alone=False)


def member_document(member: Member) -> dict[str, object]:
    """Return a staff member as it is printed."""
    return {
        "name": member.name,
        "role": member.role.value,
        "notified": member.is_recipient,
        "addresses": [
            {
                "kind": known.kind.value,
                "value": known.value,
                "ended_at": known.ended_at.isoformat() if known.ended_at else None,
            }
            for known in member.addresses
        ],
    }


def _show(listed: list[Member], *, as_json: bool, alone: bool) -> None:
    documents = [member_document(member) for member in listed]
    show(documents[0] if alone else {"items": documents}, lambda: _table(listed), as_json=as_json)


def _table(listed: list[Member]) -> str:
    rows = [(member.name, member.role.value, member.is_recipient, _reached(member)) for member in listed]
    return table(("NAME", "ROLE", "NOTIFIED", "ADDRESSES"), rows)


def _reached(member: Member) -> str:
    shown = [
        f"{known.kind.value} {known.value}" + (" (ended)" if known.ended_at else "")
        for known in member.addresses
    ]
    return ", ".join(shown) or "-"
