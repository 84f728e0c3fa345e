"""A department's settings on the command line: names, parsing and display."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tokenq.cli.exits import WrongUse
from tokenq.cli.output import Columns
from tokenq.cli.wording import setting_name
from tokenq.contract.enums import Priority
from tokenq.contract.hours import ALWAYS
from tokenq.contract.names import LANGUAGE
from tokenq.contract.notifications import LetterKind
from tokenq.contract.numbers import whole_number
from tokenq.contract.settings import SETTINGS
from tokenq.contract.spelling import similar

_NOTHING = ("", "none", "any")


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise ValueError("takes a whole number")
    return number


def _read_list(text: str) -> list[str]:
    return [] if text.lower() in _NOTHING else [word.strip() for word in text.split(",")]


def _letters(text: str) -> list[str]:
    kinds = [str(kind) for kind in LetterKind]
    chosen = kinds if text.lower() == "all" else _read_list(text)
    if not set(chosen) <= set(kinds):
        raise ValueError(f"takes any of {','.join(kinds)}; or all, or none")
    return chosen


def _classes(text: str) -> dict[str, str]:
    pairs = [word.partition(":") for word in _read_list(text)]
    if not all(colon and name.strip() in list(Priority) for name, colon, _ in pairs):
        raise ValueError("is written as urgent:Emergency,priority:Senior; or none")
    return {name.strip(): label.strip() for name, _, label in pairs}


def _choice(key: str, text: str) -> str:
    choices = SETTINGS[key].choices
    if text.lower() not in choices:
        raise ValueError(f"takes {', '.join(choices[:-1])} or {choices[-1]}")
    return text.lower()


def _joined_or(nothing: str) -> Callable[[Any], str]:
    return lambda value: ", ".join(value) or nothing


def labels(value: Mapping[str, str]) -> str:
    """Return what a mapping of names to labels says, or that it has none."""
    return ", ".join(f"{name}: {label}" for name, label in value.items()) or "default"


_READ: dict[str, Callable[[str], Any]] = {
    "counters": _read_list,
    "letters": _letters,
    "classNames": _classes,
}
"""Parsers of settings that are neither numbers nor choices; they raise ValueError with the rest of a sentence."""
_SHOWN: dict[str, Callable[[Any], str]] = {
    "counters": _joined_or("any"),
    "letters": _joined_or("none"),
    "classNames": labels,
}

NAMES = {setting_name(key): key for key in SETTINGS}
"""Each setting's name on the command line, and on the wire."""

OPTIONS: Mapping[str, str] = {
    "name": "--name",
    "branchId": "--branch",
    "prefix": "--prefix",
    "numberFormat": "--number-format",
    "ratio": "--ratio",
    "maxWaitMinutes": "--max-wait",
    "hours": "--hours",
    "open": "'tokenq dept open' or 'tokenq dept close'",
}
"""What else a department has, on the wire, and what sets it."""
_OPTION_OF = {
    **{setting_name(key): option for key, option in OPTIONS.items()},
    **{option.removeprefix("--"): option for option in OPTIONS.values()},
}

ALWAYS_OPEN = ("always", "none")
BRANCH_HOURS = "branch"
"""Words for hours."""


def read_setting(key: str, text: str) -> Any:
    """Parse a setting's value. Raises ValueError with the rest of a sentence."""
    return _choice(key, text) if SETTINGS[key].choices else _READ.get(key, _number)(text)


def read_department_text(key: str, text: str) -> Any:
    """Return what a field of a department means that a file gives as text, as the command line understands it.

    Numbers are no texts in a file, and stay as they are for the server to refuse. Raises ValueError with the rest of a
    sentence.
    """
    if key == "hours" and text.strip().lower() in (BRANCH_HOURS, *ALWAYS_OPEN):
        return None if text.strip().lower() == BRANCH_HOURS else ALWAYS
    is_text = key in SETTINGS and not SETTINGS[key].is_number
    return read_setting(key, text.strip()) if is_text else text


def read_branch_text(key: str, text: str) -> Any:
    """The same for a field of a branch."""
    match key:
        case "hours":
            return None if text.strip().lower() in ALWAYS_OPEN else text
        case "languages":
            return _read_list(text)
        case "counterWords":
            return _counter_words(text)
        case "publicUrl":
            return "" if text.strip().lower() in _NOTHING else text.strip()
        case _:
            return text


def _counter_words(text: str) -> dict[str, str]:
    pairs = [word.partition(":") for word in _read_list(text)]
    if not all(colon and re.match(LANGUAGE, tag.strip()) for tag, colon, _ in pairs):
        raise ValueError("is written as de:Schalter,en:Desk; or none")
    return {tag.strip(): word.strip() for tag, _, word in pairs}


def read_settings(typed: Sequence[str]) -> dict[str, Any]:
    """Convert ``name=value`` arguments to fields of the API.

    Raises:
        WrongUse: there is no such setting, or the value is invalid.
    """
    fields: dict[str, Any] = {}
    for argument in typed:
        name, equals, value = argument.partition("=")
        typed = name.strip().lower().replace("_", "-")
        key = NAMES.get(typed)
        if key is not None and not equals:
            raise WrongUse(f"{typed} needs a value.", f"Write {typed}={SETTINGS[key].default}, for example.")
        if key is None:
            raise WrongUse(f"'{argument}' is not a setting.", _what_else(typed))
        try:
            fields[key] = read_setting(key, value.strip())
        except ValueError as error:
            raise WrongUse(f"{name} {error}, not '{value}'.", "See 'tokenq dept settings'.") from None
    return fields


def _what_else(name: str) -> str:
    """Return what may have been meant by something that is not a setting."""
    if name in _OPTION_OF:
        return f"Use {_OPTION_OF[name]}."
    like = similar(name, NAMES)
    return f"Did you mean {like}?" if like else "See 'tokenq dept settings', and write daily-cap=80."


def _shown(key: str, value: Any) -> str:
    if not value and SETTINGS[key].zero:
        return SETTINGS[key].zero
    return _SHOWN.get(key, str)(value)


def _column(key: str) -> Callable[[Any], object]:
    """How a setting is shown; a server of another release may not know it."""
    return lambda view: _shown(key, view[key]) if key in view else None


SHOWN_SETTINGS: Columns = {name: _column(key) for name, key in NAMES.items()}
"""How each setting is displayed, by its name on the command line."""
