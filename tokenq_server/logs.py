"""Logging to stderr, one line per record: text from outside can neither forge a line nor move a terminal's cursor."""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being handled; every line logged meanwhile carries it."""

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


_VALUES = re.compile(
    r"^([ |]*)(?:DETAIL|CONTEXT|QUERY|LINE \d+):.*?"
    r"(?=^[ |]*(?:The above exception|During handling of|Traceback \(most)|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""What the database adds to an error: rows, documents and statements, which name people."""


class _WithoutValues(logging.Formatter):
    """Leaves out of tracebacks what the database says of a row: it would outlive the erasure of a person."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        """Return the traceback."""
        return _VALUES.sub(r"\1(values are left out)\n", super().formatException(ei)).rstrip("\n")


class JsonLines(_WithoutValues):
    """Formats a record as one line of JSON; ``extra`` fields become keys of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, ASCII only."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_particulars(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(_WithoutValues):
    """Formats a record as a line for people, ``extra`` fields as ``name="value"``; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, ASCII only."""
        known = ((name, value) for name, value in _particulars(record).items() if value is not None)
        pairs = [f"{name}={json.dumps(value, default=str)}" for name, value in known]
        said = _escaped(record.getMessage())
        line = " ".join([_time(record), record.levelname.lower(), record.name, said, *pairs])
        if record.exc_info:
            line += "".join(f"\n    {_escaped(each)}" for each in self.formatException(record.exc_info).splitlines())
        return line


_FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": TextLines}


def for_people(level: int = logging.WARNING) -> None:
    """Log only warnings and errors, as plain sentences, for a command that a person runs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "tokenq: " + "".join(sign if sign.isprintable() else "?" for sign in record.getMessage())


def to_stderr(level: int = logging.INFO, line_format: str = "json") -> None:
    """Log to stderr, as ``json`` or as ``text``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[line_format]())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _particulars(record: logging.LogRecord) -> dict[str, Any]:
    """The ``extra`` fields, and the id of the request."""
    extra = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    current = request_id.get()
    return {"requestId": current, **extra} if current else extra


def _escaped(text: str) -> str:
    """Return text as printable ASCII on one line."""
    return text.encode("unicode_escape").decode("ascii")
