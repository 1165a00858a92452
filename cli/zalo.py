"""The Official Account: consent and token."""

from datetime import datetime

import click

from cli.office import Office, run
from cli.printing import as_json_option, facts, show
from core.errors import Misconfigured
from core.secrets import Secrets
from core.settings import Settings
from zalo_oa.account import read_config
from zalo_oa.client import TokenPair
from zalo_oa.consent import new_state, redirect_uri
from zalo_oa.credentials import challenge, consent_url, new_verifier
from zalo_oa.token_store import SealedTokens


@click.group()
def zalo() -> None:
    """The Official Account."""


@zalo.command("authorize")
@as_json_option
def authorize(*, as_json: bool) -> None:
    """Print the link where an admin of the account consents, and what Zalo's console has to know before.

    Example: chotdon zalo authorize
    """

    async def work(office: Office) -> dict[str, object]:
        return _consent(office.settings)

    document = run(work)
    show(document, lambda: _steps(document), as_json=as_json)


@zalo.command("token")
@as_json_option
def token(*, as_json: bool) -> None:
    """Print how the account's token stands; the token itself is not shown. Exit status 1 if there is none.

    Example: chotdon zalo token
    """

    async def work(office: Office) -> tuple[TokenPair | None, datetime]:
        secrets = Secrets(office.database, office.settings.require("secret_key"))
        store = SealedTokens(secrets, read_config(office.settings).oa_id)
        return await store.load(), office.database.clock.now()

    document = _token_document(*run(work))
    show(document, lambda: facts(document), as_json=as_json)
    if document["state"] in {"none", "expired"}:
        raise click.exceptions.Exit(1)


def _consent(settings: Settings) -> dict[str, object]:
    config = read_config(settings)
    if not settings.zalo_code_verifier:
        fresh = new_verifier()
        raise Misconfigured(
            "CHOTDON_ZALO_CODE_VERIFIER is not set. A fresh one, made now:",
            f"  CHOTDON_ZALO_CODE_VERIFIER={fresh}",
            f"and its challenge, to be stored in Zalo's console: {challenge(fresh)}",
        )
    verifier = settings.require("zalo_code_verifier")
    callback = redirect_uri(settings.base_url)
    state = new_state(settings.require("secret_key"))
    return {
        "url": consent_url(config, redirect_uri=callback, verifier=verifier, state=state),
        "redirect_uri": callback,
        "code_challenge": challenge(verifier),
    }


def _steps(document: dict[str, object]) -> str:
    return (
        "In Zalo's console the account's settings must hold\n"
        f"  callback URL    {document['redirect_uri']}\n"
        f"  code challenge  {document['code_challenge']}\n"
        "Then an admin of the account opens, within an hour,\n"
        f"  {document['url']}"
    )


def _token_document(pair: TokenPair | None, now: datetime) -> dict[str, object]:
    if pair is None:
        return {"state": "none", "obtained_at": None, "expires_at": None}
    expires_at = pair.obtained_at + pair.life
    return {
        "state": "valid" if now < expires_at else "expired",
        "obtained_at": pair.obtained_at.isoformat(timespec="seconds"),
        "expires_at": expires_at.isoformat(timespec="seconds"),
    }
