"""Rows and the domain's values, turned into each other."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tokenq.contract.words import Priority, TokenState
from tokenq_server.domain.department import Department, Standing
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.policy import Policy, Ratio, Turn
from tokenq_server.domain.token import Token
from tokenq_server.services.ports import LineEntry, Remembered

TOKEN_COLUMNS = (
    "token_id",
    "department_id",
    "branch_id",
    "day",
    "number",
    "display",
    "state",
    "priority",
    "place",
    "original_place",
    "issued_at",
    "waiting_since",
    "user_id",
    "name",
    "email",
    "counter_id",
    "claim_version",
    "calls",
    "reason",
    "called_at",
    "started_at",
    "served_at",
)
"""A token's columns in the order of the statements; each is a field of :class:`Token`."""

CHANGING_COLUMNS = (
    "token_id",
    "state",
    "priority",
    "place",
    "waiting_since",
    "counter_id",
    "claim_version",
    "calls",
    "reason",
    "called_at",
    "started_at",
    "served_at",
)
"""Those of them that a move can change, after the id."""


def document(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as the JSON that json_populate_recordset takes; times and days in ISO 8601."""
    return json.dumps(list(rows), default=str, ensure_ascii=False)


def token_row(token: Token) -> dict[str, Any]:
    """A new token, whole."""
    return {name: getattr(token, name) for name in TOKEN_COLUMNS}


def changed_row(token: Token) -> dict[str, Any]:
    """What a move can have changed of a token."""
    return {name: getattr(token, name) for name in CHANGING_COLUMNS}


def remembered_row(one: Remembered) -> dict[str, Any]:
    """An answer under its idempotency key."""
    fingerprint = "\\x" + one.fingerprint.hex()
    return {
        "principal": one.principal,
        "key": one.key,
        "fingerprint": fingerprint,
        "status": one.status,
        "body": one.body,
    }


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the shape that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def entry_from(row: dict[str, Any]) -> LineEntry:
    """A place in line from its row."""
    return LineEntry(row["token_id"], Priority(row["priority"]), row["place"])


def department_from(row: dict[str, Any]) -> Department:
    """A department from a row that joins department and branch; ``max_wait`` is an interval."""
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
    )


def standing_from(row: dict[str, Any]) -> Standing:
    """The head of a department's log from its row."""
    return Standing(
        day=row["day"],
        last_no=row["last_no"],
        last_seq=row["last_seq"],
        turn=Turn(row["turn_priority"], row["turn_normal"]),
        waiting={
            Priority.URGENT: row["waiting_urgent"],
            Priority.PRIORITY: row["waiting_priority"],
            Priority.NORMAL: row["waiting_normal"],
        },
    )


def standing_row(floor: Floor) -> list[Any]:
    """The head of a department's log, in the order of the statement."""
    standing = floor.standing
    waiting = [standing.waiting.get(name, 0) for name in (Priority.URGENT, Priority.PRIORITY, Priority.NORMAL)]
    return [
        standing.day,
        standing.last_no,
        standing.last_seq,
        standing.turn.priority,
        standing.turn.normal,
        *waiting,
        floor.department.department_id,
    ]


def token_from(row: dict[str, Any]) -> Token:
    """A token from its row."""
    return Token(**row | {"state": TokenState(row["state"]), "priority": Priority(row["priority"])})
