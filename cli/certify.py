"""Trying out a platform's webhook receiver."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from cli.printing import as_json_option, show

if TYPE_CHECKING:
    from cli.certification import Outcome


# docs/facts.md#standard-webhooks: 24 to 64 bytes, shown as whsec_<base64>.
_SHORTEST: Final = 24
_LONGEST: Final = 64


def _is_secret(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not value.startswith("whsec_") or not _SHORTEST <= len(key) <= _LONGEST:
        raise click.BadParameter("a secret looks like whsec_…, as `platform add` shows it")
    return value


@click.command()
@click.argument("url")
@click.option(
    "--secret",
    envvar="CHOTDON_CERTIFY_SECRET",
    prompt="Webhook secret (whsec_…)",
    hide_input=True,
    callback=_is_secret,
    help="The secret that the receiver verifies with; asked for, or read from CHOTDON_CERTIFY_SECRET.",
)
@as_json_option
def certify(url: str, *, secret: str, as_json: bool) -> None:
    """Try out a webhook receiver: what it must take, and what it must refuse.

    URL is where the receiver listens. It is sent webhooks about orders that do not exist, so point this at
    one that is not in production. Exits with 1 if it fails anything.

    Example: chotdon certify http://127.0.0.1:9000/hooks --secret whsec_…
    """
    outcomes = asyncio.run(_certified(url, secret))
    passed = sum(outcome.passed for outcome in outcomes)
    document = {
        "url": url,
        "passed": passed,
        "failed": len(outcomes) - passed,
        "scenarios": [asdict(outcome) for outcome in outcomes],
    }
    show(document, lambda: _lines(outcomes), as_json=as_json)
    if passed < len(outcomes):
        raise SystemExit(1)


async def _certified(url: str, secret: str) -> "Sequence[Outcome]":
    from cli.certification import certify as certified
    from cli.runtime import VAR, env_file
    from cli.sentences import sentence
    from core.errors import RuleError
    from core.platforms.public_addresses import check_webhook_url
    from core.settings import Settings
    from jobs.webhook_calls import open_session

    settings = Settings.load(var=VAR, env_file=env_file())
    allow_private = settings.webhook_allow_private or settings.env != "production"
    try:
        await check_webhook_url(url, allow_private=allow_private)
    except RuleError as error:
        raise click.ClickException(sentence(error)) from None
    async with open_session(allow_private=allow_private) as session:
        return await certified(session, url, secret)


def _lines(outcomes: "Sequence[Outcome]") -> str:
    lines = [line for outcome in outcomes for line in _line(outcome)]
    passed = sum(outcome.passed for outcome in outcomes)
    return "\n".join([*lines, f"{passed} of {len(outcomes)} passed"])


def _line(outcome: "Outcome") -> list[str]:
    if outcome.passed:
        return [f"ok    {outcome.title}"]
    told: list[Any] = [f"FAIL  {outcome.title}: {outcome.found}"]
    return [*told, f"      {outcome.advice}"] if outcome.advice else told
