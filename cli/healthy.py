"""`chotdon healthy`: for whoever restarts what does not work any more."""

import http.client
from datetime import timedelta
from typing import Final

import click

_WITHIN: Final = 3.0
#: The sweep tells every few seconds that it is alive; its longest period is five minutes.
_PERIODS: Final = 3
_AT_LEAST: Final = timedelta(minutes=1)


@click.group()
def healthy() -> None:
    """Exit with 0 if a process works, with 1 if it does not: for containers and supervisors."""


@healthy.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def healthy_serve(*, port: int) -> None:
    """Ask the web process of this machine whether it is alive."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        raise click.ClickException(f"The web process does not answer: {type(error).__name__}.") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise click.ClickException(f"The web process answers {status}.")
    click.echo("The web process is alive.")


@healthy.command("worker")
def healthy_worker() -> None:
    """Look when a worker last swept. Several share one heartbeat: it is missing when none works."""
    from cli.office import Office, run
    from core.clock import real_now
    from jobs.keepers import SWEEP

    async def work(office: Office) -> timedelta | None:
        at = await office.database.pool.fetchval("SELECT at FROM heartbeats WHERE name = $1", SWEEP)
        within = max(_AT_LEAST, _PERIODS * office.settings.sweep_every)
        return within if at is not None and real_now() - at <= within else None

    if run(work) is None:
        raise click.ClickException("No worker has swept lately.")
    click.echo("A worker sweeps.")
