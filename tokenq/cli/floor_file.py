"""Read and write floor (configuration) files; errors name the line they are in."""

import re
import sys
import tomllib
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from tokenq import locale
from tokenq.cli.reasons import CommandReason
from tokenq.cli.toml_lines import line_of
from tokenq.cli.wording import hint_of
from tokenq.contract.hours import write_hours
from tokenq.contract.problems import Refused, refuse
from tokenq.errors import BadSettings

_LINE = re.compile(r"at line (\d+)")


class FloorFile:
    """A floor file; ``-`` is standard input."""

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == "-" else name
        self.text = _read(name)
        self.document = self._parse()

    def located(self, refusal: Refused) -> Refused:
        """Add the line of the file to a server's refusal."""
        problem = refusal.problem
        path = problem.extra.get("path") or problem.extra.get("field")
        line = line_of(self.text, str(path)) if path else None
        if line is None:
            return refusal
        reworded = problem.reworded(f"{self.name}, line {line}: {locale.sentence(problem)}", hint_of(problem))
        return Refused(replace(reworded, extra={**problem.extra, "line": line}))

    def _parse(self) -> dict[str, Any]:
        try:
            document = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            match = _LINE.search(str(error))
            line = int(match[1]) if match else self.text.count("\n") + 1
            fault = str(error).partition(" (at ")[0]
            raise refuse(CommandReason.NOT_TOML, {"line": line}, file=self.name, line=line, fault=fault) from None
        try:
            _check_plain(document, "")
        except Refused as refusal:
            raise self.located(refusal) from None
        return document


def _check_plain(value: Any, path: str) -> None:
    """Refuse TOML values that JSON lacks: dates, times, infinity and NaN."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        _check_plain(item, f"{path}.{name}" if path else str(name))
    if not isinstance(value, dict | list | str | int | float) or (isinstance(value, float) and not isfinite(value)):
        raise refuse(CommandReason.NOT_PLAIN, {"path": path}, path=path, value=str(value))


def to_toml(document: dict[str, Any]) -> str:
    """Return a document as the text of a floor file."""
    import tomli_w

    sections = {
        section: {name: _to_toml_fields(item) for name, item in items.items()}
        for section, items in document.items()
        if items
    }
    return _HEADER + tomli_w.dumps(sections)


_HEADER = """\
# Branches, departments, counters and users. Passwords are not included.
# 'tokenq diff -f FILE' shows the differences, 'tokenq apply -f FILE' applies them.
# Settings left out have their defaults; items not listed here are not changed.

"""


def _to_toml_fields(item: dict[str, Any]) -> dict[str, Any]:
    """Drop nulls, which TOML lacks, and write hours in their text form."""
    fields = {name: value for name, value in item.items() if value is not None}
    if "hours" in fields:
        fields["hours"] = write_hours(fields["hours"])
    return fields


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
    except OSError as error:
        raise BadSettings(
            f"{name} cannot be read: {error.strerror}.", "Give the file with -f, or - for stdin."
        ) from None
    except UnicodeDecodeError:
        raise BadSettings(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from None
