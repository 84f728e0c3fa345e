"""What stands in a name acts on no terminal, whoever prints it. Rows 42 to 53 and 55."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.http_fake import FakeServer, fake_server, says
from tests.screens.pty_child import HOSTILE
from tokenq.printable import cells, printable

ROWS: dict[int, list[str]] = {
    42: ["A\x1b]52;c;cHduZWQ=\x1b\\", "\x1b]52;c;cHduZWQ=\x07"],
    43: ["\x1b]0;pwned\x1b\\", "\x1b]2;pwned\x07"],
    44: ["\x1b[2J\x1b[H", "\x1b[?1049l", "\x1bc", "\x1b[3J"],
    45: ["\x9b31m", "\x9d0;x\x9c", "\x90q\x9c", "\x9e\x9f"],
    46: ["a\x00b", "\x07", "\x08", "a\rb", "a\nb", "a\tb", "a\x0bb", "a\x0cb", "\x7f"],
    47: ["\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\"],
    48: ["\x1b[6n", "\x1b[>c", "\x1b[c", "\x1bP$q\x1b\\", "\x05"],
    49: ["\u202eABC", "\u2066a\u2067b\u2068c\u2069", "\u200f", "\u200b", "\U000e0001\U000e0041", "\ufeff", "\u061c"],
    50: ["e" + "\u0301" * 500, "x" * 10_000, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\ufdfd" * 3],
    51: ["[@click=app.quit]Bob[/]", "[@click=app.bell()]x[/]", "[link=http://evil]x[/link]"],
    52: ["[/]", "[/dept]", "[b", "[#ff0]", "[true, false]", '{"a":[1]}', "[bold red]X[/]", "\\[", "[[", "$x", "[]"],
    53: ["\ud800", "\x85", "\u2028", "\u2029", "\u206a", "\ufff9", "\ue000"],
}
ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINER = "\u200d"


def acting(text: str) -> list[str]:
    """The characters that do something instead of standing there; a joiner inside an emoji may stay."""
    return [sign for sign in text if unicodedata.category(sign) in ACTING and sign not in ("\n", JOINER)]


@pytest.mark.parametrize("row", ROWS)
def test_each_text_of_the_list_is_made_harmless(row: int) -> None:
    for text in ROWS[row]:
        shown = printable(text, 20)
        assert acting(shown) == []
        assert "\n" not in shown
        assert cells(shown) <= 20
        assert max((shown.count(sign) for sign in shown if unicodedata.combining(sign)), default=0) <= 20


def test_the_screens_are_proven_with_a_text_of_each_row() -> None:
    """On the bytes of a real terminal, in tests/screens/test_hostile_text.py; this is what it sends."""
    shown = "".join(HOSTILE)
    for part in ("]52;c", "]0;", "[2J", "[?1049l", "\x1bc", "\x9b", "\x00\x07\x08", "]8;;", "[6n", "\u202e", "@click"):
        assert part in shown, part
    assert any(len(text) >= 10_000 for text in HOSTILE)
    assert any(text.count("\u0301") >= 500 for text in HOSTILE)


def department(text: str) -> dict[str, Any]:
    """A department as a hostile server may describe it."""
    return {
        "departmentId": "CW",
        "name": text,
        "branchId": text,
        "prefix": text,
        "numberFormat": text,
        "open": True,
        "ratio": "2:1",
        "letters": [text],
        "counters": [text],
        "timezone": text,
        "hours": None,
        "maxWaitMinutes": 45,
    }


def problem(text: str) -> dict[str, Any]:
    """A refusal of a hostile server."""
    return {"code": "wrong_state", "status": 409} | dict.fromkeys(
        ("type", "title", "detail", "hint", "requestId"), text
    )


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with fake_server() as server:
        yield server


@pytest.mark.parametrize("row", ROWS)
def test_commands_print_what_a_server_says_as_text(cli: Cli, fake: FakeServer, row: int) -> None:
    """Row 53: in a table that goes into a file as on a terminal, in an error, and in JSON, which escapes."""
    where = {"TOKENQ_URL": fake.url, "TOKENQ_TOKEN": "tq_x"}
    text = " ".join(ROWS[row])
    body = {"items": [department(text)], "nextCursor": None}
    raw = json.dumps(body).encode()
    fake.steps[:] = [says(200, raw, Content_Type="application/json")]
    listed = cli("dept", "list", **where)
    assert acting(listed.out + listed.err) == []
    assert "CW" in listed.out
    as_json = cli("dept", "list", "--json", **where)
    assert acting(as_json.out) == []
    fake.steps[:] = [says(409, json.dumps(problem(text)).encode(), Content_Type="application/problem+json")]
    for more in ((), ("--json",)):
        refused = cli("issue", "CW", *more, **where)
        assert refused.code in (1, 4)
        assert acting(refused.out + refused.err) == []


@pytest.mark.parametrize("row", ROWS)
def test_commands_repeat_what_was_typed_as_text(cli: Cli, row: int) -> None:
    """A name pasted from elsewhere comes back in a message; NUL and halves of letters cannot be typed."""
    typed = " ".join(ROWS[row])[:300].replace("\x00", "").replace("\ud800", "")
    done = cli("queue", typed, TOKENQ_URL="http://127.0.0.1:1", TOKENQ_TOKEN="tq_x")
    assert acting(done.out + done.err) == []
