"""Zalo's error codes: what each means, whom it concerns, and what is left to do.

docs/facts.md#zalo-errors. The two hosts number their errors apart: -115, -118 or -124 of
ZBS mean nothing on the OA host. An error arrives with HTTP 200; texts are overloaded, so
only the code decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final


class Host(Enum):
    """Which of Zalo's servers answered."""

    OA = "openapi"
    ZBS = "business.openapi"
    OAUTH = "oauth"


class Remedy(Enum):
    """What the code leaves to do about the message."""

    NONE = "none"  # accepted
    RETRY = "retry"  # the same call may succeed later
    OTHER_CHANNEL = "other channel"  # this person cannot be reached this way
    GIVE_UP = "give up"  # this call will never succeed; another channel may


class Scope(Enum):
    """Whose trouble the code is: a phone is only marked for RECIPIENT."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    EVERYBODY = "everybody"


#: A phone that leads to nobody on Zalo may have joined a month later.
NOT_ON_ZALO_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error code of one host, as we read it.

    `alarm`: a human must act. `refresh`: the access token is no good any more. `out_for`: the
    address leads to nobody, so that trying it again before would be a waste. `unheard`: the user
    has not interacted within the window, whatever we believed.
    """

    code: int
    meaning: str
    remedy: Remedy
    scope: Scope
    alarm: bool = False
    refresh: bool = False
    out_for: timedelta | None = None
    unheard: bool = False


def fault(host: Host, code: int) -> Fault:
    """Return what `code` means on `host`; a code nobody knows is given up and alarmed."""
    known = FAULTS[host].get(code)
    return known or Fault(code, "a code we do not know", Remedy.GIVE_UP, Scope.MESSAGE, alarm=True)


def _overloaded(code: int, meaning: str) -> Fault:
    return Fault(code, meaning, Remedy.RETRY, Scope.EVERYBODY)


def _again(code: int, meaning: str) -> Fault:
    return Fault(code, meaning, Remedy.RETRY, Scope.MESSAGE)


def _token(code: int, meaning: str) -> Fault:
    return Fault(code, meaning, Remedy.RETRY, Scope.EVERYBODY, alarm=True, refresh=True)


def _closed(code: int, meaning: str) -> Fault:
    """The person takes nothing from us now; may change by itself, or when they write to the OA."""
    return Fault(code, meaning, Remedy.OTHER_CHANNEL, Scope.RECIPIENT)


def _unheard(code: int, meaning: str) -> Fault:
    return Fault(code, meaning, Remedy.OTHER_CHANNEL, Scope.MESSAGE, unheard=True)


def _at_night(code: int, meaning: str) -> Fault:
    """An order does not wait for the morning, and nothing is wrong with the person."""
    return Fault(code, meaning, Remedy.OTHER_CHANNEL, Scope.MESSAGE)


def _nobody(code: int, meaning: str) -> Fault:
    return Fault(code, meaning, Remedy.OTHER_CHANNEL, Scope.RECIPIENT, out_for=NOT_ON_ZALO_FOR)


def _stopped(code: int, meaning: str) -> Fault:
    """Set-up, permission or money: nobody is reached until a human acts."""
    return Fault(code, meaning, Remedy.GIVE_UP, Scope.EVERYBODY, alarm=True)


def _ours(code: int, meaning: str) -> Fault:
    """A call that we should not have made like that."""
    return Fault(code, meaning, Remedy.GIVE_UP, Scope.MESSAGE, alarm=True)


def _by_code(*faults: Fault) -> Mapping[int, Fault]:
    return MappingProxyType({fault.code: fault for fault in faults})


_ACCEPTED: Final = Fault(0, "Success", Remedy.NONE, Scope.MESSAGE)

# See docs/facts.md#zalo-oa-errors
OA_FAULTS: Final = _by_code(
    _ACCEPTED,
    _overloaded(-32, "app or OA reached its call limit"),
    _ours(-100, "attachment_id expired"),
    _again(-200, "send message failed"),
    _ours(-201, "a field is invalid, or the user id is not one of this OA"),
    _stopped(-202, "invalid mac (v2 era)"),
    _stopped(-204, "OA is disabled"),
    _stopped(-205, "OA does not exist"),
    _stopped(-207, "OA is not a third party (v2 era)"),
    _stopped(-208, "OA has no secret key (v2 era)"),
    _stopped(-209, "API not supported: the app is not activated"),
    _ours(-210, "a parameter exceeds the allowed limit"),
    _stopped(-211, "out of quota"),
    _stopped(-212, "app has not registered this API"),
    _closed(-213, "user has not followed the OA"),
    _ours(-214, "article is being processed"),
    _stopped(-215, "invalid app id (v2 era)"),
    _token(-216, "access token is invalid"),
    _closed(-217, "user blocked invitations from the OA"),
    _closed(-218, "this recipient may receive no more for now"),
    _stopped(-219, "app was removed or disabled"),
    _token(-220, "access token expired or was removed"),
    _stopped(-221, "OA needs verification"),
    _closed(-222, "user is banned or inactive (v2 era)"),
    _stopped(-223, "OA has not authorized this API"),
    _stopped(-224, "OA needs a higher package"),
    _closed(-227, "user is banned or inactive for 45 days"),
    _unheard(-230, "user has not interacted within 7 days"),
    _unheard(-232, "user never interacted, or the interaction expired"),
    _ours(-233, "message type is invalid or unsupported"),
    _at_night(-234, "not sent at night, 22:00 to 06:00"),
    _stopped(-235, "API is not for this type of OA"),
    _ours(-237, "group chat"),
    _ours(-238, "group chat"),
    _stopped(-240, "API is shut down, V3 has replaced it"),
    _ours(-241, "group chat"),
    _stopped(-242, "appsecret_proof is missing or invalid"),
    _closed(-244, "user does not take this type of message from the OA"),
    _stopped(-248, "violates the platform's standards"),
    _ours(-249, "template cannot be sent by user id"),
    _closed(-305, "cannot answer after 48 hours (v2 era)"),
    _closed(-311, "out of reply quota (v2 era)"),
    _stopped(-320, "OA needs a Zalo Cloud Account"),
    _stopped(-321, "the Zalo Cloud Account has no money"),
    _ours(-403, "group chat"),
    _ours(-1340, "ads form"),
    _ours(-1341, "ads form"),
)

# See docs/facts.md#zalo-zbs-errors
ZBS_FAULTS: Final = _by_code(
    _ACCEPTED,
    _again(-100, "unknown error, try again later"),
    _stopped(-101, "app is invalid"),
    _stopped(-102, "app does not exist"),
    _stopped(-103, "app is not activated"),
    _stopped(-104, "app secret is invalid"),
    _stopped(-105, "app is not linked to the OA"),
    _stopped(-106, "method is not supported"),
    _ours(-107, "message id is invalid"),
    _nobody(-108, "phone number is invalid"),
    _stopped(-109, "template id is invalid"),
    _ours(-1091, "template cannot be edited"),
    _closed(-110, "recipient's Zalo is too old"),
    _ours(-111, "template has no data"),
    _ours(-112, "template data is invalid"),
    _ours(-1121, "a template parameter is too long"),
    _ours(-1122, "a template parameter is missing"),
    _ours(-1123, "QR code cannot be made from the parameter"),
    _ours(-1124, "a template parameter has the wrong format"),
    _ours(-113, "a button is invalid"),
    _ours(-1131, "a button has the wrong data"),
    _ours(-1132, "a button's data is too long"),
    _closed(-114, "user is inactive, refuses, or has an old Zalo"),
    _stopped(-115, "out of quota or balance"),
    _ours(-116, "text is invalid"),
    _stopped(-117, "OA or app may not use this template"),
    _nobody(-118, "phone has no Zalo account, or a disabled one"),
    _closed(-119, "account cannot receive"),
    _stopped(-120, "OA has no permission for this function"),
    _ours(-121, "template data is empty"),
    _ours(-122, "body has the wrong format"),
    _stopped(-123, "RSA key cannot decrypt"),
    _token(-124, "access token is invalid"),
    _stopped(-1241, "appsecret_proof is missing or invalid"),
    _stopped(-125, "OA id is invalid"),
    _stopped(-126, "development mode: the wallet has no money"),
    _stopped(-127, "development mode: only for admins"),
    _stopped(-128, "encryption key does not exist"),
    _stopped(-129, "encryption key cannot be made"),
    _ours(-130, "text exceeds the length"),
    _stopped(-131, "template is not approved"),
    _ours(-132, "a parameter is invalid"),
    _at_night(-133, "not sent at night, 22:00 to 06:00"),
    _closed(-134, "user has not answered the opt-in"),
    _stopped(-135, "OA may not send ZBS messages"),
    _stopped(-1351, "OA is blocked from ZBS"),
    _stopped(-136, "no wallet is connected"),
    _stopped(-137, "the wallet refuses the payment"),
    _stopped(-138, "app has no permission for this function"),
    _stopped(-1381, "extension has no permission for this function"),
    _closed(-139, "user refused this type of message"),
    _closed(-140, "user is not eligible by policy"),
    _closed(-141, "user refused messages of this OA"),
    _stopped(-142, "RSA key does not exist"),
    _stopped(-143, "RSA key exists already"),
    _stopped(-144, "OA reached its daily limit"),
    _stopped(-1441, "OA reached its promotion limit"),
    _stopped(-145, "type of content is not allowed"),
    _stopped(-146, "template is disabled for low quality"),
    _stopped(-147, "template reached its daily limit"),
    _ours(-1471, "user got too many promotions"),
    _ours(-1472, "promotion limit"),
    _ours(-148, "journey token is missing"),
    _ours(-149, "journey token is invalid"),
    _ours(-1491, "journey token does not fit"),
    _ours(-150, "journey token expired"),
    _stopped(-151, "template is not for end-to-end encryption"),
    _stopped(-152, "end-to-end encryption key"),
    _ours(-153, "data is invalid"),
    _ours(-158, "file"),
    _ours(-159, "file"),
    _stopped(-160, "upload quota of templates"),
    _ours(-161, "file"),
    _ours(-162, "sending_mode is invalid"),
    _ours(-1201, "template media"),
    _ours(-1202, "template media"),
)

# See docs/facts.md#zalo-oauth-errors: no official list of -14xxx exists.
OAUTH_FAULTS: Final = _by_code(
    _ACCEPTED,
    _stopped(-118, "refresh token rejected (one source, doubtful)"),
    _stopped(-14002, "app id is invalid, or the app is not active"),
    _stopped(-14003, "redirect uri is not the one in the console"),
    _stopped(-14014, "refresh token was used already or expired"),
)

FAULTS: Final[Mapping[Host, Mapping[int, Fault]]] = MappingProxyType(
    {Host.OA: OA_FAULTS, Host.ZBS: ZBS_FAULTS, Host.OAUTH: OAUTH_FAULTS}
)
