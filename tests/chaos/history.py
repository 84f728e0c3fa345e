"""What clients saw, one JSON line per begin or end of an operation, written by the clients, not by the tested code.

An operation begins with ``invoke`` and ends with exactly one of

* ``ok``: a 2xx answer with its body;
* ``fail``: certainly not executed (400, 401, 403, 404, 409, 422, 429, or refused before a byte was sent);
* ``info``: unknown (a timeout, a reset, a 5xx). The client repeats it **with the same key**, as a new operation.

``proc`` is the client, which does one thing at a time. A line is
``{"t": monotonic ns, "proc", "type", "f", "dept", "key", "value", "err"}``. The value of an ``invoke`` is what was
asked (``counterId``, ``tokenId``, ``claimVersion`` where there are such); of an ``ok`` it is ``{"status", "body"}``,
the body being the text as it came, to the byte. :func:`read` pairs the edges again.
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

Value = dict[str, Any]


@dataclass(frozen=True)
class Op:
    """A pending operation, passed once to ``ok``, ``fail`` or ``info``."""

    proc: int
    f: str
    dept: str
    key: str | None


class History:
    """The recorder, safe for threads and tasks; a line is flushed when the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._open: set[int] = set()

    def __enter__(self) -> "History":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop writing; operations still open count as ``info``."""
        self._file.close()

    def invoke(
        self, f: str, dept: str, *, proc: int, key: str | None = None, value: Mapping[str, Any] | None = None
    ) -> Op:
        """Begin an operation: call this just before the first byte is sent.

        ``f`` is a verb as the API spells it: ``issue``, ``call``, ``serve``, ``no-show``, ``recall``, ``transfer`` …
        """
        with self._lock:
            assert proc not in self._open, f"client {proc} does two things at once"
            self._open.add(proc)
        op = Op(proc, f, dept, key)
        self._write(op, "invoke", dict(value or {}), None)
        return op

    def ok(self, op: Op, body: str, status: int = 200) -> None:
        """It was executed: ``body`` is the response's text, unchanged."""
        self._end(op, "ok", {"status": status, "body": body}, None)

    def fail(self, op: Op, err: str, status: int | None = None) -> None:
        """It was certainly not executed."""
        self._end(op, "fail", {"status": status}, err)

    def info(self, op: Op, err: str) -> None:
        """Whether it was executed is unknown."""
        self._end(op, "info", {}, err)

    def _end(self, op: Op, kind: str, value: Value, err: str | None) -> None:
        self._write(op, kind, value, err)
        with self._lock:
            self._open.discard(op.proc)

    def _write(self, op: Op, kind: str, value: Value, err: str | None) -> None:
        with self._lock:
            edge = {"t": time.monotonic_ns(), "proc": op.proc, "type": kind, "f": op.f, "dept": op.dept}
            self._file.write(json.dumps(edge | {"key": op.key, "value": value, "err": err}) + "\n")
            self._file.flush()


@dataclass(frozen=True)
class Operation:
    """One operation with both its edges. ``ended`` is ``None`` if it never ended; its outcome is ``info`` then."""

    proc: int
    f: str
    dept: str
    key: str | None
    asked: Value
    invoked: int
    ended: int | None = None
    outcome: str = "info"
    status: int | None = None
    body: str = ""
    err: str | None = None
    answer: Value = field(default_factory=dict)
    """The body of an ``ok``, parsed; empty where it is no JSON object."""


def read(path: Path) -> list[Operation]:
    """The operations of a history by begin. A truncated last line is skipped."""
    with path.open(encoding="utf-8") as lines:
        return operations(edge for edge in map(_edge, lines) if edge)


def operations(edges: Iterable[Value]) -> list[Operation]:
    """Pair the edges."""
    under_way: dict[int, Value] = {}
    found: list[Operation] = []
    for edge in edges:
        if edge["type"] == "invoke":
            if left_open := under_way.pop(edge["proc"], None):
                found.append(_operation(left_open, None))
            under_way[edge["proc"]] = edge
        else:
            found.append(_operation(under_way.pop(edge["proc"]), edge))
    found += [_operation(edge, None) for edge in under_way.values()]
    return sorted(found, key=lambda op: op.invoked)


def _operation(begin: Value, end: Value | None) -> Operation:
    value = end["value"] if end else {}
    return Operation(
        proc=begin["proc"],
        f=begin["f"],
        dept=begin["dept"],
        key=begin["key"],
        asked=begin["value"],
        invoked=begin["t"],
        ended=end["t"] if end else None,
        outcome=end["type"] if end else "info",
        status=value.get("status"),
        body=value.get("body", ""),
        err=end["err"] if end else None,
        answer=_parsed(value.get("body", "")),
    )


def _parsed(body: str) -> Value:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _edge(line: str) -> Value | None:
    try:
        edge: Value = json.loads(line)
    except ValueError:
        return None
    return edge
