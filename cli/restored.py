"""`chotdon restored`."""

import click

from cli.office import run
from cli.printing import as_json_option, show
from core.restored import set_right


@click.command()
@as_json_option
def restored(*, as_json: bool) -> None:
    """Bring a database that was restored into another cluster into order, before the service starts.

    Else `GET /orders?updated_after=` and `GET /events?after=` would hide what was restored.
    """
    found = run(lambda office: set_right(office.database))
    told = ", ".join(f"{count} of {table}" for table, count in found.items())
    show(found, lambda: f"Rows that seemed to lie ahead, set right: {told}.", as_json=as_json)
