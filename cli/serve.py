"""`chotdon serve`."""

import errno
import socket
import sys
from contextlib import closing

import click

from cli import crew, service
from cli.runtime import runtime
from core.errors import Misconfigured
from core.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free one."
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many share the port; one that dies is replaced.",
)
@click.option("--member", is_flag=True, hidden=True, help="One of several processes.")
def serve(host: str, port: int, processes: int, *, member: bool) -> None:
    """Run the web process: webhooks, API and pages. Ctrl-C ends it in good order."""
    if member:
        crew.end_with_the_crew()
        _serve(host, port, reuse_port=True)
    elif processes == 1:
        _serve(host, port, reuse_port=False)
    else:
        _serve_together(host, port, processes)


def _serve(host: str, port: int, *, reuse_port: bool) -> None:
    async def work(settings: Settings) -> None:
        import bot.app
        from jobs.queues import Jobs, open_redis
        from jobs.wake import RedisWake

        redis = open_redis(settings.require("redis_url"))
        try:
            await bot.app.serve(settings, RedisWake(Jobs(redis)), host=host, port=port, reuse_port=reuse_port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise _taken(host, port) from error
        finally:
            await redis.aclose()

    service.run(work)


def _serve_together(host: str, port: int, processes: int) -> None:
    # Held until the last process is gone: a schema made once, and the port, which nobody else may share.
    with runtime(), closing(reserved(host, port)) as reservation:
        chosen = reservation.getsockname()[1]
        member = ["serve", "--member", f"--host={host}", f"--port={chosen}"]
        command = [sys.executable, "-P", "-m", "cli.main", *member]
        sys.exit(crew.Crew(command, processes).work())


def reserved(host: str, port: int) -> socket.socket:
    """Return a socket that holds the port without listening, so that only those who share it can have it.

    Raises Misconfigured if somebody has it already, even somebody who would share.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            chosen = probe.getsockname()
        holder = socket.socket(family, kind, protocol)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(chosen)
    except OSError as error:
        raise _taken(host, port) from error
    return holder


def _taken(host: str, port: int) -> Misconfigured:
    return Misconfigured(f"{host}:{port} cannot be had: choose another --host or --port.")
