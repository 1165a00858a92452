"""`chotdon worker`."""

import click

from cli import service
from core.settings import Settings


@click.command()
def worker() -> None:
    """Run the worker: deliveries, timers, webhooks to platforms, tokens. Ctrl-C ends it in good order.

    Any number of workers may run; they share the work.
    """

    async def work(settings: Settings) -> None:
        import jobs.worker

        await jobs.worker.run(settings)

    service.run(work)
