"""Departments and the heads of their logs: their columns, and the conversion of rows."""

import json
from functools import lru_cache
from typing import Any

from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.hours import Hours, hours_from
from tokenq_server.domain.policy import RANK, Policy, Ratio, Turn
from tokenq_server.domain.rules import Rules, rules_from

DEPARTMENT = """
d.department_id, d.name, d.branch_id, d.is_open, d.prefix, d.number_format,
d.ratio_priority, d.ratio_normal, make_interval(mins => d.max_wait_minutes) AS max_wait,
d.rules::text AS rules, b.timezone, b.rollover_hour, b.hours::text AS branch_hours
"""
"""The columns that ``department_from`` reads; ``d`` is the department and ``b`` its branch."""

HEAD_COLUMNS = (
    "day",
    "last_no",
    "last_seq",
    "turn_priority",
    "turn_normal",
    *(f"waiting_{priority}" for priority in RANK),
    "skipped",
)
"""The columns of ``dept_state`` that a batch reads and writes."""


def department_from(row: Row) -> Department:
    """Return the department in a row with the columns ``DEPARTMENT``."""
    ratio = Ratio(row["ratio_priority"], row["ratio_normal"])
    return Department(
        department_id=row["department_id"],
        name=row["name"],
        branch_id=row["branch_id"],
        timezone=row["timezone"],
        rollover_hour=row["rollover_hour"],
        is_open=row["is_open"],
        prefix=row["prefix"],
        number_format=row["number_format"],
        policy=Policy(ratio, row["max_wait"]),
        rules=rules_of(row["rules"]),
        branch_hours=_hours(row["branch_hours"]) if row["branch_hours"] else None,
    )


def head_from(row: Row) -> DepartmentHead:
    """Return the head of the log in a row with the columns ``HEAD_COLUMNS``."""
    return DepartmentHead(
        day=row["day"],
        last_no=row["last_no"],
        last_seq=row["last_seq"],
        turn=Turn(row["turn_priority"], row["turn_normal"]),
        waiting={name: row[f"waiting_{name}"] for name in RANK},
        skipped=row["skipped"],
    )


def head_values(session: DepartmentSession) -> list[Any]:
    """Return the current head of the log in the order of ``HEAD_COLUMNS``, and the department's id."""
    head = session.head
    waiting = [head.waiting.get(name, 0) for name in RANK]
    turn = head.turn
    return [head.day, head.last_no, head.last_seq, turn.priority, turn.normal, *waiting, head.skipped, session.id]


@lru_cache(maxsize=1024)
def rules_of(document: str) -> Rules:
    """Return a department's rules. Cached, since they rarely change and are read with every batch."""
    return rules_from(json.loads(document))


@lru_cache(maxsize=256)
def _hours(document: str) -> Hours:
    return hours_from(json.loads(document))
