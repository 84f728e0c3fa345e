"""``tokenq verify``: hold what the stores contain against every rule that must be true."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.options import Departments, Json
from tokenq.cli.progress import Working
from tokenq.contract.problems import ExitCode

_SHOWN_PER_RULE = 20


def command(
    departments: Departments = None,
    at_rest: Annotated[
        bool,
        typer.Option(
            "--at-rest", help="Nothing is in flight: Redis and the topic must have caught up with the log, too."
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Check stored data against all invariants; run it where the server runs.

    It only reads, needs no lock and may run while people are served. Exit code 1: a rule is violated.
    """
    with Working() as working, launch.server("tokenq_server.verify") as verify:
        found = verify.check(departments or [], working.tell, at_rest=at_rest)
    if as_json:
        output.document(found)
    else:
        output.table(("CODE", "RULE", "CHECKED", "WRONG"), map(_row, found["rules"]))
        for line in [*_unchecked(found["rules"]), *_wrong(found), *_left_out(found["rules"])]:
            output.line(line)
    return ExitCode.OK if found["ok"] else ExitCode.FAILED


def _row(rule: dict[str, Any]) -> tuple[object, ...]:
    is_unseen = rule["notChecked"] is not None and not rule["checked"]
    return rule["code"], rule["rule"], None if is_unseen else rule["checked"], None if is_unseen else rule["violations"]


def _unchecked(rules: Iterable[dict[str, Any]]) -> list[str]:
    """One line per reason, with all the codes that it holds for."""
    codes: dict[str, list[str]] = {}
    for rule in rules:
        if rule["notChecked"] is not None:
            codes.setdefault(rule["notChecked"], []).append(rule["code"])
    return [f"{', '.join(names)} not checked, or not whole: {why}." for why, names in codes.items()]


def _left_out(rules: Iterable[dict[str, Any]]) -> list[str]:
    """Said last, so that a table without anything wrong does not pass for a whole one."""
    reasons = {rule["notChecked"]: None for rule in rules if rule["notChecked"] is not None and not rule["checked"]}
    return [f"Not everything was checked: {'; '.join(reasons)}."] if reasons else []


def _wrong(found: dict[str, Any]) -> Iterable[str]:
    shown: Counter[str] = Counter()
    for one in found["violations"]:
        shown[one["code"]] += 1
        if shown[one["code"]] <= _SHOWN_PER_RULE:
            yield " ".join(filter(None, (one["code"], one["departmentId"], one["sentence"])))
    for rule in found["rules"]:
        if (more := rule["violations"] - _SHOWN_PER_RULE) > 0:
            yield f"{rule['code']} … and {more} more; --json shows up to a thousand."
