"""A call or a service that was presumably forgotten: when it is, and how the command line says so."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tests.unit.sessions import NOW, Room
from tokenq.cli.commands import counter, queue
from tokenq.cli.tokens import forgotten_at
from tokenq.contract.verbs import Verb
from tokenq.contract.views import CounterView, QueueView
from tokenq_server.domain.counters import is_forgotten


@pytest.mark.parametrize(("minutes", "limit", "expected"), [(119, 120, False), (120, 120, True), (9000, 0, False)])
def test_a_service_is_forgotten_after_what_the_department_says(minutes: int, limit: int, expected: bool) -> None:
    room = Room()
    room.issue()
    called = room.call()
    room.later(hours=5)
    serving = room.move(called, Verb.START)
    assert is_forgotten(serving, limit, NOW + timedelta(hours=5, minutes=minutes)) is expected
    assert is_forgotten(called, limit, NOW + timedelta(minutes=minutes)) is expected


def test_another_call_shows_that_somebody_is_there() -> None:
    room = Room()
    room.issue()
    called = room.call()
    room.later(hours=3)
    assert is_forgotten(called, 120, room.session.now)
    assert not is_forgotten(room.move(called, Verb.RECALL), 120, room.session.now)


def at_counter(state: str, **held: Any) -> CounterView:
    since = (datetime.now(UTC) - timedelta(hours=3, seconds=5)).isoformat()
    token = {"tokenId": 1, "displayNumber": "CW-001", "departmentId": "CW", "state": state, "since": since, **held}
    view = {"branchId": "main", "counterId": "3", "state": "OPEN", "reason": None, "operator": None, "token": token}
    return cast(CounterView, {**view, "leaseUntil": None, "departments": [], "isDeclared": False})


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        ("SERVING", {"isForgotten": True}, {"3": "CW-001 in service for 3 h: forgotten?"}),
        ("CALLED", {"isForgotten": True}, {"3": "CW-001 called for 3 h: forgotten?"}),
        ("SERVING", {"isForgotten": False}, {}),
        ("SERVING", {}, {}),
    ],
)
def test_the_command_line_repeats_what_the_server_says(
    state: str, said: dict[str, bool], expected: dict[str, str]
) -> None:
    """A server of an earlier release says nothing, and the command line has no opinion of its own."""
    assert forgotten_at([at_counter(state, **said)]) == expected


def test_a_queue_says_what_to_do_with_a_forgotten_service(capsys: pytest.CaptureFixture[str]) -> None:
    view = {
        "departmentId": "CW",
        "name": "Cash",
        "businessDay": "2026-08-07",
        "opening": {"isOpen": True},
        "counts": {"waiting": 0, "served": 0, "noShow": 0},
        "estimate": None,
        "counters": [at_counter("SERVING", isForgotten=True)],
        **{state: [] for state in ("waiting", "called", "serving", "parked")},
    }
    queue._show(cast(QueueView, view))
    shown = capsys.readouterr()
    assert "Counter 3: CW-001 in service for 3 h: forgotten?\n" in shown.out
    assert "'tokenq serve NUMBER'" in shown.err


def test_a_list_of_counters_says_it_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        def counters(self, branch: str) -> list[CounterView]:
            return [at_counter("CALLED", isForgotten=True)]

    monkeypatch.setattr(counter, "connect", Server)
    monkeypatch.setattr(counter, "zone_of", lambda *_: "UTC")
    counter.list_()
    shown = capsys.readouterr()
    assert "CW-001 called for 3 h: forgotten?" in shown.out
    assert "'tokenq no-show NUMBER'" in shown.err
