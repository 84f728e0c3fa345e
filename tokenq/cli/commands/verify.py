"""``tokenq verify``: check stored data against all invariants."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.options import Departments, Json
from tokenq.cli.progress import StatusLine
from tokenq.contract.problems import ExitCode

_SHOWN_PER_RULE = 20


def command(
    departments: Departments = None,
    at_rest: Annotated[
        bool,
        typer.Option(
            "--at-rest", help="The system is idle: also require Redis and the topic to have caught up with the log."
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Check stored data against all invariants. Run it on the server's machine.

    It is read-only, takes no locks and may run during operation. Exit code 1: an invariant is violated.
    """
    with StatusLine() as working, launch.server("tokenq_server.verify") as verify:
        report = verify.check(departments or [], working.show, at_rest=at_rest)
    if as_json:
        output.document(report)
    else:
        output.table(("CODE", "RULE", "CHECKED", "WRONG"), map(_row, report["rules"]))
        for line in [*_unchecked(report["rules"]), *_violations(report), *_incomplete(report["rules"])]:
            output.line(line)
    return ExitCode.OK if report["ok"] else ExitCode.FAILED


def _row(rule: dict[str, Any]) -> tuple[object, ...]:
    if rule["notChecked"] is not None and not rule["checked"]:
        return rule["code"], rule["rule"], None, None
    return rule["code"], rule["rule"], rule["checked"], rule["violations"]


def _unchecked(rules: Iterable[dict[str, Any]]) -> list[str]:
    """One line per reason, with all codes it applies to."""
    codes: dict[str, list[str]] = {}
    for rule in rules:
        if rule["notChecked"] is not None:
            codes.setdefault(rule["notChecked"], []).append(rule["code"])
    return [f"{', '.join(names)} not checked, or not completely: {why}." for why, names in codes.items()]


def _incomplete(rules: Iterable[dict[str, Any]]) -> list[str]:
    """A last line, so that a table without violations is not mistaken for a complete check."""
    reasons = {rule["notChecked"]: None for rule in rules if rule["notChecked"] is not None and not rule["checked"]}
    return [f"Not everything was checked: {'; '.join(reasons)}."] if reasons else []


def _violations(report: dict[str, Any]) -> Iterable[str]:
    shown: Counter[str] = Counter()
    for violation in report["violations"]:
        shown[violation["code"]] += 1
        if shown[violation["code"]] <= _SHOWN_PER_RULE:
            yield " ".join(filter(None, (violation["code"], violation["departmentId"], violation["sentence"])))
    for rule in report["rules"]:
        if (more := rule["violations"] - _SHOWN_PER_RULE) > 0:
            yield f"{rule['code']} … and {more} more; --json shows up to a thousand."
