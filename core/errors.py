"""Errors, by who must act."""


class ChotDonError(Exception):
    """The root of every error of ours."""


class RuleError(ChotDonError):
    """A person asked for something the rules do not allow; never tried again.

    `code` names the rule for texts and problem documents; `facts` fills their blanks.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class NotAllowed(RuleError):
    """The actor may not give this command at all."""


class NotFound(RuleError):
    """There is no such thing, or it is not theirs to see."""


class Conflict(RuleError):
    """The thing exists already, with other content."""


class NoFreeCode(ChotDonError):
    """A partner has all of its 10,000 order codes in use."""


class Untrusted(ChotDonError):
    """An inbound request is not from whom it says; answered 401 and counted under `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Malformed(ChotDonError):
    """An inbound request is from whom it says but cannot be read; counted under `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(ChotDonError):
    """The database is away or too slow; the caller tries again. Whether it was done is not known."""


class Misconfigured(ChotDonError):
    """Settings do not allow a start; carries every fault found, not just the first."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
