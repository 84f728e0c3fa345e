"""Rows and the domain's values, turned into each other; tokens and departments have modules of their own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tokenq.contract.enums import CounterState, Priority
from tokenq_server.domain.counters import Counter
from tokenq_server.services.ports import IdempotencyRecord, LineEntry
from tokenq_server.services.requests import Answer

Row = Mapping[str, Any]

COUNTER = tuple(field.name for field in fields(Counter))
"""A counter's columns, one a field."""

_MADE, _DONE, _NOTHING = 201, 200, 204


def document(rows: Iterable[Row]) -> str:
    """Rows as the JSON that json_populate_recordset takes; times and days in ISO 8601."""
    return json.dumps(list(rows), default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return vars(value) if is_dataclass(value) else str(value)


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the shape that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


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


def idempotency_from(row: Row) -> IdempotencyRecord:
    """A kept answer from its row."""
    token = json.loads(row["body"]) if row["body"] else None
    answer = Answer(token, is_new=row["status"] == _MADE)
    return IdempotencyRecord(row["principal"], row["key"], row["fingerprint"], answer)


def entry_from(row: Row) -> LineEntry:
    """A place in line from its row."""
    return LineEntry(row["token_id"], Priority(row["priority"]), row["place"])


def counter_from(row: Row) -> Counter:
    """A counter from its row."""
    return Counter(**{**row, "state": CounterState(row["state"]), "departments": tuple(row["departments"])})
