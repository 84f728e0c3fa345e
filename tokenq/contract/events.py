"""The event on the wire: topic ``token-events``, flat UTF-8 JSON, one record per change of a token.

Readers must survive anything: :func:`decode` accepts both spellings of the type (``eventType`` and
``event``), fills what is missing with neutral values, ignores unknown fields and raises only
:class:`BadEvent`. It takes strict UTF-8 and nothing that Postgres or a clock could not hold. Where a name
comes twice, the last one counts, as in Postgres.
"""

import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tokenq.contract.names import DEPARTMENT_ID, MAIN_BRANCH

TOPIC = "token-events"
DLQ_TOPIC = "token-events.dlq"
SCHEMA_VERSION = 1
MAX_EVENT_BYTES = 256 * 1024
MAX_DEPTH = 32
"""How deep lists and objects in ``data`` may lie in each other; ours go to five."""
_MAX_INT = 2**63 - 1
_BLANKS = " \t\n\r"
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""Beyond them a time may have no place on the clock of a branch."""
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_is_department_id = re.compile(DEPARTMENT_ID).fullmatch


class EventType(StrEnum):
    """What happened: to a token, or (the last five) to a counter, the department itself or its log.

    Those five carry token id 0, token number 0 and an empty display number.
    """

    TOKEN_GENERATED = "TOKEN_GENERATED"
    TOKEN_CALLED = "TOKEN_CALLED"
    TOKEN_RECALLED = "TOKEN_RECALLED"
    TOKEN_SERVICE_STARTED = "TOKEN_SERVICE_STARTED"
    TOKEN_SERVED = "TOKEN_SERVED"
    TOKEN_NO_SHOW = "TOKEN_NO_SHOW"
    TOKEN_REQUEUED = "TOKEN_REQUEUED"
    TOKEN_PARKED = "TOKEN_PARKED"
    TOKEN_RESUMED = "TOKEN_RESUMED"
    TOKEN_TRANSFERRED = "TOKEN_TRANSFERRED"
    TOKEN_CANCELLED = "TOKEN_CANCELLED"
    TOKEN_PRIORITY_CHANGED = "TOKEN_PRIORITY_CHANGED"
    TOKEN_REINSTATED = "TOKEN_REINSTATED"
    TOKEN_REVERTED = "TOKEN_REVERTED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    TOKEN_EDITED = "TOKEN_EDITED"
    TOKEN_TURN_NEAR = "TOKEN_TURN_NEAR"
    COUNTER_OPENED = "COUNTER_OPENED"
    COUNTER_PAUSED = "COUNTER_PAUSED"
    COUNTER_CLOSED = "COUNTER_CLOSED"
    DEPARTMENT_CHANGED = "DEPARTMENT_CHANGED"
    LOG_REWOUND = "LOG_REWOUND"


@dataclass(frozen=True)
class Event:
    """One change of one token, complete in itself: a reader needs no other source.

    ``seq`` counts 1, 2, 3 … per department without gap; readers drop every ``seq`` at or below the
    highest they have seen. ``timestamp`` is the server's, in UTC. ``event_type`` stays a plain string
    so that an old reader survives a new type.
    """

    event_type: str
    event_id: str
    seq: int
    timestamp: datetime
    branch_id: str
    department_id: str
    business_day: str
    token_id: int
    token_no: int
    display_number: str
    priority: str = "normal"
    user_id: int | None = None
    email: str | None = None
    counter_id: str | None = None
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


class BadEvent(ValueError):
    """A record that is no event; the text says in one sentence why."""


def to_wire(event: Event) -> dict[str, Any]:
    """The event as the JSON object of the wire format."""
    return {
        "eventType": event.event_type,
        "event": event.event_type,
        "eventId": event.event_id,
        "schemaVersion": event.schema_version,
        "seq": event.seq,
        "timestamp": event.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "branchId": event.branch_id,
        "departmentId": event.department_id,
        "businessDay": event.business_day,
        "tokenId": event.token_id,
        "tokenNo": event.token_no,
        "displayNumber": event.display_number,
        "priority": event.priority,
        "userId": event.user_id,
        "email": event.email,
        "counterId": event.counter_id,
        "actor": event.actor,
        "data": event.data,
    }


def encode(event: Event) -> bytes:
    """The bytes of one Kafka record's value."""
    return json.dumps(to_wire(event), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def key(event: Event) -> bytes:
    """The Kafka record's key: one department is one partition, so its order holds."""
    return event.department_id.encode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_read = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode


def decode(raw: bytes | str | None) -> Event:
    """Read one record's value.

    Raises:
        BadEvent: the value is empty, too large, no JSON object, or names no type, department or token.
    """
    if not raw:
        raise BadEvent("The record is empty.")
    if len(raw) > MAX_EVENT_BYTES:
        raise BadEvent(f"The record is larger than {MAX_EVENT_BYTES} bytes.")
    try:
        # Not json.loads(bytes): that takes UTF-16 and UTF-32, too, which nobody else here does.
        text = (raw.decode() if isinstance(raw, bytes) else raw).strip(_BLANKS)
        body, end = _read(text)
    except UnicodeDecodeError as error:
        raise BadEvent("The record is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadEvent("The record is not JSON.") from error
    if end != len(text):
        raise BadEvent("The record is not JSON.")
    return from_wire(body)


def from_wire(body: Any) -> Event:
    """Read an already parsed JSON value; see :func:`decode`."""
    if not isinstance(body, dict):
        raise BadEvent("The record is not a JSON object.")
    event_type = _text(body, "eventType") or _text(body, "event")
    if not event_type:
        raise BadEvent("The record names no eventType.")
    department_id = _text(body, "departmentId")
    if not _is_department_id(department_id):
        raise BadEvent("The record names no departmentId.")
    token_id, token_no = _integer(body, "tokenId"), _integer(body, "tokenNo", 0)
    return Event(
        event_type=event_type,
        event_id=_text(body, "eventId"),
        schema_version=_integer(body, "schemaVersion", SCHEMA_VERSION),
        seq=_integer(body, "seq", 0),
        timestamp=_instant(body.get("timestamp")),
        branch_id=_text(body, "branchId") or MAIN_BRANCH,
        department_id=department_id,
        business_day=_text(body, "businessDay"),
        token_id=token_id,
        token_no=token_no,
        display_number=_text(body, "displayNumber") or (f"{department_id}-{token_no:03d}" if token_id else ""),
        priority=_text(body, "priority") or "normal",
        user_id=_integer(body, "userId", 0) or None,
        email=_text(body, "email") or None,
        counter_id=_text(body, "counterId") or None,
        actor=_text(body, "actor"),
        data=_data(body.get("data")),
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadEvent(f"The field {name} is not a text.")
    if not value.isprintable() and _NO_CHARACTER.search(value):
        raise BadEvent(f"The field {name} holds what is no character.")
    return value


def _integer(body: dict[str, Any], name: str, missing: int | None = None) -> int:
    value = body.get(name)
    if type(value) is int and 0 <= value <= _MAX_INT:
        return value
    if value is None and missing is not None:
        return missing
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_INT:
        raise BadEvent(f"The field {name} is not a whole number.")
    return value


def _data(value: Any) -> dict[str, Any]:
    if not value or not isinstance(value, dict):
        return {}
    _look_through(value, MAX_DEPTH)
    return value


def _look_through(whole: dict[str, Any] | list[Any], depth: int) -> None:
    """Readers pass on what is in ``data``: to Postgres, to a screen, and to JSON again.

    Raises:
        BadEvent: a text, a number or a depth that one of them could not hold.
    """
    if not depth:
        raise BadEvent(f"The field data is more than {MAX_DEPTH} levels deep.")
    if isinstance(whole, dict):
        for name in whole:
            if not name.isprintable() and _NO_CHARACTER.search(name):
                raise BadEvent("The field data holds what is no character.")
    for value in whole.values() if isinstance(whole, dict) else whole:
        kind = type(value)
        if kind is str:
            if not value.isprintable() and _NO_CHARACTER.search(value):
                raise BadEvent("The field data holds what is no character.")
        elif kind is dict or kind is list:
            _look_through(value, depth - 1)
        elif (kind is int and not -_MAX_INT <= value <= _MAX_INT) or (kind is float and not math.isfinite(value)):
            raise BadEvent("The field data holds a number that is too large.")


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        return datetime.fromtimestamp(0, UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadEvent("The field timestamp is not an RFC 3339 time.") from error
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise BadEvent("The field timestamp is not a time of ours.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
