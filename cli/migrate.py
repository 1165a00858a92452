"""`chotdon migrate`."""

import asyncio

import click

from cli.runtime import runtime


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema.

    Safe to run twice, from two machines at once, and while the service runs.
    """
    from core import database

    with runtime() as settings:
        asyncio.run(database.migrate(settings.require("database_url")))
    click.echo("The database has the newest schema.")
