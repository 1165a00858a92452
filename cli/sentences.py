"""What a refused command says, by the rule that refused it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.errors import RuleError

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bad_data": "The database does not take these words.",
        "channel_not_linkable": "A chat is linked on zalo, telegram or sms, not on {channel}.",
        "clock_backwards": "Time moves forward only; `chotdon clock reset` brings real time back.",
        "clock_in_production": "The clock is not moved in production (CHOTDON_ENV=production).",
        "clock_too_far": "Product time can be at most {days} days ahead.",
        "cursor_invalid": "This is no cursor that `order list` printed.",
        "email_invalid": "This is no mail address.",
        "last_owner": "{name} is the last owner; make somebody else an owner first.",
        "keep_too_long": "The one before is good for {days} days at most.",
        "locale_unknown": "There is no language {name}; take vi or en.",
        "name_invalid": "A name has 1 to {longest} printable characters.",
        "no_free_link_code": "Too many link codes are in use; try again in a quarter of an hour.",
        "no_staff": "This partner has no staff; add somebody with `chotdon staff add`.",
        "nobody_known": "Nobody is known by this phone or mail address.",
        "no_such_order": "There is no order {order}.",
        "no_such_partner": "There is no partner {partner}.",
        "no_such_platform": "There is no platform {name}.",
        "no_such_reason": "Reasons are 1 to 6, or words.",
        "no_such_staff": "There is nobody called {name}; there are: {names}.",
        "partner_code_invalid": (
            "A partner's code is a-z, 0-9 and single dashes, like com-nha-lan, at most {longest} characters."
        ),
        "partner_exists": "There is a partner {partner} already.",
        "no_such_webhook": "This platform is owed no such webhook.",
        "paused_until_past": "This moment is past; `none` ends a pause.",
        "paused_until_too_far": "This moment is too far away.",
        "phone_invalid": "This is no phone number that can be called.",
        "platform_name": "There is a platform {name} already.",
        "quiet_hours_empty": "Quiet hours that end when they begin are none.",
        "reason_missing": "Cancelling asks for --reason.",
        "staff_exists": "This partner has somebody called {name} already.",
        "timezone_unknown": "There is no time zone {name}; take one like Asia/Ho_Chi_Minh.",
        "webhook_url_refused": "Webhooks do not go there: {why}.",
        "webhooks_off": "This platform is sent no webhooks: it has no address, or is disabled.",
    }
)


def sentence(error: RuleError) -> str:
    """Return one line that says what is wrong, and where that helps what would be right."""
    facts = {name: _written(value) for name, value in error.facts.items()}
    return _SENTENCES.get(error.code, f"Refused: {error.code}.").format_map(_Known(facts))


def _written(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nobody"
    return str(value).replace("_", " ")


class _Known(dict[str, str]):
    """Facts by name; one that an error does not carry is left out."""

    def __missing__(self, name: str) -> str:
        return "?"
