"""Configuration changes as text for people."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tokenq.cli import output
from tokenq.cli.exits import echo
from tokenq.cli.wording import setting_name
from tokenq.contract import notices
from tokenq.contract.hours import write_hours

_KINDS = {"branches": "branch", "departments": "department", "counters": "counter", "users": "user"}
_SIGNS = {"create": ("+", "32"), "update": ("~", "33"), "delete": ("-", "31")}


def show(changes: Sequence[dict[str, Any]], verdict: str, ends: Mapping[str, Mapping[str, int]] | None = None) -> None:
    """Print one line per change, then their number and ``verdict``; before them the tokens that would expire."""
    if ends:
        echo(f"This would end the business day now, and customers would lose their place: {notices.counted(ends)}.")
    for change in changes:
        sign, colour = _SIGNS[change["action"]]
        text = f"{sign} {_KINDS[change['kind']]} {change['id']}"
        if change["action"] == "update":
            text += f": {setting_name(change['field'])} {_value(change['before'])} -> {_value(change['after'])}"
        elif change.get("after"):
            text += f": {_fields(change['after'])}"
        output.coloured(text, colour)
    count = len(changes)
    output.line(f"{count or 'No'} {'change' if count == 1 else 'changes'}. {verdict}".rstrip())
    sys.stdout.flush()


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        is_hours = "weekly" in value
        return f"'{write_hours(value)}'" if is_hours else _fields(value) or "none"  # type: ignore[arg-type]
    return str(value)


def _fields(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{setting_name(name)} {_value(value)}" for name, value in values.items())
