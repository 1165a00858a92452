"""The consent of the account's admin: where Zalo sends it, and how we know that the link was ours.

docs/facts.md#zalo-consent: the redirect must be the very address stored in Zalo's console.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

from core.clock import real_now
from core.keys import derive

CALLBACK_PATH: Final = "/oauth/zalo/callback"
#: How long an admin may take between the link and the consent.
LINK_LIFE: Final = timedelta(hours=1)
#: A link in an alarm waits for somebody to read it; the alarm is told again each day with a fresh one.
ALARM_LINK_LIFE: Final = timedelta(days=2)
_ACCOUNT: Final = "zalo consent"
_ALARM: Final = "zalo consent after an alarm"
_LIVES: Final = MappingProxyType({_ACCOUNT: LINK_LIFE, _ALARM: ALARM_LINK_LIFE})


def redirect_uri(base_url: str) -> str:
    """Return the address that the console has to know and that Zalo comes back to."""
    return f"{base_url}{CALLBACK_PATH}"


def new_state(secret_key: str) -> str:
    """Return a state that only this service can make; it is good for an hour of real time."""
    return _serializer(secret_key).dumps(_ACCOUNT)


def new_alarm_state(secret_key: str) -> str:
    """Return such a state for a link in an alarm; it is good for two days of real time."""
    return _serializer(secret_key).dumps(_ALARM)


def is_ours(secret_key: str, state: str, *, now: datetime | None = None) -> bool:
    """Whether this state came from a consent link of ours that is still good, now or at `now` (real time)."""
    try:
        told, made_at = _serializer(secret_key).loads(state, return_timestamp=True)
    except (BadData, UnicodeError):
        return False
    life = _LIVES.get(told) if isinstance(told, str) else None
    return life is not None and (now or real_now()) - made_at <= life


def _serializer(secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(derive(secret_key, _ACCOUNT), signer_kwargs={"digest_method": sha256})
