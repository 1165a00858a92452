"""What only a real account can settle, as a checklist: each question with the fact that waits for it.

`fact` is a row of docs/facts.md that is marked "not confirmed". A question that has been
settled is taken out here, and its row says what was found, and when.
"""

from dataclasses import dataclass
from typing import Final

from core.settings import Settings


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One thing that nobody could tell, and how whoever has the account finds out."""

    part: str
    fact: str
    question: str
    how: str


def questions_for(settings: Settings) -> tuple[OpenQuestion, ...]:
    """Return the questions about what is switched on here."""
    parts = {"zalo"} if settings.zalo_is_on else set()
    if settings.telegram_is_on:
        parts.add("telegram")
    if settings.sms_is_on and settings.sms_gateway:
        parts |= {"sms", settings.sms_gateway}
    return tuple(each for each in OPEN_QUESTIONS if each.part in parts)


OPEN_QUESTIONS: Final = (
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-signature",
        "Is the key that signs webhooks always another one than the app secret?",
        "Compare both in the console; write to the account and look for rejected signatures in /metrics.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-webhook-deadline",
        "Is an event sent again after 401 or 503, and is its `timestamp` stamped anew?",
        "Stop PostgreSQL for a minute, write to the account, compare the two requests at your proxy.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-windows",
        "Does a tap on a button arrive on iOS, Android and PC alike, and does it renew the 48 hours?",
        "Tap on each; tap once 47 hours after the last word, and read what the next card cost.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-cs-limits",
        "In which unit does Zalo count the 2000 characters of a text?",
        "Send a card of 1,900 letters and 100 emoji to yourself: it arrives whole, or with an error.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-consent",
        "Does the console bind the PKCE challenge, so that the verifier must be a setting?",
        "Run `chotdon zalo authorize` without CHOTDON_ZALO_CODE_VERIFIER; a refused exchange says yes.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-refresh-refused",
        "With which code is a refresh token refused that was used before?",
        "Use one twice by hand in a test app, and read the code.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-oauth-errors",
        "Which codes does the consent answer with, and with which HTTP status?",
        "Consent once with a wrong redirect address, once with a code that is ten minutes old.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-headers",
        "Is `appsecret_proof` enforced for this app?",
        "Look for the switch in the app's console; calls work with it on and off.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-zbs-errors",
        "Do -110, -114, -119, -133, -134 and -146 still come?",
        "Search the worker's log and `chotdon message list` for them after a month.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zbs-status",
        "For how long can a ZBS message be asked for?",
        "Ask for the state of one after a day, a week and a month.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zbs-quick-replies",
        "How many response buttons, what of a second tap, and does a template for accepting pass review?",
        "Hand one in with three buttons; tap twice; read the bill.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-request-user-info",
        "Can the person change the phone in the form, and does our card pass?",
        "Follow the account from a phone of your own and try to share another number.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-prices",
        "What does each message cost?",
        "Read the first bill and set CHOTDON_PRICES.",
    ),
    OpenQuestion(
        "zalo",
        "docs/facts.md#zalo-account-link",
        "Can a text or a code go along with zalo.me/OA_ID, so that nobody has to type it?",
        "Open the address of an invitation on iOS, Android and PC, with `?text=` and `?ref=` behind it.",
    ),
    OpenQuestion(
        "telegram",
        "docs/facts.md#telegram-edit-within",
        "Can the bot's own messages be changed when they are older than 48 hours?",
        "Confirm an order three days after its card came; the card changes, or a short message follows it.",
    ),
    OpenQuestion(
        "telegram",
        "docs/facts.md#telegram-query-life",
        "For how long does a tap wait for its answer?",
        "Stop PostgreSQL for 20 s, tap meanwhile, and see whether the answer still shows.",
    ),
    OpenQuestion(
        "sms",
        "docs/facts.md#sms-short-code",
        "What does a number or a keyword cost that people can answer to, and can XN itself be owned?",
        "Ask the gateway; set CHOTDON_SMS_REPLY_NUMBER and CHOTDON_SMS_REPLY_PREFIX as rented.",
    ),
    OpenQuestion(
        "sms",
        "docs/facts.md#sms-law",
        "Which rules bind notices of orders today?",
        "Ask counsel whether Decree 91/2020 was replaced, and what the data-protection law asks for.",
    ),
    OpenQuestion(
        "esms",
        "docs/facts.md#esms-inbound",
        "How long does eSMS wait for the answer in its reply, is an empty Message silence, is it sent again?",
        "Text `TG` to the short code, once with the service running, once with it stopped.",
    ),
    OpenQuestion(
        "esms",
        "docs/facts.md#esms-signature",
        "Is it `receiverTime` or `receiveTime`, and signed before or after URL decoding?",
        "Ask eSMS for a test call, or text `XN 12345` with accents and look for rejected signatures.",
    ),
    OpenQuestion(
        "speedsms",
        "docs/facts.md#speedsms-account",
        "What does the account's page answer to a bad token?",
        "Run `chotdon doctor` once with a wrong CHOTDON_SPEEDSMS_TOKEN.",
    ),
    OpenQuestion(
        "speedsms",
        "docs/facts.md#speedsms-status",
        "In which shape is the state of a message answered?",
        "Ask for one with curl, as written in bot/sms/speedsms.py.",
    ),
    OpenQuestion(
        "speedsms",
        "docs/facts.md#speedsms-reports",
        "Is the type of what people write `sms` or `incoming`, and is anything signed?",
        "Text the number and look at the request at your proxy.",
    ),
    OpenQuestion(
        "twilio",
        "docs/facts.md#twilio-inbound",
        "Can a phone in Vietnam answer to our number?",
        "Text it from Viettel, Vinaphone and Mobifone.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-data-coding",
        "Is the default alphabet GSM 03.38 with one septet in each octet, or is F1 or ASCII wanted?",
        "Read the contract; send `@_$` to a phone of your own.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-source",
        "Which type of number and numbering plan does our sender have, and may it differ from the account's?",
        "Read the contract; a refusal as ESME_RINVSRCADR says no.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-rate",
        "How many messages a second, and how many binds of one account at a time?",
        "Read the contract; ESME_RTHROTTLED and ESME_RALYBND tell of its limits.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-window",
        "How many messages may wait for an answer?",
        "Read the contract.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-message-id",
        "In which number system are message ids in the answer and in the receipt?",
        "Send one and compare; `chotdon message list` shows the receipt if they meet.",
    ),
    OpenQuestion(
        "smpp",
        "docs/facts.md#smpp-status",
        "Which statuses of its own does the operator use, and is ESME_RX_T_APPN sent again, for how long?",
        "Ask for the list; stop PostgreSQL for a minute and text the number.",
    ),
)
