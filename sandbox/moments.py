"""Where the fakes read the time: product time, so that windows and tokens age with the product's clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def real_time() -> datetime:
    """Return the machine's time, aware and in UTC."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> str:
    """Return epoch milliseconds as Zalo writes them: a string of 13 digits."""
    return str(round(moment.timestamp() * 1000))
