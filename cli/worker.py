"""`chotdon worker`."""

import click

from cli import crew, service
from core.settings import Settings


@click.command()
@click.option("--member", is_flag=True, hidden=True, help="Ends with the process that started it.")
def worker(*, member: bool) -> None:
    """Run the worker: deliveries, timers, webhooks to platforms, tokens. Ctrl-C ends it in good order.

    Any number of workers may run; they share the work.
    """
    if member:
        crew.end_with_the_crew()

    async def work(settings: Settings) -> None:
        import jobs.worker

        await jobs.worker.run(settings)

    service.run(work)
