"""What is known of one person: told, or erased, at their wish."""

from typing import Final

import click

from cli.office import Office, run
from cli.order import name_of_operator
from cli.printing import as_json_option, show
from core import persons
from core.channels import Address, AddressKind
from core.partners.addresses import normalised
from core.persons import Known

#: What is left undone: open orders, whose kitchen must still know whom it cooks for.
_LEFT: Final = 3


@click.group()
def person() -> None:
    """What is known of a person, found by phone or mail: a customer, or somebody of a kitchen."""


@person.command("export")
@click.option("--phone", help="As a customer gave it, or as a member is reached.")
@click.option("--email")
@click.option("--by", help="Who asks; else the name of this machine's user.")
@as_json_option
def export(*, phone: str | None, email: str | None, by: str | None, as_json: bool) -> None:
    """Print everything that is known of a person; that it was asked for is put on record, without the phone.

    Example: chotdon person export --phone 0909123456 --json
    """
    who, address = name_of_operator(by), _address(phone, email)
    document = run(lambda office: persons.export(office.database, address, who=who))

    def told() -> str:
        orders = [
            f"order {each['partner']} {each['code']}, {each['status']}" for each in document["customer"]
        ]
        members = [f"{each['name']}, {each['role']} of {each['partner']}" for each in document["staff"]]
        return "\n".join([*orders, *members, "Everything else with --json."])

    show(document, told, as_json=as_json)


@person.command("erase")
@click.option("--phone", help="As a customer gave it, or as a member is reached.")
@click.option("--email")
@click.option("--reason", required=True, help="Kept on record; name nobody in it.")
@click.option("--by", help="Who erases; else the name of this machine's user.")
@click.option("--yes", is_flag=True, help="Do it; without it only what would be done is told.")
@as_json_option
def erase(
    *, phone: str | None, email: str | None, reason: str, by: str | None, yes: bool, as_json: bool
) -> None:
    """Erase what is known of a person, for good. A customer's open orders are named and left as they are.

    Exit status 3 says that such orders are left: run it again once they have ended.

    Example: chotdon person erase --phone 0909123456 --reason "asked by mail, 12/11" --yes
    """
    who, address = name_of_operator(by), _address(phone, email)

    async def work(office: Office) -> Known:
        if yes:
            return await persons.erase(office.database, address, who=who, reason=reason)
        async with office.database.pool.acquire() as connection:
            return await persons.known(connection, address)

    found = run(work)
    show(
        {"erased": yes, "orders": len(found.closed), "left": list(found.open), "members": len(found.members)},
        lambda: "\n".join(_sentences(found, done=yes)),
        as_json=as_json,
    )
    if found.open:
        raise click.exceptions.Exit(_LEFT)


def _address(phone: str | None, email: str | None) -> Address:
    if (phone is None) == (email is None):
        raise click.UsageError("Say --phone or --email, one of them.")
    return normalised(AddressKind.PHONE if phone else AddressKind.EMAIL, phone or email or "")


def _sentences(found: Known, *, done: bool) -> list[str]:
    would = "" if done else "would be "
    lines = [f"Orders whose customer {would or 'is '}erased: {len(found.closed)}."]
    if found.members:
        lines.append(f"Members of kitchens who {would or 'are '}erased: {len(found.members)}.")
    if found.open:
        lines.append(f"Open orders that keep their customer until they end: {', '.join(found.open)}.")
    return lines if done else [*lines, "Nothing was done: --yes does it."]
