"""Logs: one JSON object a line in production, library lines too; people and orders by internal id only.

Of an exception its type and the places in the code are told, never its words or what the code had in
hand: those are phones, addresses and tokens as often as not.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Final

import structlog

_SHARED: Final[tuple[structlog.typing.Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
#: Libraries that would write what they send and to whom.
_TALKATIVE: Final = ("aiohttp.access", "arq", "asyncio", "aiosmtplib", "httpx", "mail.log", "tortoise")


def configure(*, json: bool, level: str) -> None:
    """Send our lines and every library's to standard error, as JSON or for a person to read."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=(*_SHARED, _unquoted),
            processors=[_placed, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _unquoted(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Leave out what a library says of an exception: it quotes the exception's words."""
    if line.get("exc_info"):
        line["event"] = f"{line['_record'].name}: failed"
    return line


def _placed(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put an exception's types and places where its words would stand."""
    told = line.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        line["exception"] = "\n".join(_places(error))
    return line


def _places(error: BaseException) -> Iterator[str]:
    """Yield the causes first, as Python does."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _places(before)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
    yield type(error).__qualname__
