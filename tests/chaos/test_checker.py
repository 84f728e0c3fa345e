"""Histories that violate exactly one rule; and the recorder itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.clients import Dump, check_clients
from tests.chaos.doubts import Doubts
from tests.chaos.history import History, Operation, operations, read
from tests.chaos.mailbox import Delivery, check_mailbox
from tokenq_server.domain.invariants.tally import Tally


def token(token_id: int, number: int, claim: int = 0, **more: Any) -> dict[str, Any]:
    name = {"businessDay": "2026-11-24", "displayNumber": f"CW-{number:03d}"}
    return {"tokenId": token_id, "tokenNo": number, "claimVersion": claim, **name, **more}


def op(f: str, answer: dict[str, Any], start: int, *, key: str | None = None, **asked: Any) -> Operation:
    body = json.dumps(answer)
    return Operation(start, f, "CW", key, asked, start, start + 5, "ok", 200, body, None, answer)


def row(number: int, claim: int = 0) -> dict[str, Any]:
    return {
        "issued_in": "CW", "day": "2026-11-24", "number": number, "display": f"CW-{number:03d}", "claim_version": claim
    }  # fmt: skip


ISSUED = [op("issue", token(1, 1), 0, key="a"), op("issue", token(2, 2), 10, key="b")]
DUMP = Dump({1: row(1, 1), 2: row(2, 2)}, {}, frozenset({1, 2}))


def red(history: list[Operation], dump: Dump = DUMP) -> set[str]:
    tally = Tally()
    check_clients(history, dump, tally)
    return set(tally.found)


def test_a_valid_history_violates_no_rule() -> None:
    called = op("call", token(1, 1, 1, state="CALLED"), 20, counterId="1")
    served = op("serve", token(1, 1, 1, state="SERVED"), 30, counterId="1")
    again = op("issue", token(1, 1), 40, key="a")
    assert red([*ISSUED, called, served, again]) == set()


def test_two_who_overlap_may_get_their_numbers_in_either_order() -> None:
    assert red([op("issue", token(2, 2), 0, key="b"), op("issue", token(1, 1), 3, key="a")]) == set()


@pytest.mark.parametrize(
    ("code", "history"),
    [
        ("N4", [op("issue", token(2, 2), 0, key="b"), op("issue", token(1, 1), 10, key="a")]),
        ("N5", [*ISSUED, op("issue", token(3, 3), 20, key="c")]),
        ("N5", [*ISSUED, op("call", token(2, 2, 9), 20)]),
        ("N5", [ISSUED[0], op("issue", token(2, 3), 10, key="b")]),
        ("N6", [ISSUED[0]]),
        ("N7", [*ISSUED, op("issue", token(1, 1, extra=1), 20, key="a")]),
        ("N7", [*ISSUED, op("issue", token(1, 1), 20, key="a", email="other@example.com")]),
        (
            "S1",
            [
                *ISSUED,
                op("call", token(1, 1, 1), 20, counterId="1"),
                op("call", token(1, 1, 1), 30, counterId="2"),
            ],
        ),
        ("S2", [*ISSUED, *(op("serve", token(1, 1, 1, state="SERVED"), at, counterId="1") for at in (20, 30))]),
        (
            "S6",
            [
                *ISSUED,
                op("call", token(2, 2, 2), 20),
                op("no-show", token(2, 2, 2), 30, tokenId=2, claimVersion=1),
            ],
        ),
    ],
)
def test_each_rule_turns_red_alone(code: str, history: list[Operation]) -> None:
    assert red(history) == {code}


def test_a_token_reported_as_served_must_be_served() -> None:
    assert red([*ISSUED, op("serve", token(1, 1, 1, state="SERVED"), 20)], Dump(DUMP.tokens, {}, frozenset())) == {"S2"}


def test_a_repeated_move_was_asked_when_it_was_first_sent() -> None:
    """It was executed, its response was lost, someone else called the token, and then it was retried."""
    asked = {"tokenId": 2, "claimVersion": 1}
    lost = Operation(9, "undo", "CW", "u", asked, 20)
    called = op("call", token(2, 2, 3, state="CALLED"), 30, counterId="2")
    again = op("undo", token(2, 2, 2), 40, key="u", **asked)
    dump = Dump({1: row(1), 2: row(2, 3)}, {}, frozenset())
    assert red([*ISSUED, lost, called, again], dump) == set()
    assert red([*ISSUED, called, again], dump) == {"S6"}


def test_a_lost_response_is_found_by_its_key() -> None:
    lost = Operation(9, "issue", "CW", "b", {}, 10)
    dump = Dump(DUMP.tokens, {"b": {"tokenId": 2}}, frozenset())
    assert red([ISSUED[0], lost], dump) == set()


JOB = {
    "department_id": "CW",
    "seq": 1,
    "kind": "issued",
    "token_id": 1,
    "recipient": "a@b.c",
    "state": "sent",
    "ambiguous": 0,
}
LATER = JOB | {"seq": 2, "kind": "served"}


def sent(name: str, *, to: str = "a@b.c", cut: bool = False) -> Delivery:
    return Delivery(f"<{name}@office.example>", (to,), 250, cut)


@pytest.mark.parametrize(
    ("codes", "deliveries", "jobs"),
    [
        (set(), [sent("CW.1.issued"), sent("CW.2.served")], [JOB, LATER]),
        (set(), [sent("CW.1.issued", cut=True), sent("CW.1.issued")], [JOB]),
        ({"M2"}, [sent("CW.1.issued"), sent("CW.1.issued")], [JOB | {"ambiguous": 1}]),
        ({"M1"}, [], [JOB]),
        ({"M2"}, [sent("CW.1.issued"), sent("CW.1.issued")], [JOB]),
        ({"M2"}, [sent("CW.1.issued"), sent("CW.9.issued")], [JOB]),
        ({"M3"}, [sent("CW.2.served"), sent("CW.1.issued")], [JOB, LATER]),
        ({"M6"}, [sent("CW.1.issued", to="eve@b.c")], [JOB]),
    ],
)
def test_the_mailbox(codes: set[str], deliveries: list[Delivery], jobs: list[dict[str, Any]]) -> None:
    tally = Tally()
    check_mailbox(deliveries, jobs, tally)
    assert set(tally.found) == codes


@pytest.mark.parametrize(("codes", "again"), [(set(), 8), ({"M2"}, 9)])
def test_a_crash_explains_what_one_sender_held(codes: set[str], again: int, tmp_path: Path) -> None:
    """And no more, whatever notify itself reports; an orderly stop explains nothing."""
    doubts, tally = Doubts(tmp_path / "doubts.jsonl"), Tally()
    doubts.ended("notify0", is_killed=True)
    doubts.ended("notify0", is_killed=False)
    jobs = [JOB | {"seq": seq, "token_id": seq, "ambiguous": 1} for seq in range(1, 11)]
    twice = [sent(f"CW.{seq}.issued") for seq in range(1, again + 1) for _ in range(2)]
    check_mailbox([*twice, *(sent(f"CW.{seq}.issued") for seq in range(again + 1, 11))], jobs, tally, doubts.letters)
    assert set(tally.found) == codes


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    """Including what never ended, and with a truncated last line."""
    path = tmp_path / "history.jsonl"
    with History(path) as history:
        first = history.invoke("issue", "CW", proc=1, key="a", value={"email": "ada@example.com"})
        second = history.invoke("call", "CW", proc=2, value={"counterId": "1"})
        history.ok(first, '{"tokenId": 7}', 201)
        history.info(second, "timeout")
        history.fail(history.invoke("serve", "CW", proc=1), "queue_empty", 409)
        history.invoke("serve", "CW", proc=2)
    with path.open("a") as file:
        file.write('{"t": 1, "pro')
    issue, call, refused, unfinished = read(path)

    assert (issue.outcome, issue.status, issue.answer, issue.asked["email"]) == (
        "ok",
        201,
        {"tokenId": 7},
        "ada@example.com",
    )
    assert (call.outcome, call.err) == ("info", "timeout")
    assert (refused.outcome, refused.status) == ("fail", 409)
    assert (unfinished.outcome, unfinished.ended) == ("info", None)
    assert issue.invoked < call.invoked < refused.invoked


def test_a_killed_client_may_continue_under_its_name() -> None:
    """An unfinished operation, followed by another one of the same client."""
    edge = {"proc": 1, "type": "invoke", "f": "issue", "dept": "CW", "key": "a", "value": {}, "err": None}
    assert [op.outcome for op in operations([edge | {"t": 1}, edge | {"t": 2}])] == ["info", "info"]
