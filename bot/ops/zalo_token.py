"""How the Official Account's token stands, and the link by which its admin consents again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.clock import real_now
from core.database import Database
from core.secrets import Secrets
from core.settings import Settings
from zalo_oa.account import read_config
from zalo_oa.consent import new_state, redirect_uri
from zalo_oa.credentials import TOKEN_ALARM, consent_url
from zalo_oa.token_store import SealedTokens

_TROUBLE: Final = "SELECT detail FROM alarms WHERE name = $1"


@dataclass(frozen=True, slots=True)
class TokenState:
    """When the token was given and until when it works (real time), None where there is none.

    `trouble` is what the last refresh failed with, in an alarm's words; `consent` the link for the account's
    admin, good for an hour, None where the verifier that belongs to it is not set.
    """

    obtained_at: datetime | None
    expires_at: datetime | None
    now: datetime
    trouble: str
    consent: str | None

    @property
    def works(self) -> bool:
        """Whether calls can be made with it."""
        return self.expires_at is not None and self.now < self.expires_at


async def token_state(settings: Settings, database: Database) -> TokenState | None:
    """Return how the token stands; None where the Official Account is off."""
    if not settings.zalo_is_on:
        return None
    secrets = Secrets(database, settings.require("secret_key"))
    pair = await SealedTokens(secrets, settings.require("zalo_oa_id")).load()
    trouble = await database.pool.fetchval(_TROUBLE, TOKEN_ALARM)
    return TokenState(
        pair.obtained_at if pair else None,
        pair.obtained_at + pair.life if pair else None,
        real_now(),
        trouble or "",
        _consent(settings),
    )


def _consent(settings: Settings) -> str | None:
    if not settings.zalo_code_verifier:
        return None
    return consent_url(
        read_config(settings),
        redirect_uri=redirect_uri(settings.base_url),
        verifier=settings.require("zalo_code_verifier"),
        state=new_state(settings.require("secret_key")),
    )
