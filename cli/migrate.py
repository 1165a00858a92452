"""`chotdon migrate`."""

import asyncio

import click

from cli.printing import as_json_option, show
from cli.runtime import runtime


@click.command()
@as_json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database to the newest schema.

    Safe to run twice, from two machines at once, and while the service runs.
    """
    from core import database

    with runtime() as settings:
        asyncio.run(database.migrate(settings.require("database_url")))
    show({"schema": "newest"}, lambda: "The database has the newest schema.", as_json=as_json)
