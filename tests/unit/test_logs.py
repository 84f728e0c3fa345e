"""Log lines: text from outside forges none, whichever way they are written."""

import json
import logging
import sys

import pytest

from tokenq_server import logs

HOSTILE = 'x\n{"level": "error"}\r\n2026-01-01 ERROR admin \x1b[2J\u202e\u2028\x85end'


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "tokenq_server.audit", "msg": message, "levelno": 20, "levelname": "INFO"})
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize("formatter", [logs.JsonLines(), logs.TextLines()], ids=["json", "text"])
def test_hostile_text_stays_on_its_line_and_moves_no_cursor(formatter: logging.Formatter) -> None:
    """Row 54."""
    line = formatter.format(record(HOSTILE, object=HOSTILE, detail=["a", HOSTILE]))
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert line.isprintable()


def test_a_line_of_json_can_be_read_back() -> None:
    line = json.loads(logs.JsonLines().format(record(HOSTILE, object=HOSTILE)))
    assert (line["message"], line["object"], line["level"]) == (HOSTILE, HOSTILE, "info")


def test_a_traceback_in_text_is_indented() -> None:
    """So that a message of an exception does not look like a line of the log."""
    try:
        raise ValueError("x\n2026-01-01 error tokenq_server forged")
    except ValueError:
        failed = record("it failed", exc_info=sys.exc_info())
    first, *rest = logs.TextLines().format(failed).split("\n")
    assert first.endswith("it failed")
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("formatter", [logs.JsonLines(), logs.TextLines()], ids=["json", "text"])
def test_the_request_s_id_is_in_each_line(formatter: logging.Formatter) -> None:
    before = logs.request_id.set("0123456789abcdef")
    try:
        assert "0123456789abcdef" in formatter.format(record("hello"))
    finally:
        logs.request_id.reset(before)
    assert "requestId" not in formatter.format(record("hello"))
