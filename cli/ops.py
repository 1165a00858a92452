"""A one-time link to the operators' console, for whoever is at the server."""

import click

from bot.registry import signer_of
from cli.office import Office, run
from cli.order import name_of_operator
from cli.printing import as_json_option, show
from core import audit
from core.operators import links
from core.operators.mailboxes import operator_at


@click.command("ops-link")
@click.argument("email")
@as_json_option
def ops_link(email: str, *, as_json: bool) -> None:
    """Make a link that signs an operator in at the console, once, within 15 minutes.

    EMAIL is one of OPERATOR_EMAILS. Whoever opens the link is that operator: give it to nobody else.

    Example: chotdon ops-link truc-ca@congty.vn
    """

    async def work(office: Office) -> dict[str, str]:
        return await _made(office, email)

    made = run(work)
    show(made, lambda: f"{made['email']}, until {made['expires_at']}:\n{made['url']}", as_json=as_json)


async def _made(office: Office, typed: str) -> dict[str, str]:
    settings, database = office.settings, office.database
    email = operator_at(typed, settings.operator_emails)
    if email is None:
        raise click.ClickException("That is not one of CHOTDON_OPERATOR_EMAILS.")
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        link_id = await links.issue(connection, email, now=now)
        await audit.record(
            connection,
            who=name_of_operator(None),
            via="cli",
            deed="operator.link_made",
            about=email,
            now=now,
        )
    return {
        "email": email,
        "url": f"{settings.base_url}/ops/login/{signer_of(settings).one_time(link_id)}",
        "expires_at": (now + links.LIFE).isoformat(timespec="seconds"),
    }
