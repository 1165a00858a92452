"""The vendor's error codes. Every refusal of its API travels with HTTP 200.

docs/facts.md#zalo-errors (docs.zaloplatforms.com, error pages of the Official Account and of ZBS).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MESSAGES: Final[Mapping[int, str]] = MappingProxyType(
    {
        -32: "Your application reach limit call api",
        -100: "Unknown error, please try again later",
        -108: "Phone number is invalid",
        -109: "Template ID is invalid",
        -114: "User can not receive this message",
        -115: "Out of quota",
        -117: "OA does not have permission to use this template",
        -118: "Zalo account not existed",
        -119: "Account can not receive this message",
        -121: "Body data is invalid",
        -124: "Access token invalid",
        -127: "Template test only for admin",
        -131: "Template was not approved",
        -132: "Parameter is invalid",
        -139: "User refused to receive this type of message",
        -144: "OA has exceeded its daily quota",
        -162: "Sending mode is invalid",
        -200: "Send message failed",
        -201: "Param is invalid!",
        -204: "OA has been disabled",
        -209: "Not supported this api",
        -210: "Parameter exceeds allowable limit",
        -211: "Out of quota",
        -213: "User has not followed OA",
        -216: "Access token is invalid",
        -218: "Out of quota receive",
        -220: "access_token is expired or removed",
        -221: "OA needs to be verified",
        -224: "OA needs a higher package",
        -227: "User is banned or has been inactive for more than 45 days",
        -230: "User has not interacted with the OA in the past 7 days",
        -232: "User has not interacted with the OA, or the interaction has expired",
        -233: "Message type is invalid or not supported",
        -240: "API MessageV2 was shut down, please use V3",
        -242: "appsecret_proof is invalid",
        -244: "User has restricted this type of message from your OA",
        -248: "Violates platform standards",
        -249: "Template does not support sending via UID",
        -1121: "Template data is too long",
        -1122: "Template data is missing a parameter",
        -1124: "Template data has a wrong format",
        -1241: "appsecret_proof is invalid",
    }
)


class Refused(Exception):
    """The vendor would answer this call with an error code."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message or MESSAGES.get(code, "Unknown error")
        super().__init__(f"{code} {self.message}")


def invalid(field: str) -> Refused:
    """Return the refusal of a field that is missing or malformed."""
    return Refused(-201, f"{field} is invalid!")
