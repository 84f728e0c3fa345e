"""What an admin can settle about a department beyond its name and order; kept as one document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from tokenq.contract.enums import Priority
from tokenq.contract.notifications import LetterKind
from tokenq_server.domain.hours import Hours, hours_document, hours_from


@dataclass(frozen=True)
class Rules:
    """A department's rules. 0 stands for "no limit" or "off"; each name is the document's in Python's spelling.

    ``hours`` ``None`` means the branch's; ``counters`` empty means any. ``service_minutes`` is what one person takes
    from call to end before today has taught better.
    """

    number_start: int = 1
    daily_cap: int = 0
    min_calls: int = 1
    no_show_grace_seconds: int = 0
    recall_cooldown_seconds: int = 0
    max_calls: int = 0
    undo_minutes: int = 5
    near_turn: int = 0
    letters: tuple[LetterKind, ...] = tuple(LetterKind)
    service_minutes: int = 10
    service_level_minutes: int = 15
    service_level_percent: int = 80
    counters: tuple[str, ...] = ()
    out_of_order_by: str = "staff"
    last_token_minutes: int = 0
    class_names: Mapping[Priority, str] = field(default_factory=dict)
    hours: Hours | None = None

    @property
    def undo_window(self) -> timedelta:
        """How long a move can be taken back."""
        return timedelta(minutes=self.undo_minutes)

    def class_name(self, priority: Priority) -> str:
        """What this department calls a class."""
        return self.class_names.get(priority, str(priority))


def rules_from(document: Mapping[str, Any]) -> Rules:
    """Rules from their document; what is missing has its default."""
    values = {_snake(name): value for name, value in document.items()}
    known = {one.name: values[one.name] for one in fields(Rules) if one.name in values}
    if "letters" in known:
        known["letters"] = tuple(LetterKind(kind) for kind in known["letters"])
    if "counters" in known:
        known["counters"] = tuple(known["counters"])
    if "class_names" in known:
        known["class_names"] = {Priority(name): label for name, label in known["class_names"].items()}
    if known.get("hours") is not None:
        known["hours"] = hours_from(known["hours"])
    return Rules(**known)


def rules_document(rules: Rules) -> dict[str, Any]:
    """The document of rules, whole."""
    document = {to_camel(one.name): getattr(rules, one.name) for one in fields(Rules)}
    return document | {
        "letters": [str(kind) for kind in rules.letters],
        "counters": list(rules.counters),
        "classNames": {str(name): label for name, label in rules.class_names.items()},
        "hours": hours_document(rules.hours) if rules.hours else None,
    }


def to_camel(name: str) -> str:
    """A setting's name as the API spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
