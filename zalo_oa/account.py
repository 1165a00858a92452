"""One Official Account, put together from the settings: for the worker, the web process and the CLI."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from core.clock import Clock, real_now
from core.secrets import Secrets
from core.settings import Settings
from zalo_oa.channel import ZaloChannel, templates, token_alarm
from zalo_oa.client import OAuthClient, TokenPair, ZaloClient, ZaloConfig, open_session
from zalo_oa.consent import new_alarm_state, redirect_uri
from zalo_oa.credentials import Credentials, TokenTrouble, consent_url, first_pair
from zalo_oa.render import PICTURE_PATH
from zalo_oa.token_store import SealedTokens


@dataclass(frozen=True, slots=True)
class Account:
    """What can be done with the account; `client.close()` lets go of it."""

    config: ZaloConfig
    credentials: Credentials
    client: ZaloClient


def read_config(settings: Settings) -> ZaloConfig:
    """Return the settings of the account. Raises Misconfigured where one is missing."""
    return ZaloConfig(
        app_id=settings.require("zalo_app_id"),
        app_secret=settings.require("zalo_app_secret"),
        oa_id=settings.require("zalo_oa_id"),
        oa_secret=settings.require("zalo_oa_secret"),
        openapi_url=settings.zalo_openapi_url,
        business_url=settings.zalo_business_url,
        oauth_url=settings.zalo_oauth_url,
    )


def open_account(settings: Settings, secrets: Secrets) -> Account:
    """Return the account, ready to call Zalo; needs a running event loop.

    Tokens age by real time: moving the product's clock moves nothing at Zalo's.
    """
    config = read_config(settings)
    session = open_session()
    credentials = Credentials(
        OAuthClient(config, session),
        SealedTokens(secrets, config.oa_id),
        now=real_now,
        seed=_seed(settings),
    )
    return Account(config, credentials, ZaloClient(config, session, credentials))


def open_channel(settings: Settings, secrets: Secrets, clock: Clock) -> ZaloChannel:
    """Return the channel on an account of its own; closing it closes both."""
    chosen = templates(settings.zalo_templates)
    account = open_account(settings, secrets)
    return ZaloChannel(
        account.client,
        clock=clock,
        templates=chosen,
        delivery_within=settings.zalo_delivery_within,
        picture=settings.base_url + PICTURE_PATH,
        consent_link=partial(consent_link, settings),
    )


def consent_link(settings: Settings) -> str | None:
    """Return where an admin of the account consents anew, for an alarm; None without a PKCE verifier."""
    if not settings.zalo_code_verifier:
        return None
    return consent_url(
        read_config(settings),
        redirect_uri=redirect_uri(settings.base_url),
        verifier=settings.require("zalo_code_verifier"),
        state=new_alarm_state(settings.require("secret_key")),
    )


def token_teller(settings: Settings) -> Callable[[TokenTrouble], str]:
    """Return what makes the operators' alarm of a trouble with the tokens, the link to mend it included."""
    return lambda trouble: token_alarm(trouble, consent_link(settings))


def _seed(settings: Settings) -> TokenPair | None:
    access, refresh = _plain(settings.zalo_access_token), _plain(settings.zalo_refresh_token)
    return first_pair(access, refresh, now=real_now()) if access and refresh else None


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
