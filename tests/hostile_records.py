"""Records as a stranger may write them to the topic: a handmade corpus, and any number of random ones."""

import json
from typing import Any

from hypothesis import strategies as st

from tokenq.contract.events import MAX_DEPTH, MAX_EVENT_BYTES, EventType

REAL: dict[str, Any] = {
    "eventType": "TOKEN_GENERATED",
    "event": "TOKEN_GENERATED",
    "eventId": "01990000-0000-7000-8000-000000000001",
    "schemaVersion": 1,
    "seq": 17,
    "timestamp": "2026-08-07T10:23:45Z",
    "branchId": "main",
    "departmentId": "CW",
    "businessDay": "2026-08-07",
    "tokenId": 101,
    "tokenNo": 12,
    "displayNumber": "CW-012",
    "priority": "normal",
    "userId": 55,
    "email": "ada@example.com",
    "counterId": "3",
    "actor": "Zoë",
    "data": {"position": 3, "estimate": {"lowMinutes": 5, "highMinutes": 10}, "to": "HR", "state": "WAITING"},
}


def written(**changes: Any) -> bytes:
    """A record like a real one, with these fields changed."""
    return json.dumps(REAL | changes, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _with(text: str, field: str = "data") -> bytes:
    """A record with this raw text as the value of a field, valid or not."""
    return written(**{field: "HERE"}).replace(b'"HERE"', text.encode())


def nested(depth: int) -> str:
    """Nested objects."""
    return '{"a":' * depth + "1" + "}" * depth


_TEXT = json.dumps(REAL, ensure_ascii=False)

UNREADABLE: dict[str, bytes | None] = {
    "a tombstone": None,
    "empty": b"",
    "blanks": b" \n",
    "UTF-16 with its mark": _TEXT.encode("utf-16"),
    "UTF-16, little end first": _TEXT.encode("utf-16-le"),
    "UTF-16, big end first": _TEXT.encode("utf-16-be"),
    "UTF-32 with its mark": _TEXT.encode("utf-32"),
    "UTF-32, big end first": _TEXT.encode("utf-32-be"),
    "UTF-8 with a mark": _TEXT.encode("utf-8-sig"),
    "Latin-1": _TEXT.encode("latin-1"),
    "a surrogate as three bytes": written(actor="\ud800"),
    "two surrogates as six bytes": written(actor="\ud83d\ude00"),
    "a letter in more bytes than it needs": written().replace(b"Zo", b"Z\xc1\xaf"),
    "a surrogate, escaped": _with('"\\ud800"', "actor"),
    "a surrogate, escaped, in data": _with('{"reason":"\\udfff"}'),
    "a surrogate as a name in data": _with('{"\\ud800":1}'),
    "NUL, escaped": _with('"a\\u0000b"', "displayNumber"),
    "NUL, escaped, in data": _with('{"a":["\\u0000"]}'),
    "NUL, bare": written().replace(b"main", b"ma\0in"),
    "NUL as type": _with('"TOKEN\\u0000"', "eventType"),
    "only NUL": b"\0" * 64,
    "cut": written()[:-20],
    "cut within a letter": written()[: written().index(b"\xc3") + 1],
    "two records": written() * 2,
    "something behind": written() + b" x",
    "a list": b"[1,2]",
    "a text": b'"TOKEN_GENERATED"',
    "a number": b"17",
    "null": b"null",
    "NaN": b"NaN",
    "NaN in data": _with('{"wait":NaN}'),
    "Infinity in data": _with('{"wait":-Infinity}'),
    "1e999 in data": _with('{"wait":1e999}'),
    "1e999 as seq": _with("1e999", "seq"),
    "a number of 5 000 digits": _with("9" * 5_000, "seq"),
    "a number of 5 000 digits in data": _with('{"call":' + "9" * 5_000 + "}"),
    "a number of 4 000 digits in data": _with('{"call":' + "9" * 4_000 + "}"),
    "beyond 64 bits": written(seq=2**63),
    "a seq below zero": written(seq=-1),
    "half a token": written(tokenId=1.5),
    "a true token": written(tokenId=True),
    "a token as text": written(tokenId="101"),
    "no token": written(tokenId=None),
    "no type": written(eventType=None, event=None),
    "a number as type": written(eventType=7),
    "a list as department": written(departmentId=["CW"]),
    "no department": written(departmentId="../CW"),
    "a department with a line": written(departmentId="CW\n"),
    "an object as day": written(businessDay={"a": 1}),
    "a number as address": written(email=5),
    "no time": written(timestamp="yesterday"),
    "before the clock": written(timestamp="0001-01-01T00:00:00+14:00"),
    "after the clock": written(timestamp="9999-12-31T23:59:59-14:00"),
    "one level too deep": written(data=json.loads(nested(MAX_DEPTH + 1))),
    "900 levels deep": _with(nested(900)),
    "100 000 lists deep": b"[" * 100_000,
    "100 000 lists deep in data": _with("[" * 50_000 + "]" * 50_000),
    "too large": written(actor="x" * MAX_EVENT_BYTES),
    "a megabyte": b'{"a":"' + b"x" * 900_000 + b'"}',
    "no JSON": b"\xff{not json",
    "single quotes": str(REAL).encode(),
    "a line in a text": written().replace(b"main", b"ma\nin"),
}
"""Unreadable records, by what is wrong with them."""

ODD: dict[str, bytes] = {
    "real": written(),
    "blanks around": b"\r\n " + written() + b"\t",
    "escaped letters": json.dumps(REAL).encode(),
    "a smile as two escapes": _with('"\\ud83d\\ude00"', "actor"),
    "a name twice": _with('"HR","departmentId":"CW"', "departmentId"),
    "as deep as may be": written(data=json.loads(nested(MAX_DEPTH))),
    "as long as may be": written(actor="x" * 200_000),
    "the largest seq": written(seq=2**63 - 1),
    "a type of another release": written(eventType="TOKEN_PAINTED"),
    "only what is needed": b'{"event":"TOKEN_CALLED","departmentId":"CW","tokenId":101}',
    "a day that is none": written(businessDay="tomorrow"),
    "no token, no counter": written(tokenId=0, eventType="COUNTER_PAUSED", counterId=None),
    "hostile to terminals": written(counterId="\x1b[2J\u202e\u0301\u0301\u0301", displayNumber="\x07" * 99),
    "settings of all types": written(
        tokenId=0,
        eventType="DEPARTMENT_CHANGED",
        data={
            "settings": {
                "name": ["x"],
                "open": "no",
                "timezone": "../../etc/passwd",
                "hours": {"weekly": {"mon": [1, None, {}], "tue": 5}, "exceptions": {"2026-13-45": [[]]}},
            }
        },
    ),
} | {
    f"{name} as {field} of {kind}": written(eventType=kind, data={field: value})
    for kind in ("TOKEN_REVERTED", "TOKEN_TRANSFERRED", "TOKEN_CALLED", "TOKEN_RECALLED", "DEPARTMENT_CHANGED")
    for field in ("state", "to", "from", "call", "served", "settings", "undone", "reason", "estimate")
    for name, value in {"a list": [[]], "an object": {"a": []}, "a number": 2**62, "a half": 0.5, "null": None}.items()
}
"""Records that can be read but are not what they should be."""

_VALUES = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 1.0, 1e18, -0.0, 2**63 - 1, 2**63, -(2**64), 10**4000),
        *(float("nan"), float("inf")),
        *("", "\0", "\ud800", "\udc00\ud800", "x" * 5_000, "\u202e\x1b[31m", "CW", "HR", "WAITING", "\u2028", "\ufeff"),
        *("0001-01-01T00:00:00+14:00", "9998-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z", "2026-02-30", "2026-W01"),
        *([], {}, [[[]]], {"settings": {"hours": {"weekly": []}}}, {"": None}, json.loads(nested(40))),
    ]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_DATA_NAMES = ("state", "to", "from", "call", "served", "settings", "undone", "reason", "estimate", "archived", "hours")
_CODECS = ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-7", "latin-1")


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    """An event of any type with some invalid fields."""
    body = REAL | {"eventType": draw(st.sampled_from(list(EventType))), "seq": draw(st.integers(1, 30))}
    body["data"] = draw(st.dictionaries(st.sampled_from(_DATA_NAMES), _VALUES, max_size=4))
    body |= draw(st.dictionaries(st.sampled_from(list(REAL)), _VALUES, max_size=2))
    for name in draw(st.lists(st.sampled_from(list(REAL)), max_size=2)):
        body.pop(name, None)
    return body


@st.composite
def _records(draw: st.DrawFn) -> bytes:
    text = json.dumps(draw(_objects()), ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text.replace("{", '{"seq":5,"data":7,', 1)
    codec = draw(st.sampled_from(_CODECS))
    raw = text.encode(codec, "replace" if codec == "latin-1" else "surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        place = draw(st.integers(0, len(raw)))
        raw = raw[:place] + draw(st.binary(max_size=3)) + raw[place + draw(st.integers(0, 3)) :]
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


RECORDS: st.SearchStrategy[bytes] = (
    _records() | st.sampled_from([*ODD.values(), *filter(None, UNREADABLE.values())]) | st.binary(max_size=200)
)
"""Any record."""
