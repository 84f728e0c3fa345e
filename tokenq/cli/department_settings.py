"""A department's finer settings: what each is called on the command line, how it is typed and how it shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tokenq.cli.exits import WrongUse
from tokenq.contract.notifications import LetterKind
from tokenq.contract.words import Priority

_NOTHING = ("", "none", "any")


class Setting(NamedTuple):
    """One setting; ``key`` is the API's, ``read`` raises ValueError with the rest of a sentence."""

    key: str
    default: str
    about: str
    read: Callable[[str], Any]
    shown: Callable[[Any], str] = str


def _number(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise ValueError("takes a whole number")


def _words(text: str) -> list[str]:
    return [] if text.lower() in _NOTHING else [word.strip() for word in text.split(",")]


def _letters(text: str) -> list[str]:
    kinds = [str(kind) for kind in LetterKind]
    wanted = kinds if text == "all" else _words(text)
    if not set(wanted) <= set(kinds):
        raise ValueError(f"takes any of {','.join(kinds)}; or all, or none")
    return wanted


def _classes(text: str) -> dict[str, str]:
    pairs = [word.partition(":") for word in _words(text)]
    if not all(colon and name.strip() in list(Priority) for name, colon, _ in pairs):
        raise ValueError("is written as urgent:Emergency,priority:Senior; or none")
    return {name.strip(): label.strip() for name, _, label in pairs}


def _who(text: str) -> str:
    if text not in ("staff", "admin"):
        raise ValueError("takes staff or admin")
    return text


def _unless_zero(words: str) -> Callable[[Any], str]:
    return lambda value: str(value) if value else words


def _listed(nothing: str) -> Callable[[Any], str]:
    return lambda value: ", ".join(value) or nothing


def _labels(value: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {label}" for name, label in value.items()) or "as they are"


SETTINGS: dict[str, Setting] = {
    "number-start": Setting("numberStart", "1", "the first number of a day", _number),
    "daily-cap": Setting("dailyCap", "0", "numbers a day at most; 0: no limit", _number, _unless_zero("no limit")),
    "last-token-minutes": Setting(
        "lastTokenMinutes",
        "0",
        "nobody is let in so many minutes before closing",
        _number,
        _unless_zero("until closing"),
    ),
    "min-calls": Setting("minCalls", "1", "calls before somebody may be marked as not come", _number),
    "max-calls": Setting(
        "maxCalls", "0", "calls of one person at most; 0: no limit", _number, _unless_zero("no limit")
    ),
    "no-show-grace-seconds": Setting(
        "noShowGraceSeconds", "0", "seconds between the last call and 'did not come'", _number
    ),
    "recall-cooldown-seconds": Setting(
        "recallCooldownSeconds", "0", "seconds between two calls of one person", _number
    ),
    "out-of-order-by": Setting("outOfOrderBy", "staff", "who may call somebody who is not next: staff, admin", _who),
    "undo-minutes": Setting(
        "undoMinutes", "5", "minutes in which a move can be taken back; 0: never", _number, _unless_zero("never")
    ),
    "counters": Setting("counters", "any", "the counters that may call here, as 1,2,3", _words, _listed("any")),
    "letters": Setting(
        "letters", "all", f"the letters it sends: {', '.join(LetterKind)}; all, none", _letters, _listed("none")
    ),
    "near-turn": Setting(
        "nearTurn", "0", "a letter when so many are left before; 0: for who asks", _number, _unless_zero("for who asks")
    ),
    "service-minutes": Setting(
        "serviceMinutes", "10", "minutes one person takes, before a day has taught better", _number
    ),
    "service-level-minutes": Setting(
        "serviceLevelMinutes", "15", "the service level: called within so many minutes", _number
    ),
    "service-level-percent": Setting("serviceLevelPercent", "80", "the service level: so many percent of all", _number),
    "class-names": Setting(
        "classNames", "none", "what the classes are called, as urgent:Emergency,normal:Walk-in", _classes, _labels
    ),
}


def read_settings(typed: Sequence[str]) -> dict[str, Any]:
    """The fields of the API for what was typed as ``name=value``.

    Raises:
        WrongUse: there is no such setting, or it does not take such a value.
    """
    fields: dict[str, Any] = {}
    for one in typed:
        name, equals, value = one.partition("=")
        setting = SETTINGS.get(name.strip().lower().replace("_", "-"))
        if setting is None or not equals:
            raise WrongUse(f"'{one}' is no setting.", "'tokenq dept settings' lists them; write them as daily-cap=80.")
        try:
            fields[setting.key] = setting.read(value.strip())
        except ValueError as error:
            raise WrongUse(f"{name} {error}, not '{value}'.", "'tokenq dept settings' tells more.") from None
    return fields


def shown_settings(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each setting's name and what it is."""
    return [(name, setting.shown(view[setting.key])) for name, setting in SETTINGS.items()]
