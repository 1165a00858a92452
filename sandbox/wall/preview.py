"""`python -m sandbox.wall.preview`: the wall without the product, which a toy plays."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import click

from sandbox.moments import real_time
from sandbox.wall.toy import Toy


class ToyClock:
    """A clock in this process that can be moved as the product's can."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the moved time."""
        return real_time() + self._ahead

    async def advance(self, by: timedelta) -> None:
        """Move on."""
        self._ahead += by

    async def reset(self) -> None:
        """Go back to real time."""
        self._ahead = timedelta()


async def show(port: int) -> None:
    """Serve the wall with believable content until interrupted."""
    async with Toy(clock=ToyClock(), port=port) as toy:
        await toy.fill()
        click.echo(toy.wall.url)
        await asyncio.Event().wait()


@click.command(help="The phone wall without the product.")
@click.option("--port", default=8090, show_default=True)
def main(port: int) -> None:
    """Serve until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(show(port))


if __name__ == "__main__":
    main()
