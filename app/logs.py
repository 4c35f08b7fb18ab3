"""What is written to the log, and what never is.

A line holds the fields of a list and no other, so that nobody's name, address or token comes into it by
somebody's good intentions. Of an exception it tells where it was raised and of what type it is; its message
only where messages speak of code and not of data, and without what stands in quotes there. What libraries log
is told without the values that they put into it.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog
from structlog.contextvars import merge_contextvars

FIELDS: Final = frozenset(
    {
        "attempts", "bytes", "document", "endpoint", "error", "event", "exception", "id", "level", "logger",
        "message", "number", "pages", "path", "pid", "problem", "reason", "reference", "request", "route",
        "seconds", "sha256", "step", "subscription", "timestamp", "type", "why",
    }
)  # fmt: skip
"""The fields that a line may have. None of them is of a person: ids are of things, a path is one of fields of
the schema, a route one of the program's addresses.
"""

OF_CODE: Final = (
    ArithmeticError, AssertionError, AttributeError, ImportError, MemoryError, NameError, NotImplementedError,
    OSError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""Exceptions whose messages speak of code. That of a KeyError is the key, that of others anything."""

QUOTED: Final = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\([^()\n]*\)=\([^()\n]*\)")
SECRET: Final = re.compile(r"\b(?:sp[a-z]_|whsec_)[A-Za-z0-9_=+/-]+|[^\s<>@]+@[^\s<>@]+\.\w+")
TEXT_MAX: Final = 500
HOME: Final = str(Path(__file__).resolve().parents[1])

EventDict = MutableMapping[str, Any]


def configure(*, as_json: bool) -> None:
    """Log to standard error: as lines of JSON, from `info` on; or as lines for people, and only what they
    should look at. What libraries log goes the same way, from `warning` on.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("info" if as_json else "warning"),
        processors=[
            merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            tell_exception,
            keep_to_the_list,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    root = logging.getLogger()
    root.handlers = [Libraries()]
    root.setLevel(logging.WARNING)


class Libraries(logging.Handler):
    """Passes on what libraries log: the sentence that stands in their code, without its values."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        log = structlog.get_logger()
        told = log.error if record.levelno >= logging.ERROR else log.warning
        told(str(record.msg), logger=record.name, exc_info=record.exc_info)


def keep_to_the_list(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Leave out every field that is not on the list, and what looks like a secret or an address in others."""
    return {
        name: value if name == "exception" else _plain(value)
        for name, value in event.items()
        if name in FIELDS
    }


def tell_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Tell of an exception where it was raised, and of those that led to it."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_lines(error))
    return event


def _lines(error: BaseException) -> Iterator[str]:
    """As Python prints it: causes first; of a group its members last."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _lines(before)
        yield ""
    yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename.removeprefix(HOME)}", line {frame.lineno}, in {frame.name}'
    yield _named(error)
    for member in getattr(error, "exceptions", ()):
        yield from _lines(member)


def _named(error: BaseException) -> str:
    """The type of an exception, and what may be told of its message; of one of the database its code."""
    name = type(error).__name__
    code = getattr(getattr(error, "orig", None), "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    statement = getattr(error, "statement", None)
    if statement is not None:
        return f"{name}: {code or 'no code'} in {statement}"[:TEXT_MAX]
    if type(error) in OF_CODE or isinstance(error, OSError):
        return f"{name}: {_plain(str(error))}"
    return f"{name} ({code})" if code else name


def _plain(value: Any) -> Any:
    """A value without what may be somebody's."""
    if isinstance(value, int | float | None):
        return value
    return SECRET.sub("…", QUOTED.sub("'…'", str(value)))[:TEXT_MAX]
