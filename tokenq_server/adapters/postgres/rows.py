"""Rows and the domain's values, turned into each other."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from tokenq.contract.words import CounterState, Priority, TokenState
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department, Standing
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.hours import Hours, hours_from
from tokenq_server.domain.policy import Policy, Ratio, Turn
from tokenq_server.domain.rules import Rules, rules_from
from tokenq_server.domain.token import Token, Undo
from tokenq_server.services.ports import IdempotencyRecord, LineEntry
from tokenq_server.services.requests import Answer

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
    "issued_in",
    "last_call_at",
    "parked_at",
    "parked_until",
    "near_turn",
    "is_near_told",
    "estimate_low",
    "estimate_high",
    "undo",
)
"""A token's columns in the order of the statements; each is a field of :class:`Token`."""

CHANGING_COLUMNS = (
    "token_id",
    "department_id",
    "state",
    "priority",
    "place",
    "original_place",
    "waiting_since",
    "counter_id",
    "claim_version",
    "calls",
    "reason",
    "called_at",
    "started_at",
    "served_at",
    "last_call_at",
    "parked_at",
    "parked_until",
    "is_near_told",
    "undo",
)
"""Those of them that a move can change, after the id."""


_MADE, _DONE, _NOTHING = 201, 200, 204


def document(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as the JSON that json_populate_recordset takes; times and days in ISO 8601."""
    return json.dumps(list(rows), default=str, ensure_ascii=False)


def token_row(token: Token) -> dict[str, Any]:
    """A new token, whole."""
    return {name: getattr(token, name) for name in TOKEN_COLUMNS} | {"undo": _undo_document(token.undo)}


def changed_row(token: Token) -> dict[str, Any]:
    """What a move can have changed of a token."""
    return {name: getattr(token, name) for name in CHANGING_COLUMNS} | {"undo": _undo_document(token.undo)}


def idempotency_row(kept: IdempotencyRecord) -> dict[str, Any]:
    """An answer under its idempotency key, stored as the release before stored it: as what HTTP made of it."""
    answer = kept.answer
    body = "" if answer.token is None else json.dumps(answer.token, ensure_ascii=False, separators=(",", ":"))
    return {
        "principal": kept.principal,
        "key": kept.key,
        "fingerprint": "\\x" + kept.fingerprint.hex(),
        "status": _NOTHING if answer.token is None else _MADE if answer.is_new else _DONE,
        "body": body,
    }


def idempotency_from(row: Mapping[str, Any]) -> IdempotencyRecord:
    """A kept answer from its row."""
    token = json.loads(row["body"]) if row["body"] else None
    answer = Answer(token, is_new=row["status"] == _MADE)
    return IdempotencyRecord(row["principal"], row["key"], row["fingerprint"], answer)


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the shape that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def entry_from(row: dict[str, Any]) -> LineEntry:
    """A place in line from its row."""
    return LineEntry(row["token_id"], Priority(row["priority"]), row["place"])


def department_from(row: Mapping[Any, Any]) -> Department:
    """A department from a row that joins department and branch.

    ``max_wait`` is an interval; ``rules`` and ``branch_hours`` are the documents as text.
    """
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
        rules=_rules(row["rules"]),
        branch_hours=_hours(row["branch_hours"]) if row["branch_hours"] else None,
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
        skipped=row["skipped"],
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
        standing.skipped,
        floor.department.department_id,
    ]


def token_from(row: dict[str, Any]) -> Token:
    """A token from its row."""
    read = {"state": TokenState(row["state"]), "priority": Priority(row["priority"]), "undo": _undo_from(row["undo"])}
    return Token(**row | read)


def counter_from(row: Mapping[Any, Any]) -> Counter:
    """A counter from its row."""
    return Counter(
        branch_id=row["branch_id"],
        counter_id=row["counter_id"],
        state=CounterState(row["state"]),
        reason=row["reason"],
        operator=row["operator"],
        operator_identity=row["operator_identity"],
        lease_until=row["lease_until"],
        departments=tuple(row["departments"]),
        is_declared=row["is_declared"],
    )


@lru_cache(maxsize=1024)
def _rules(document: str) -> Rules:
    """Rules hardly ever change and are asked for with every batch."""
    return rules_from(json.loads(document))


@lru_cache(maxsize=256)
def _hours(document: str) -> Hours:
    return hours_from(json.loads(document))


def _undo_document(undo: Undo | None) -> dict[str, Any] | None:
    return {"verb": undo.verb, "was": dict(undo.was), "until": undo.until} if undo else None


def _undo_from(document: Mapping[str, Any] | None) -> Undo | None:
    if document is None:
        return None
    was = {name: _READ.get(name, _as_is)(value) for name, value in document["was"].items()}
    return Undo(document["verb"], was, datetime.fromisoformat(document["until"]))


def _as_is(value: Any) -> Any:
    return value


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_MOMENTS = ("waiting_since", "called_at", "started_at", "served_at", "last_call_at", "parked_at", "parked_until")
_READ: dict[str, Callable[[Any], Any]] = {"state": TokenState, "priority": Priority} | dict.fromkeys(_MOMENTS, _moment)
