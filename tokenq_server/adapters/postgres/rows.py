"""Conversion between rows and domain values, except tokens and departments."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from tokenq.contract.enums import CounterState, Priority
from tokenq_server.domain.counters import Counter
from tokenq_server.json_text import json_text
from tokenq_server.services.ports import IdempotencyRecord, LineEntry
from tokenq_server.services.requests import Answer

Row = Mapping[str, Any]

COUNTER = tuple(field.name for field in fields(Counter))
"""A counter's columns, one per field."""

_MADE, _DONE, _NOTHING = 201, 200, 204


def document(rows: Iterable[Row]) -> str:
    """Return rows as JSON for json_populate_recordset; times and dates in ISO 8601."""
    return json_text(list(rows))


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the shape that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def idempotency_row(kept: IdempotencyRecord) -> dict[str, Any]:
    """Return the row of an idempotency record, in the format of the previous release: as an HTTP answer."""
    answer = kept.answer
    return {
        "principal": kept.principal,
        "key": kept.key,
        "fingerprint": "\\x" + kept.fingerprint.hex(),
        "status": _NOTHING if answer.body is None else _MADE if answer.is_new else _DONE,
        "body": answer.text,
    }


def idempotency_from(row: Row) -> IdempotencyRecord:
    """Return the idempotency record of a row."""
    content = json.loads(row["body"]) if row["body"] else None
    is_new = row["status"] == _MADE
    if content and "items" in content:
        answer = Answer(group=tuple(content["items"]), is_new=is_new)
    else:
        answer = Answer(content, is_new)
    return IdempotencyRecord(row["principal"], row["key"], row["fingerprint"], answer)


def entry_from(row: Row) -> LineEntry:
    """Return the queue entry of a row."""
    return LineEntry(row["token_id"], Priority(row["priority"]), row["place"])


def counter_from(row: Row) -> Counter:
    """Return the counter of a row."""
    return Counter(**{**row, "state": CounterState(row["state"]), "departments": tuple(row["departments"])})
