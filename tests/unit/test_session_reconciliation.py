"""How sessions and readers are reconciled with lost events."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from tests.unit.lost_events import (
    CALLED,
    CANCELLED,
    GENERATED,
    RECLASSED,
    REVERTED,
    SERVED,
    TO_HR,
    TO_URGENT,
    TRANSFERRED,
    Topic,
)
from tests.unit.sessions import NOW, Room
from tokenq.contract.enums import Priority
from tokenq.contract.events import Event, EventType
from tokenq_server.domain.token import Token
from tokenq_server.recovery.session_reconciliation import Reconciled, reconcile_floors
from tokenq_server.recovery.token_history import histories


def reconcile(
    room: Room,
    lost: Iterable[Event],
    known: Iterable[Token] = (),
    *,
    diverged: Collection[str] = (),
    overwritten: Mapping[str, Collection[int]] | None = None,
    taken: Collection[tuple[str, int]] = (),
) -> Reconciled:
    """Reconcile the sessions that have diverged (all, if none is named), and forget what they logged before."""
    for session in room.sessions.values():
        session.records.clear()
    sessions = {name: session for name, session in room.sessions.items() if not diverged or name in diverged}
    return reconcile_floors(sessions, {one.token_id: one for one in known}, histories(lost), overwritten or {}, taken)


def told(room: Room, of: str = "CW") -> list[tuple[str, int, str, str]]:
    """What readers of a department learn: the event, of whom, the state, and where that one is."""
    return [
        (str(one.event_type), one.token.token_id, str(one.data.get("state", "")), str(one.data.get("to", of)))
        for one in room.sessions[of].records
    ]


def test_who_waits_in_their_first_department_again_stands_on_no_other_board() -> None:
    """Transferred, and given another class there: made again where the number was given, gone from the other."""
    room, topic = Room("CW", "HR"), Topic()
    done = reconcile(
        room,
        [
            topic.tells("CW", GENERATED),
            topic.tells("CW", TRANSFERRED, TO_HR),
            topic.tells("HR", TRANSFERRED, TO_HR),
            topic.tells("HR", RECLASSED, TO_URGENT, priority="urgent"),
        ],
    )

    assert done == Reconciled(waiting_again=["CW-007"])
    assert room.waiting("CW") == {Priority.URGENT: 1}
    assert told(room, "CW") == [("TOKEN_REINSTATED", 7, "", "CW")]
    assert told(room, "HR") == [("TOKEN_REVERTED", 7, "WAITING", "CW")]


def test_whoever_s_id_was_given_again_where_nothing_is_missing_is_named_and_leaves_the_board() -> None:
    """The restored database counted ids from the back-up on, and another department came first."""
    room = Room("CW", "HR")
    other = room.issue("HR")
    done = reconcile(room, [Topic(other.token_id).tells("CW", GENERATED)], [other], diverged=["CW"])

    assert done == Reconciled(not_restored=["CW-007"])
    assert told(room, "CW") == [("TOKEN_REVERTED", other.token_id, "WAITING", "HR")]
    assert told(room, "HR") == []


def test_whoever_s_id_was_given_again_leaves_every_board_where_they_were() -> None:
    """Also where they had been sent; where the id is now, readers learn whose."""
    room = Room("CW", "HR", "PM")
    other = room.issue("PM")
    topic = Topic(other.token_id)
    done = reconcile(
        room,
        [
            topic.tells("CW", GENERATED),
            topic.tells("CW", TRANSFERRED, TO_HR),
            topic.tells("HR", TRANSFERRED, TO_HR),
        ],
        [other],
    )

    assert done == Reconciled(not_restored=["CW-007"])
    assert told(room, "CW") == []
    assert told(room, "HR") == [("TOKEN_REVERTED", other.token_id, "WAITING", "PM")]
    assert told(room, "PM") == [("TOKEN_REVERTED", other.token_id, "WAITING", "PM")]


def test_who_is_believed_where_they_are_not_leaves_that_board_though_nothing_is_missing_at_home() -> None:
    """Of a transfer only the other department's entry had been published."""
    room = Room("CW", "HR")
    token = room.issue("CW")
    done = reconcile(room, [Topic(token.token_id).tells("HR", TRANSFERRED, TO_HR)], [token], diverged=["HR"])

    assert done == Reconciled(told_again=["CW-001"])
    assert told(room, "HR") == [("TOKEN_REVERTED", token.token_id, "WAITING", "CW")]


def test_a_claim_of_the_lost_hour_is_stale() -> None:
    """Whoever is called once more gets a claim that no console has seen on anybody yet."""
    room = Room()
    token = room.issue()
    topic = Topic(token.token_id, 1)
    undone = topic.tells("CW", REVERTED, {"undone": "call", "state": "WAITING"})
    done = reconcile(room, [topic.tells("CW", CALLED), undone, topic.tells("CW", CALLED)], [token])

    assert done == Reconciled(told_again=["CW-001"])
    assert room.session.changed[token.token_id].claim_version == 3
    assert room.waiting() == {Priority.NORMAL: 1}
    assert room.call().claim_version == 4


def test_a_claim_is_stale_too_where_readers_believe_what_is_true() -> None:
    """Called and put back in the lost hour: nothing to tell, but a console may have seen the call."""
    room = Room()
    token = room.issue()
    topic = Topic(token.token_id, 1)
    done = reconcile(room, [topic.tells("CW", CALLED), topic.tells("CW", EventType.TOKEN_REQUEUED)], [token])

    assert done == Reconciled()
    assert told(room) == []
    assert room.call().claim_version == 3


def test_claims_on_who_is_made_again_and_on_who_came_to_their_end_are_stale() -> None:
    room = Room()
    token = room.issue()
    old, new = Topic(token.token_id, 1), Topic(token.token_id + 1, 2)
    lost = [old.tells("CW", CALLED), old.tells("CW", SERVED), new.tells("CW", GENERATED), new.tells("CW", CALLED)]
    done = reconcile(room, lost, [token])

    assert done == Reconciled(ended=["CW-001"], waiting_again=["CW-002"])
    assert [one.claim_version for one in room.session.changed.values()] == [2, 2]


def test_a_claim_on_an_id_that_was_given_again_is_stale() -> None:
    """A console that still shows the first person must not serve the second."""
    room = Room()
    token = room.issue()
    topic = Topic(token.token_id)
    reconcile(room, [topic.tells("CW", GENERATED), topic.tells("CW", CALLED)], [token])

    assert room.call().claim_version == 3


def test_who_came_to_an_end_stays_there_and_nobody_is_told_twice() -> None:
    room = Room()
    token = room.issue()
    topic = Topic(token.token_id, 1)
    done = reconcile(room, [topic.tells("CW", CALLED), topic.tells("CW", SERVED)], [token])

    assert done == Reconciled(ended=["CW-001"])
    assert room.waiting() == {}
    assert told(room) == []
    assert room.session.tokens[token.token_id].served_at == NOW + timedelta(seconds=22)


def test_what_staff_did_since_the_restore_stays() -> None:
    """The log went on there: readers are told of those whose events they will not see."""
    room = Room()
    first, second = room.issue(), room.issue()
    called = room.call()
    topic = Topic(first.token_id, 1)
    done = reconcile(
        room,
        [topic.tells("CW", CALLED), topic.tells("CW", SERVED)],
        [called, second],
        overwritten={"CW": [first.token_id, second.token_id]},
    )

    assert done == Reconciled(told_again=["CW-001", "CW-002"])
    assert told(room) == [
        ("TOKEN_REVERTED", first.token_id, "CALLED", "CW"),
        ("TOKEN_REVERTED", second.token_id, "WAITING", "CW"),
    ]
    assert room.counters.held(called.branch_id, "1") == replace(called, claim_version=called.claim_version + 2)


def test_who_cannot_be_made_again_is_named() -> None:
    """The number is somebody else's by now; or nothing says when and where it was given."""
    room = Room()
    lost = [Topic().tells("CW", GENERATED), Topic(8, 8).tells("CW", CANCELLED)]
    assert reconcile(room, lost, taken=[("CW", 7)]) == Reconciled(not_restored=["CW-007", "CW-008"])


def test_nobody_of_a_day_that_is_over_is_made_again() -> None:
    yesterday = replace(Topic().tells("CW", GENERATED), business_day="2026-11-22")
    room = Room()
    assert reconcile(room, [yesterday]) == Reconciled()
    assert told(room) == []
