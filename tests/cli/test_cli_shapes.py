"""What ``--json`` prints is a contract with scripts: every key and its type, as a golden file."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli

GOLDEN = Path(__file__).parent / "goldens" / "shapes.json"


def shape(value: Any) -> Any:
    """Keys and types instead of values; of a list, its first item. Whether a wait is known depends on the counters."""
    if isinstance(value, dict):
        return {name: "wait" if name == "estimate" else shape(one) for name, one in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def answer(out: str, dept: str) -> Any:
    """What a command printed; of what all tests share, only this test's own and what was there before."""
    document = json.loads(out)
    if "counters" in document:
        document["counters"] = [one for one in document["counters"] if one["counterId"] == dept]
    items = document.get("items", [])
    if items and "branchId" in items[0]:
        document["items"] = [
            one for one in items if one.get("departmentId", dept) == dept and one["branchId"] == "main"
        ]
    return document


def test_the_shapes_of_json_are_those_that_scripts_rely_on(tokenq: Cli, dept: str):
    """A new key may be added to the golden file; an old one is never renamed or removed."""
    tokenq("issue", dept)
    tokenq("counter", "open", dept, "--dept", dept)
    commands = {
        "issue": ("issue", dept, "--email", "ann@example.org", "--name", "Ann"),
        "status": ("status", f"{dept}-001"),
        "next": ("next", dept),
        "queue": ("queue", dept),
        "log": ("log", f"{dept}-001"),
        "call": ("call", dept, "-c", dept),
        "serve": ("serve", f"{dept}-001"),
        "report": ("report", dept),
        "report --by": ("report", dept, "--by", "hour"),
        "simulate": ("simulate", dept, "--counters", "2"),
        "dept show": ("dept", "show", dept),
        "dept list": ("dept", "list"),
        "branch list": ("branch", "list"),
        "user list": ("user", "list"),
        "user roles": ("user", "roles"),
        "key create": ("key", "create", "script"),
        "key list": ("key", "list"),
        "whoami": ("whoami",),
        "audit": ("audit", "--kind", "key.create"),
        "erase": ("erase", "--email", "nobody@example.org", "--yes"),
        "erase --show": ("erase", "--token", f"{dept}-001", "--show"),
        "doctor": ("doctor",),
        "refusal": ("issue", "NOWHERE"),
    }
    found = {name: shape(answer(tokenq(*typed, "--json").out, dept)) for name, typed in commands.items()}
    assert found == json.loads(GOLDEN.read_text("utf-8"))
