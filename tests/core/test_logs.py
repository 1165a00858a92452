"""What log lines tell of a failure, and what they never do."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core import logs

_PHONE = "+84909123456"
_ADDRESS = "12 Lê Lợi, Quận 1"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave logging to the other tests as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _refuse(phone: str) -> None:
    """Fail as PostgreSQL's driver does: with the row in its words, and the phone at hand."""
    raise ValueError(f"Failing row contains ({phone}, {_ADDRESS})")


def _fail(phone: str) -> None:
    """Fail because of that."""
    try:
        _refuse(phone)
    except ValueError as error:
        raise LookupError(f"nobody at {phone}") from error


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "for a person"])
@pytest.mark.parametrize("of_ours", [True, False], ids=["our line", "a library's line"])
def test_an_exception_is_told_by_type_and_place(
    capsys: pytest.CaptureFixture[str], *, as_json: bool, of_ours: bool
) -> None:
    """Neither its words, nor a library's line that quotes them, nor the variables at hand show a phone."""
    logs.configure(json=as_json, level="info")
    try:
        _fail(_PHONE)
    except LookupError as error:
        if of_ours:
            structlog.get_logger().exception("request failed")
        else:
            logging.getLogger("arq.worker").exception("job failed: %s", error)  # noqa: TRY401 - as arq does
    line = capsys.readouterr().err
    assert "LookupError" in line
    assert "ValueError" in line, "the cause is told too"
    assert "test_logs.py" in line
    assert "in _fail" in line
    assert _PHONE not in line
    assert "Lê Lợi" not in line


def test_a_librarys_line_without_an_exception_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's warning reads as it was written."""
    logs.configure(json=True, level="info")
    logging.getLogger("arq.worker").warning("job %s expired", "x1")
    assert json.loads(capsys.readouterr().err)["event"] == "job x1 expired"
