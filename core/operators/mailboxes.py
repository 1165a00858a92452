"""Who is an operator: whoever's mailbox the settings name, in one spelling. Pure."""

from collections.abc import Iterable

from core.channels import AddressKind
from core.errors import RuleError
from core.partners import addresses


def operator_at(typed: str, mailboxes: Iterable[str]) -> str | None:
    """Return the operator's mailbox in the spelling that it is kept in, None for what is nobody's.

    Small and capital letters are the same: whoever was let in by one would be locked out by the other.
    """
    wanted = _spelled(typed)
    return wanted if wanted and wanted in map(_spelled, mailboxes) else None


def called(mailbox: str) -> str:
    """Return what kitchens and platforms are told of who acted: the part before the @."""
    return mailbox.partition("@")[0]


def _spelled(text: str) -> str:
    try:
        return addresses.normalised(AddressKind.EMAIL, text.strip()).value.lower()
    except RuleError:
        return ""
