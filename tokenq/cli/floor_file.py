"""Files that describe a floor: read with the line of whatever is wrong in them, and written."""

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
    """One such file; ``-`` is standard input."""

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == "-" else name
        self.text = _read(name)
        self.document = self._parsed()

    def located(self, refusal: Refused) -> Refused:
        """The server's refusal, with the line of the file that it is about."""
        problem = refusal.problem
        path = problem.extra.get("path") or problem.extra.get("field")
        line = line_of(self.text, str(path)) if path else None
        if line is None:
            return refusal
        said = problem.reworded(f"{self.name}, line {line}: {locale.sentence(problem)}", hint_of(problem))
        return Refused(replace(said, extra={**problem.extra, "line": line}))

    def _parsed(self) -> dict[str, Any]:
        try:
            document = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = _LINE.search(str(error))
            line = int(found[1]) if found else self.text.count("\n") + 1
            what = str(error).partition(" (at ")[0]
            raise refuse(CommandReason.NOT_TOML, {"line": line}, file=self.name, line=line, fault=what) from None
        try:
            _check_plain(document, "")
        except Refused as refusal:
            raise self.located(refusal) from None
        return document


def _check_plain(value: Any, path: str) -> None:
    """Refuse what TOML can say and a request cannot: dates, times and numbers that are none."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        _check_plain(one, f"{path}.{name}" if path else str(name))
    if not isinstance(value, dict | list | str | int | float) or (isinstance(value, float) and not isfinite(value)):
        raise refuse(CommandReason.NOT_PLAIN, {"path": path}, path=path, value=str(value))


def written(document: dict[str, Any]) -> str:
    """The file for a document."""
    import tomli_w

    sections = {
        section: {name: _as_written(said) for name, said in things.items()}
        for section, things in document.items()
        if things
    }
    return _ABOUT + tomli_w.dumps(sections)


_ABOUT = """\
# A floor: branches, departments, counters and users. Passwords are not in it.
# 'tokenq diff -f FILE' shows what is different, 'tokenq apply -f FILE' makes it so.
# What a thing here does not say has its default; what is not named here is left alone.

"""


def _as_written(said: dict[str, Any]) -> dict[str, Any]:
    """One thing: TOML has no null, and hours are written as people write them."""
    fields = {name: value for name, value in said.items() if value is not None}
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
