"""The consent of the account's admin: where Zalo sends it, and how we know that the link was ours.

docs/facts.md#zalo-consent: the redirect must be the very address stored in Zalo's console.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

from core.keys import derive

CALLBACK_PATH: Final = "/oauth/zalo/callback"
#: How long an admin may take between the link and the consent.
LINK_LIFE: Final = timedelta(hours=1)
_ACCOUNT: Final = "zalo consent"


def redirect_uri(base_url: str) -> str:
    """Return the address that the console has to know and that Zalo comes back to."""
    return f"{base_url}{CALLBACK_PATH}"


def new_state(secret_key: str) -> str:
    """Return a state that only this service can make; it is good for an hour of real time."""
    return _serializer(secret_key).dumps(_ACCOUNT)


def is_ours(secret_key: str, state: str) -> bool:
    """Whether this state came from a consent link of ours that is still good."""
    try:
        told = _serializer(secret_key).loads(state, max_age=int(LINK_LIFE.total_seconds()))
    except (BadData, UnicodeError):
        return False
    return bool(told == _ACCOUNT)


def _serializer(secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(derive(secret_key, _ACCOUNT), signer_kwargs={"digest_method": sha256})
