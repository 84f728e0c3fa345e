from datetime import date, datetime, timedelta
from typing import cast

import pytest

from tests.screens.console_seeds import NOON, FakeApi, busy_api, token
from tokenq.contract.views import QueueView
from tokenq_tui.console.actions import ACTIONS, BUTTONS, action_named
from tokenq_tui.console.availability import is_available
from tokenq_tui.console.execution import PendingAction, Refresh, carry_out
from tokenq_tui.console.own_changes import OwnChange
from tokenq_tui.console.state import State
from tokenq_tui.console.times import here_for, stopwatch


def noting(refreshed: list[str]) -> Refresh:
    def refresh(*departments: str, after: OwnChange | None = None) -> None:
        refreshed.extend(departments)

    return refresh


def busy_state(counter: str = "3") -> State:
    api = busy_api()
    state = State(counter=counter).with_departments(["CW", "LAB", "XR"])
    for department in state.departments:
        state = state.with_queue(api.queue(department))
    return state


def test_finds_the_token_at_our_counter_and_those_at_the_others() -> None:
    state = busy_state()
    assert state.held is not None
    assert state.held["displayNumber"] == "CW-012"
    assert [each["displayNumber"] for each in state.elsewhere] == ["CW-011", "CW-010"]
    assert state.counters_in_use == ["1", "3", "Window 2"]


def test_the_token_at_our_counter_is_found_while_looking_at_another_department() -> None:
    """A counter holds at most one token; it must not be forgotten in another tab."""
    state = busy_state().select("LAB")
    assert state.held is not None
    assert state.next_up is not None
    assert (state.held["displayNumber"], state.next_up["displayNumber"]) == ("CW-012", "LAB-003")


def test_an_older_answer_that_arrives_late_does_not_replace_a_newer_one() -> None:
    api = busy_api()
    old = api.queue("CW")
    api.seq += 1
    new = api.queue("CW")
    state = State().with_departments(["CW"]).with_queue(new).with_queue(old)
    assert state.queue is new


def test_a_log_that_went_back_is_believed_as_soon_as_it_is_asked_after_the_newer_answer_came() -> None:
    """A restored back-up: what was fetched later is true, however high the other one counted."""
    api = busy_api()
    restored = api.queue("CW")
    api.seq += 50
    before = api.queue("CW")
    state = State().with_departments(["CW"]).with_queue(before, requested_at=1.0, received_at=2.0)
    assert state.with_queue(restored, requested_at=1.5, received_at=3.0).queue is before, "it may have been read before"
    state = state.with_last_move(before["called"][0], "recall").with_queue(restored, requested_at=2.5, received_at=3.0)
    assert (state.queue, state.last) == (restored, None), "what was done last is forgotten there too"
    assert (
        state.with_queue(before, requested_at=3.5, received_at=4.0).with_queue(restored, requested_at=3.8).queue
        is before
    )


def test_a_new_business_day_replaces_the_old_one() -> None:
    api = busy_api()
    today = api.queue("CW")
    tomorrow = api.queue("CW")
    tomorrow["businessDay"] = "2026-08-08"
    assert State().with_departments(["CW"]).with_queue(today).with_queue(tomorrow).queue is tomorrow


def test_departments_go_round_and_the_chosen_one_stays() -> None:
    state = State().with_departments(["CW", "LAB", "CW"])
    assert [state.selected, state.step(1).selected, state.step(2).selected] == ["CW", "LAB", "CW"]
    assert state.step(-1).with_departments(["XR", "LAB"]).selected == "LAB"
    assert state.select("NOPE").selected == "CW"
    assert State().step(1) == State()


def first_look(waiting: dict[str, int]) -> State:
    """A console that was not told a department, after the first fetch of each."""
    api = FakeApi([token(each, number) for each, many in waiting.items() for number in range(many)], list(waiting))
    state = State().with_departments(waiting)
    for department in waiting:
        state = state.with_queue(api.queue(department))
    return state


def test_the_first_look_goes_to_the_first_department_in_which_somebody_waits() -> None:
    assert first_look({"CW": 0, "LAB": 2, "XR": 1}).selected == "LAB"
    assert first_look({"CW": 0, "LAB": 0}).selected == "CW"


def test_after_the_first_look_only_the_person_changes_the_department() -> None:
    api = FakeApi([token("LAB", 1)], ["CW", "LAB"])
    empty = first_look({"CW": 0, "LAB": 0})
    assert empty.with_queue(api.queue("LAB")).selected == "CW"
    chosen = State().with_departments(["CW", "LAB"]).select("CW")
    assert chosen.with_queue(api.queue("CW")).with_queue(api.queue("LAB")).selected == "CW"


def test_keys_and_names_of_intents_are_unique() -> None:
    assert len({each.key for each in ACTIONS}) == len({each.name for each in ACTIONS}) == len(ACTIONS)
    assert [action_named(name).name for name in BUTTONS] == list(BUTTONS)


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        ([], {"call", "call_row", "serve_next", "call_any"}),
        (
            ["recall", "start", "serve", "no-show", "requeue", "cancel"],
            {"recall", "start", "serve", "no_show", "requeue", "cancel"},
        ),
        (["serve", "requeue", "park", "transfer"], {"serve", "requeue", "park", "transfer"}),
    ],
)
def test_exactly_the_moves_of_the_token_are_offered(held: list[str], offered: set[str]) -> None:
    api = busy_api()
    for each in api.known.values():
        if each["counterId"] == "3":
            each["counterId"], each["moves"] = ("3" if held else "4"), held
    state = State(counter="3").with_departments(["CW"]).with_queue(api.queue("CW"))
    always = {"next_department", "previous_department", "counter", "refresh", "help", "quit", "reinstate", "pause"}
    always |= {"cancel_row", "class_row", "transfer_row", "find", "mark", "unmark", "palette"}
    row = state.next_up
    assert {each.name for each in ACTIONS if is_available(each, state, row)} == offered | always


def test_waiting_times_and_stopwatches_read_well() -> None:
    assert [here_for(token("CW", 1, minutes=m), NOON) for m in (0, 12.9, 99, 125, -3)] == [
        "0 min",
        "12 min",
        "1 h 39",
        "2 h 05",
        "0 min",
    ]
    assert [stopwatch(timedelta(seconds=s)) for s in (-5, 7, 83, 3725)] == ["0:00", "0:07", "1:23", "1:02:05"]


def test_a_counter_serves_the_departments_of_one_branch() -> None:
    """And nothing is claimed before all of them are known: each claim would replace the one before."""
    state = State(counter="3").with_departments(["CW", "LAB", "HR"])
    api = busy_api()
    api.ids.append("HR")
    state = state.with_queue(api.queue("CW")).with_queue(api.queue("LAB"))
    assert state.profile is None
    state = state.with_queue(cast(QueueView, {**api.queue("HR"), "branchId": "north"}))
    assert state.profile == ("CW", "LAB")
    assert state.select("HR").profile == ("HR",)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("15 copies", {"untilMinutes": 15, "reason": "copies"}),
        ("15", {"untilMinutes": 15, "reason": None}),
        ("", {"reason": None}),
        ("form 12", {"reason": "form 12"}),
    ],
)
def test_parking_takes_minutes_first_and_then_the_reason(answer: str, body: dict[str, object]) -> None:
    api = busy_api()
    held = api.queue("CW")["called"][0]
    told: list[object] = []
    refreshed: list[str] = []
    carry_out(PendingAction(action_named("park"), State(), held, answer), api, told.append, noting(refreshed))
    assert (api.bodies, refreshed) == ([body], ["CW"])


def test_parking_takes_a_time_of_day() -> None:
    api = busy_api()
    carry_out(
        PendingAction(action_named("park"), State(), api.queue("CW")["called"][0], "23:59 X-ray"),
        api,
        [].append,
        noting([]),
    )
    (body,) = api.bodies
    until = datetime.fromisoformat(body["until"])
    assert (until.hour, until.minute, until.date(), body["reason"]) == (23, 59, date.today(), "X-ray")
    assert until.tzinfo is not None


def test_a_counter_of_the_same_name_in_another_branch_is_not_ours() -> None:
    """Who may work in two branches sees both; a token at the other counter 3 is somebody else's."""
    api = busy_api()
    north = api.queue("CW")
    north["branchId"] = "north"
    here = api.queue("LAB")
    state = State(counter="3", is_chosen=True).with_departments(["LAB", "CW"]).with_queue(here).with_queue(north)
    assert (state.selected, state.held) == ("LAB", None)
    assert state.select("CW").held is not None


def test_our_counter_is_as_it_was_fetched_last() -> None:
    """A department whose queue changes seldom knows of a pause later than the one just fetched."""
    api = busy_api()
    api.open_counter("main", "9")
    open_, paused = api.queue("LAB"), api.pause_counter("main", "9", "lunch")
    state = State(counter="9").with_departments(["LAB", "XR"]).with_queue(open_, received_at=1.0)
    assert not state.is_paused
    assert state.with_queue(api.queue("XR"), received_at=2.0).own_counter == paused


def test_what_is_needed_beyond_the_departments_shown_is_the_one_of_the_token_at_our_counter() -> None:
    api = busy_api()
    api.open_counter("main", "3")
    state = State(counter="3").with_departments(["LAB"]).with_queue(api.queue("LAB"))
    assert (state.beyond, state.held) == (("CW",), None)
    state = state.with_queue(api.queue("CW")).without_unneeded()
    assert state.held is not None
    assert state.held["displayNumber"] == "CW-012"
    assert (state.departments, state.profile) == (("LAB",), ("LAB",))
    assert list(state.with_queue(api.queue("XR")).without_unneeded().queues) == ["LAB", "CW"]


def test_after_a_move_of_a_department_that_is_not_shown_the_shown_one_is_fetched_too() -> None:
    """Its queue has not changed, but what it says of our counter has."""
    api = busy_api()
    api.open_counter("main", "3")
    state = State(counter="3").with_departments(["LAB"]).with_queue(api.queue("LAB")).with_queue(api.queue("CW"))
    fetched: list[str] = []
    carry_out(PendingAction(action_named("serve"), state, state.held), api, lambda _: None, noting(fetched))
    assert fetched == ["CW", "LAB"]
