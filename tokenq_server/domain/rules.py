"""A department's detailed settings, stored as one document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from tokenq.contract.enums import Admission, DayEnd, Priority, Role, SelfService
from tokenq.contract.notifications import LetterKind
from tokenq_server.domain.hours import Hours, hours_document, hours_from


@dataclass(frozen=True)
class Rules:
    """A department's rules. 0 means "no limit" or "off"; names are the document's, in snake case.

    ``hours`` of ``None`` means the branch's; empty ``counters`` means any. ``service_minutes`` is the expected service
    time, call to end, until today's services refine it; a call or service of ``forgotten_minutes`` was presumably
    forgotten. ``admission`` is an ``Admission``, ``self_service`` a ``SelfService``, ``day_end`` a ``DayEnd``.
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
    forgotten_minutes: int = 120
    longest_wait_minutes: int = 0
    service_level_minutes: int = 15
    service_level_percent: int = 80
    counters: tuple[str, ...] = ()
    out_of_order_by: str = Role.STAFF
    day_end: str = DayEnd.EXPIRE
    last_token_minutes: int = 0
    admission: str = Admission.HOURS
    self_service: str = SelfService.OFF
    class_names: Mapping[Priority, str] = field(default_factory=dict)
    hours: Hours | None = None

    @property
    def undo_window(self) -> timedelta:
        """How long a move can be undone."""
        return timedelta(minutes=self.undo_minutes)

    @property
    def keeps_waiting(self) -> bool:
        """Whether tokens that wait at the end of the day keep their places."""
        return self.day_end == DayEnd.KEEP

    def class_name(self, priority: Priority) -> str:
        """The department's name for a class."""
        return self.class_names.get(priority, str(priority))


def rules_from(document: Mapping[str, Any]) -> Rules:
    """Parse a rules document; missing settings get their defaults."""
    values = {_snake(name): value for name, value in document.items()}
    values_by_name = {rule.name: values[rule.name] for rule in fields(Rules) if rule.name in values}
    if "letters" in values_by_name:
        values_by_name["letters"] = tuple(LetterKind(kind) for kind in values_by_name["letters"])
    if "counters" in values_by_name:
        values_by_name["counters"] = tuple(values_by_name["counters"])
    if "class_names" in values_by_name:
        values_by_name["class_names"] = {Priority(name): label for name, label in values_by_name["class_names"].items()}
    if values_by_name.get("hours") is not None:
        values_by_name["hours"] = hours_from(values_by_name["hours"])
    return Rules(**values_by_name)


def rules_document(rules: Rules) -> dict[str, Any]:
    """Return the complete rules document."""
    document = {to_camel(rule.name): getattr(rules, rule.name) for rule in fields(Rules)}
    return document | {
        "letters": [str(kind) for kind in rules.letters],
        "counters": list(rules.counters),
        "classNames": {str(name): label for name, label in rules.class_names.items()},
        "hours": hours_document(rules.hours) if rules.hours else None,
    }


def to_camel(name: str) -> str:
    """A setting's name in the API's spelling."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
