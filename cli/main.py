"""The command `chotdon`. A command is imported when it is called, so that `--help` answers at once."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

from core.errors import Misconfigured

DEBUG: Final = "CHOTDON_DEBUG"


@dataclass(frozen=True, slots=True)
class _Later:
    """Where a command is, and its line in the help."""

    module: str
    name: str
    help: str


_COMMANDS: Final[Mapping[str, _Later]] = MappingProxyType(
    {
        "certify": _Later("cli.certify", "certify", "Try out a platform's webhook receiver."),
        "clock": _Later("cli.clock", "clock", "Show product time and move it."),
        "demo": _Later(
            "cli.demo", "demo", "Start everything on this machine, with a phone wall to try it on."
        ),
        "doctor": _Later("cli.doctor", "doctor", "Check settings, database, Redis and every gateway."),
        "healthy": _Later("cli.healthy", "healthy", "Exit with 0 if a process works: for containers."),
        "link": _Later("cli.link", "link", "Make a code that links a chat or a phone to somebody."),
        "login-link": _Later(
            "cli.login_link", "login_link", "Make a link that signs in to a kitchen's pages."
        ),
        "message": _Later("cli.message", "message", "Show what was sent about an order."),
        "migrate": _Later("cli.migrate", "migrate", "Bring the database to the newest schema."),
        "ops-link": _Later("cli.ops", "ops_link", "Make a link that signs an operator in at the console."),
        "order": _Later("cli.order", "order", "Show orders and act on them, as an operator."),
        "partner": _Later("cli.partner", "partner", "Add a kitchen and change its settings."),
        "person": _Later("cli.person", "person", "Export or erase what is known of a person."),
        "platform": _Later("cli.platform", "platform", "Add a platform that places orders."),
        "restored": _Later("cli.restored", "restored", "Bring a database that was restored into order."),
        "serve": _Later("cli.serve", "serve", "Run the web process: webhooks, API and pages."),
        "staff": _Later("cli.staff", "staff", "Add, remove and list who works in a kitchen."),
        "telegram": _Later("cli.telegram", "telegram", "Register the bot's webhook and its commands."),
        "worker": _Later("cli.worker", "worker", "Run the worker: deliveries, timers, webhooks."),
        "zalo": _Later("cli.zalo", "zalo", "Connect the Official Account and look at its token."),
    }
)


class _Commands(click.Group):
    """The commands of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if later := _COMMANDS.get(cmd_name):
            command: click.Command = getattr(import_module(later.module), later.name)
            return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, later.help) for name, later in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chotdon", prog_name="chotdon")
def chotdon() -> None:
    """Run orders from the chat that kitchens already have open."""


def main() -> None:
    """Run one command. Whatever goes wrong is told in words; a stack trace only if CHOTDON_DEBUG is set."""
    try:
        chotdon(prog_name="chotdon")
    except Misconfigured as error:
        _tell(*error.faults)
    except Exception as error:  # the outermost loop
        if os.environ.get(DEBUG):
            raise
        _tell(_described(error), f"Set {DEBUG}=1 to see where.")
    sys.exit(1)


def _described(error: Exception) -> str:
    from core.database import AWAY  # no command that works needs it here

    if isinstance(error, AWAY) and getattr(error, "filename", None) is None:  # else a file's trouble
        return f"The database cannot be reached: {str(error) or type(error).__name__}."
    return f"This should not have happened: {type(error).__name__}: {error}"


def _tell(*lines: str) -> None:
    for line in lines:
        click.echo(f"chotdon: {line}", err=True)


if __name__ == "__main__":
    main()
