"""Read and write floor (configuration) files; errors name the line they are in."""

import re
import sys
import tomllib
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from tokenq import locale
from tokenq.cli.department_settings import read_branch_text, read_department_text
from tokenq.cli.reasons import CommandReason
from tokenq.cli.toml_lines import line_of
from tokenq.cli.wording import hint_of, sentence_of, setting_name
from tokenq.contract.hours import write_hours
from tokenq.contract.problems import Problem, Refused, refuse
from tokenq.contract.reasons.system import FieldReason
from tokenq.contract.spelling import similar
from tokenq.contract.views import BranchView, DepartmentView
from tokenq.errors import BadSettings

_LINE = re.compile(r"at line (\d+)")


class FloorFile:
    """A floor file; ``-`` is standard input."""

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == "-" else name
        self.text = _read(name)
        self._spelt: dict[str, str] = {}
        """The paths of settings that the file spells as people do, by their paths on the wire."""
        self.document = self._parse()

    def located(self, refusal: Refused) -> Refused:
        """Add the line of the file to a server's refusal."""
        path = str(refusal.problem.extra.get("path") or refusal.problem.extra.get("field") or "")
        typed = self._spelt.get(path, path)
        line = line_of(self.text, typed) if path else None
        if line is None:
            return refusal
        problem = refusal.problem
        is_of_field = problem.params.get("field") == path
        sentence = locale.sentence(problem, field=typed) if is_of_field else sentence_of(problem)
        hint = _suggestion(problem, typed) or hint_of(problem)
        reworded = problem.reworded(f"{self.name}, line {line}: {sentence}", hint)
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
            return {name: self._on_the_wire(name, section) for name, section in document.items()}
        except Refused as refusal:
            raise self.located(refusal) from None

    def _on_the_wire(self, section: str, items: Any) -> Any:
        """Return the items of a section with their settings spelt as in the API: ``dailyCap`` for ``daily-cap``."""
        if section not in _KNOWN or not isinstance(items, dict):
            return items
        return {name: self._fields(f"{section}.{name}", item) for name, item in items.items()}

    def _fields(self, path: str, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        spelt: dict[str, Any] = {}
        for name, value in item.items():
            key = _WIRE_NAMES.get(str(name), str(name))
            if key in spelt:
                raise refuse(CommandReason.SPELT_TWICE, {"path": f"{path}.{name}"}, path=f"{path}.{name}")
            spelt[key] = _meaning(path, str(name), key, value)
            self._spelt[f"{path}.{key}"] = f"{path}.{name}"
        return spelt


_KNOWN = {"branches": BranchView.__annotations__, "departments": DepartmentView.__annotations__}
_FIELDS = _KNOWN | {"counters": ("departments",), "users": ("name", "email", "role", "departments", "disabled")}
_WIRE_NAMES: dict[str, str] = {setting_name(key): key for keys in _KNOWN.values() for key in keys}


_READ = {"branches": read_branch_text, "departments": read_department_text}


def _meaning(path: str, name: str, key: str, value: Any) -> Any:
    """Return a value; a text stands for what it means on the command line.

    Raises:
        Refused: it means nothing.
    """
    if not isinstance(value, str):
        return value
    try:
        return _READ[path.partition(".")[0]](key, value)
    except ValueError as error:
        field = f"{path}.{name}"
        raise refuse(FieldReason.WRONG_VALUE, {"field": field}, field=field, fault=str(error)) from None


def _suggestion(problem: Problem, path: str) -> str:
    """Return what an unknown field may have been meant to be; empty if nothing is similar."""
    section, dot, _ = path.partition(".")
    field = path.rpartition(".")[2]
    known = _FIELDS.get(section, ()) if dot else _FIELDS
    like = similar(setting_name(field), map(setting_name, known))
    return f"Did you mean {like}?" if like and problem.reason == FieldReason.UNKNOWN.id else ""


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
        section: {name: _to_toml_fields(section, item) for name, item in items.items()}
        for section, items in document.items()
        if items
    }
    return _HEADER + tomli_w.dumps(sections)


_HEADER = """\
# Branches, departments, counters and users. Passwords are not included.
# 'tokenq diff -f FILE' shows the differences, 'tokenq apply -f FILE' applies them.
# Settings left out have their defaults; items not listed here are not changed.

"""


def _to_toml_fields(section: str, item: dict[str, Any]) -> dict[str, Any]:
    """Drop nulls, which TOML lacks, write hours in their text form, and spell settings as on the command line."""
    fields = {name: value for name, value in item.items() if value is not None}
    if "hours" in fields:
        fields["hours"] = write_hours(fields["hours"])
    return {setting_name(name): value for name, value in fields.items()} if section in _KNOWN else fields


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
    except OSError as error:
        raise BadSettings(
            f"{name} cannot be read: {error.strerror}.", "Give the file with -f, or - for stdin."
        ) from None
    except UnicodeDecodeError:
        raise BadSettings(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from None
