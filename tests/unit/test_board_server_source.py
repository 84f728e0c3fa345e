"""The board's items from a server that does as it is told."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.refusals import refusal
from tests.screens.board_seeds import Log
from tests.waiting import until
from tokenq.client.events import Arrival, EventArrived, LinkChanged, Resync
from tokenq.client.transport import Server
from tokenq.contract.events import Event
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import BadReply, ChangedCertificate, Unreachable, UntrustedCertificate
from tokenq.stream import Arrived, Began, Item, Link, WaitsChanged
from tokenq.stream import LinkChanged as LinkMoved
from tokenq_tui.board import server_source
from tokenq_tui.board.server_source import ServerSource

NOW = datetime.now(UTC)
Script = list[Any]
"""One entry per connection: what its stream delivers, or an exception."""


def state(seq: int = 10, *, branch: str = "main", at: datetime = NOW) -> Any:
    department = {
        "departmentId": "CW", "name": "Cash", "open": True, "timezone": "UTC", "hours": None,
        "businessDay": "2026-08-07",
        "seq": seq, "lastEventAt": "2026-08-07T12:00:00Z", "waiting": 1, "waitingIds": [7], "calls": [], "paused": [],
        "expired": None,
    }  # fmt: skip
    return {"at": at.isoformat(), "branchId": branch, "name": "Main", "timezone": "UTC", "departments": [department],
            "position": f"CW:{seq}"}  # fmt: skip


class Api:
    """Answers with these states, one after the other, the last one again and again; exceptions are raised."""

    def __init__(self, *answers: Any) -> None:
        self.server = Server("http://127.0.0.1:1", "tq_x")
        self._answers = list(answers)
        self.is_closed = False
        self.asked = 0

    def board(self, branch: str) -> Any:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Script]]:
    """What each connection delivers; it notes where it was told to begin. The last one stays open."""
    monkeypatch.setattr(server_source, "_PAUSE", 0.01)
    monkeypatch.setattr(server_source, "_BREATH", 0.01)
    scripts: list[tuple[str, Script]] = []
    begun: list[str] = []

    def follow(_: Server, __: Sequence[str], position: str, cut: threading.Event) -> Iterator[Arrival]:
        place = len(begun)
        begun.append(position)
        script = scripts[place][1] if place < len(scripts) else []
        if place < len(scripts):
            scripts[place] = (position, script)
        for step in script:
            if isinstance(step, Exception):
                raise step
            yield step
        cut.wait(20)

    monkeypatch.setattr(server_source, "follow", follow)
    return scripts


def read(source: ServerSource, count: int) -> list[Item]:
    items: list[Item] = []

    def enough() -> bool:
        item = source.read(0.05)
        items.extend([item] if item is not None else [])
        return len(items) >= count

    until(enough, lambda: f"only {items}")
    return items


def arrived(event: Event) -> EventArrived:
    return EventArrived(event, f"CW:{event.seq}")


def event(seq: int, kind: str = "TOKEN_CALLED", **more: Any) -> Event:
    made = Log().add(kind, "CW", seq, "1", seq=seq)
    return replace(made, timestamp=NOW, **more)


LIVE = LinkChanged(is_live=True)


def kinds(items: Sequence[Item]) -> list[type]:
    return [type(item) for item in items]


def test_it_begins_with_the_state_and_follows_from_there(streams: list[tuple[str, Script]]) -> None:
    streams.append(("", [LIVE, arrived(event(11)), arrived(event(12))]))
    api = Api(state())
    source = ServerSource(api, "main")
    items = read(source, 4)
    assert kinds(items) == [Began, LinkMoved, Arrived, Arrived]
    assert streams[0][0] == "CW:10"
    source.close()
    until(lambda: api.is_closed)


def test_a_state_that_was_just_fetched_is_not_fetched_again(streams: list[tuple[str, Script]]) -> None:
    """Except when it must begin anew."""
    streams += [("", [LIVE, arrived(event(11)), Resync()]), ("", [LIVE])]
    api = Api(state(30))
    source = ServerSource(api, "main", state=state(10))
    items = read(source, 3)
    assert kinds(items) == [Began, LinkMoved, Arrived]
    assert kinds(read(source, 1)) == [Began]
    assert api.asked == 1
    until(lambda: streams[1][0] == "CW:30")
    source.close()


@pytest.mark.parametrize("turn", [Resync(), arrived(event(11, "LOG_REWOUND", token_id=0))])
def test_after_a_rewound_log_or_missed_events_it_begins_anew(streams: list[tuple[str, Script]], turn: Arrival) -> None:
    """What was read before is void."""
    streams += [("", [LIVE, turn, arrived(event(12))]), ("", [LIVE, arrived(event(31))])]
    source = ServerSource(Api(state(10), state(30)), "main")
    items = read(source, 4)
    assert kinds(items) == [Began, LinkMoved, Began, Arrived]
    assert isinstance(items[3], Arrived)
    assert (streams[1][0], items[3].event.seq) == ("CW:30", 31)
    source.close()


def test_other_branches_are_left_out_and_a_department_that_moves_makes_it_begin_anew(
    streams: list[tuple[str, Script]],
) -> None:
    strange = replace(event(5), department_id="LAB", branch_id="east")
    streams.append(("", [LIVE, arrived(strange), arrived(event(11)), arrived(event(12, branch_id="east"))]))
    source = ServerSource(Api(state()), "main")
    items = read(source, 4)
    assert kinds(items) == [Began, LinkMoved, Arrived, Began]
    source.close()


def test_a_new_department_is_followed_from_its_first_event(streams: list[tuple[str, Script]]) -> None:
    new = [replace(event(seq), department_id="LAB") for seq in (1, 2)]
    streams.append(("", [LIVE, *map(arrived, new)]))
    source = ServerSource(Api(state()), "main")
    assert kinds(read(source, 4)) == [Began, LinkMoved, Arrived, Arrived]
    source.close()


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Unreachable("Cannot reach it."), "Cannot reach it."),
        (Refused(refusal(ProblemCode.UNAVAILABLE, "The database is away.").problem), "The database is away."),
        ({"departments": 7}, "The server's answer cannot be read."),
        ({**state(), "departments": [{"departmentId": "CW"}]}, "The server's answer cannot be read."),
    ],
)
def test_a_server_that_does_not_answer_is_waited_for(streams: list[tuple[str, Script]], failure: Any, why: str) -> None:
    """Whatever it answers: a lobby's screen goes on."""
    streams.append(("", [LIVE]))
    source = ServerSource(Api(failure, failure, state()), "main")
    items = read(source, 3)
    assert items[0] == LinkMoved(Link.LOST, why)
    assert kinds(items[1:]) == [Began, LinkMoved]
    source.close()


def test_a_lost_link_is_told_with_the_time_since(streams: list[tuple[str, Script]]) -> None:
    streams.append(("", [LIVE, LinkChanged(is_live=False, sentence="It was interrupted.")]))
    source = ServerSource(Api(state()), "main")
    items = read(source, 3)
    assert items[2] == LinkMoved(Link.LOST, "It was interrupted.")
    heard_at = source.heard_at
    assert heard_at is not None
    assert source.heard_at == heard_at
    source.close()


def test_a_key_that_is_refused_while_it_runs_is_said(streams: list[tuple[str, Script]]) -> None:
    """And tried again: it may be given its rights back."""
    gone = Refused(refusal(ProblemCode.UNAUTHENTICATED, "This login is invalid.").problem)
    streams += [("", [LIVE, gone]), ("", [LIVE])]
    source = ServerSource(Api(state()), "main")
    items = read(source, 5)
    assert items[2] == LinkMoved(Link.LOST, "This login is invalid.")
    assert kinds(items[3:]) == [Began, LinkMoved]
    source.close()


@pytest.mark.parametrize("wrong_by", [timedelta(hours=-3), timedelta(hours=3)])
def test_the_age_of_a_call_is_by_the_server_s_clock(streams: list[tuple[str, Script]], wrong_by: timedelta) -> None:
    """A board whose own clock is wrong would announce nothing, or everything again."""
    server_now = NOW + wrong_by
    old = replace(event(11), timestamp=server_now - timedelta(minutes=10))
    streams.append(("", [LIVE, arrived(old), arrived(replace(event(12), timestamp=server_now))]))
    source = ServerSource(Api(state(at=server_now)), "main")
    first, second = read(source, 4)[2:]
    assert isinstance(first, Arrived)
    assert isinstance(second, Arrived)
    assert (round(first.delay / 60), round(second.delay / 60)) == (10, 0)
    source.close()


def test_reading_again_fetches_the_state(streams: list[tuple[str, Script]]) -> None:
    streams += [("", [LIVE]), ("", [LIVE])]
    source = ServerSource(Api(state(10), state(20)), "main")
    read(source, 2)
    source.read_again()
    (item,) = read(source, 1)
    assert isinstance(item, Began)
    assert item.state["position"] == "CW:20"
    source.close()


TODO = {
    ChangedCertificate: "The server's certificate has changed: run 'tokenq login http://127.0.0.1:1', "
    "then restart the board.",
    UntrustedCertificate: "The server's certificate is not trusted: run 'tokenq login http://127.0.0.1:1', "
    "then restart the board.",
}


@pytest.mark.parametrize("kind", TODO)
def test_a_wrong_certificate_is_said_with_what_to_do_and_tried_again(
    streams: list[tuple[str, Script]], kind: type[BadReply]
) -> None:
    """Whether the stream or the state meets it first."""
    error = kind("Another one.")
    streams.append(("", [LIVE, LinkChanged(is_live=False, sentence="Lost.", wrong_certificate=error), Resync()]))
    streams.append(("", [LIVE]))
    source = ServerSource(Api(state(), error, error, state(20)), "main")
    items = read(source, 5)
    source.close()
    assert [item for item in items if isinstance(item, LinkMoved)] == [
        LinkMoved(Link.LIVE),
        LinkMoved(Link.LOST, "Lost.", TODO[kind]),
        LinkMoved(Link.LOST, "Another one.", TODO[kind]),
    ] + [item for item in items[4:] if isinstance(item, LinkMoved)]
    assert isinstance(items[4], Began), "it went on trying"


def test_while_the_state_is_fetched_anew_nothing_is_heard(streams: list[tuple[str, Script]]) -> None:
    """A server that hangs after a resync must not look live."""
    answering = threading.Event()

    class Hanging(Api):
        def board(self, branch: str) -> Any:
            if self.asked:
                answering.wait(20)
            return super().board(branch)

    streams.append(("", [LinkChanged(is_live=True), Resync()]))
    source = ServerSource(Hanging(state()), "main")
    until(lambda: source.read(0.1) == LinkMoved(Link.LIVE))
    until(lambda: _heard_nothing_for(0.3, source))
    answering.set()
    source.close()


def _heard_nothing_for(seconds: float, source: ServerSource) -> bool:
    before = source.heard_at
    threading.Event().wait(seconds)
    return source.heard_at == before


def test_the_expected_waits_are_asked_for_again_and_nothing_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event tells them. A server that does not answer that is no lost link."""

    def follow(_: Server, __: Sequence[str], ___: str, cut: threading.Event) -> Iterator[Arrival]:
        yield LIVE
        cut.wait(20)

    monkeypatch.setattr(server_source, "follow", follow)
    monkeypatch.setattr(server_source, "_WAITS_EVERY", 0.01)
    later = state()
    later["departments"][0]["estimate"] = {"lowMinutes": 5, "highMinutes": 15}
    api = Api(state(), Unreachable("Down."), later)
    source = ServerSource(api, "main")
    assert kinds(read(source, 2)) == [Began, LinkMoved]
    assert read(source, 1) == [WaitsChanged({"CW": (5, 15)})]
    source.close()
    until(lambda: api.is_closed)
