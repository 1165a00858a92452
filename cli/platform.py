"""Platforms: the systems that place orders here."""

import click

from cli.office import Office, run
from cli.printing import as_json_option, facts, show
from core.platforms import PlatformKeys, Scope, add


@click.group()
def platform() -> None:
    """Systems that place orders here."""


@platform.command("add")
@click.argument("name")
@click.option("--webhook-url", metavar="URL", help="Where to tell it of every change (https).")
@click.option(
    "--notify-customer/--no-notify-customer",
    default=True,
    help="Whether customers are told by us of a cancelled order (default), or by the platform itself.",
)
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.ALL.value,
    show_default=True,
    help="Which orders it hears of: all, or its own.",
)
@click.option(
    "--ask-review/--no-ask-review",
    default=False,
    help="Whether customers are asked by us for a review of a completed order (by default they are not).",
)
@as_json_option
def add_platform(
    name: str,
    *,
    webhook_url: str | None,
    notify_customer: bool,
    scope: str,
    ask_review: bool,
    as_json: bool,
) -> None:
    """Add a platform and print its keys; the API key is shown this once.

    Example: chotdon platform add pitaya --webhook-url https://pitaya.vn/hooks/chotdon
    """

    async def work(office: Office) -> PlatformKeys:
        return await add(
            name,
            now=office.database.clock.now(),
            webhook_url=webhook_url,
            notify_customer=notify_customer,
            scope=Scope(scope),
            ask_review=ask_review,
            allow_private=office.settings.webhook_allow_private,
        )

    keys = run(work)
    document = {"name": keys.name, "api_key": keys.api_key, "webhook_secret": keys.webhook_secret}
    show(document, lambda: facts(document), as_json=as_json)
