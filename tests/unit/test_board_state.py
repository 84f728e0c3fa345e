import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens.board_seeds import NOON, Log, busy_log
from tokenq.board.department_setup import place_from
from tokenq.board.picture import Picture
from tokenq.board.state import Fold
from tokenq.contract.board_views import RECENT_CALLS
from tokenq.contract.enums import TokenState
from tokenq.contract.events import Event, EventType
from tokenq_server.services.event_ids import new_event_id


def picture_of(events: list[Event], only: tuple[str, ...] = ()) -> Picture:
    fold = Fold(only)
    for event in events:
        fold.apply(event)
    return fold.picture(NOON)


def numbers(picture: Picture) -> list[str]:
    return [call.number for call in picture.calls]


def test_counts_who_waits_and_shows_who_is_at_which_counter() -> None:
    log = busy_log()
    ward = picture_of(log.events).departments[0]
    assert (ward.department_id, ward.waiting) == ("CW", 13)
    assert [(call.number, call.counter, call.state) for call in ward.at_counters] == [
        ("CW-012", "3", TokenState.CALLED),
        ("CW-011", "2", TokenState.CALLED),
        ("CW-010", "1", TokenState.SERVING),
    ]


def test_lists_calls_of_all_departments_newest_first_and_counts_repeats() -> None:
    picture = picture_of(busy_log().events)
    assert numbers(picture)[:4] == ["CW-012", "LAB-002", "XR-001", "CW-011"]
    assert [call.times for call in picture.calls[:3]] == [1, 2, 1]


def test_a_served_call_stays_in_the_list_as_over() -> None:
    log = Log()
    log.issue("CW", 1)
    log.call("CW", 1, "3")
    log.serve("CW", 1, "3")
    picture = picture_of(log.events)
    assert [(call.number, call.state) for call in picture.calls] == [("CW-001", TokenState.SERVED)]
    assert picture.departments[0].at_counters == ()


def test_a_call_that_was_taken_back_is_not_shown() -> None:
    """Somebody would walk to a counter that does not expect them."""
    for kind in ("TOKEN_REQUEUED", "TOKEN_CANCELLED", "TOKEN_PARKED", "TOKEN_EXPIRED"):
        log = Log()
        log.issue("CW", 1)
        log.call("CW", 1, "3")
        log.add(kind, "CW", 1)
        picture = picture_of(log.events)
        assert picture.calls == ()
        assert picture.departments[0].waiting == (1 if kind == "TOKEN_REQUEUED" else 0)


def test_reinstated_and_resumed_wait_again() -> None:
    log = Log()
    log.issue("CW", 1, 2)
    log.call("CW", 1, "1")
    log.add("TOKEN_NO_SHOW", "CW", 1)
    log.add("TOKEN_REINSTATED", "CW", 1)
    log.call("CW", 2, "1")
    log.add("TOKEN_PARKED", "CW", 2)
    log.add("TOKEN_RESUMED", "CW", 2)
    assert picture_of(log.events).departments[0].waiting == 2


def test_a_transfer_leaves_one_line_and_joins_the_other() -> None:
    log = Log()
    log.issue("CW", 1)
    log.issue("LAB", 1)
    log.add("TOKEN_TRANSFERRED", "CW", 1)
    token = log.events[0].token_id
    log.add("TOKEN_TRANSFERRED", "LAB", 1, token_id=token, display_number="CW-001")
    ward, lab = picture_of(log.events).departments
    assert (ward.waiting, lab.waiting) == (0, 2)


def test_a_new_business_day_forgets_calls_but_not_who_is_at_a_counter() -> None:
    """The end of the day takes nobody away from a counter; what is told of them later still counts."""
    log = Log()
    for token in (1, 2, 3):
        log.issue("CW", token)
        log.add("TOKEN_CALLED", "CW", token, str(token))
    log.add("TOKEN_SERVED", "CW", 3, "3")
    log.day = "2026-08-08"
    log.issue("CW", 4)
    picture = picture_of(log.events, ("CW",))
    assert picture.departments[0].waiting == 1
    assert {call.counter for call in picture.calls} == {"1", "2"}
    assert {call.counter for call in picture.departments[0].at_counters} == {"1", "2"}
    log.day = "2026-08-07"
    log.add("TOKEN_NO_SHOW", "CW", 2, "2")
    assert [call.counter for call in picture_of(log.events, ("CW",)).departments[0].at_counters] == ["1"]


def test_a_department_silent_since_yesterday_is_not_shown() -> None:
    """The board stays on over night; nobody is to read yesterday's numbers in the morning."""
    fold = Fold()
    for event in busy_log().events:
        fold.apply(event)
    assert fold.picture(NOON + timedelta(hours=2)).calls
    assert fold.picture(NOON + timedelta(hours=26)) == Picture()


def test_only_the_departments_asked_for_are_folded() -> None:
    assert [each.department_id for each in picture_of(busy_log().events, ("LAB", "XR")).departments] == ["LAB", "XR"]


def test_unknown_types_move_the_numbering_and_are_named() -> None:
    log = Log()
    log.issue("CW", 1)
    log.add("TOKEN_ABDUCTED", "CW", 1)
    log.issue("CW", 2)
    picture = picture_of(log.events)
    assert (picture.departments[0].waiting, picture.gaps) == (2, 0)
    assert picture.unknown_events == ("TOKEN_ABDUCTED",)


def test_an_unknown_event_of_a_counter_does_not_end_its_pause() -> None:
    log = Log()
    log.add("COUNTER_PAUSED", "CW", 0, "3", token_id=0)
    log.add("COUNTER_PAINTED", "CW", 0, "3", token_id=0)
    picture = picture_of(log.events)
    assert (picture.departments[0].paused, picture.unknown_events) == (("3",), ("COUNTER_PAINTED",))


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_of_this_release_is_understood(event_type: EventType) -> None:
    """One that the fold has no row for would be dropped, and the board be wrong in silence."""
    log = Log()
    log.issue("CW", 1)
    token_id = log.events[0].token_id if event_type.startswith("TOKEN_") else 0
    log.add(event_type, "CW", 1, "1", token_id=token_id, data={"state": "WAITING"})
    assert picture_of(log.events).unknown_events == ()


def test_an_undo_to_a_state_that_is_not_known_is_named() -> None:
    log = Log()
    log.issue("CW", 1)
    log.add("TOKEN_REVERTED", "CW", 1, data={"state": "ABDUCTED"})
    assert picture_of(log.events).unknown_events == ("TOKEN_REVERTED",)


def test_unknown_types_are_few_and_short_and_forgotten_over_night() -> None:
    """Whoever can write to the topic can make up any number of types, and endless ones."""
    log = Log()
    for number in range(20):
        log.add(f"TOKEN_{number}_{'X' * 100}", "CW", 1)
    names = picture_of(log.events).unknown_events
    assert (len(names), max(map(len, names))) == (8, 40)
    log.day = "2026-08-08"
    log.issue("CW", 2)
    assert picture_of(log.events).unknown_events == ()


def test_a_jump_in_the_numbering_is_noted() -> None:
    log = busy_log()
    assert picture_of(log.events).gaps == 0
    assert picture_of(log.events[:3] + log.events[5:]).gaps == 1


def test_impossible_department_ids_are_ignored() -> None:
    log = Log()
    log.issue("CW", 1)
    bad = [replace(log.events[0], department_id=name) for name in ("", "\x1b[2J", "cw", "X" * 500)]
    assert picture_of(bad) == Picture()


def test_names_and_addresses_never_enter_the_state() -> None:
    log = busy_log()
    assert "example.com" not in repr(picture_of(log.events))


def test_remembers_a_bounded_number_of_calls() -> None:
    log = Log()
    for number in range(1, 100):
        log.call("CW", number, "1")
        log.serve("CW", number, "1")
    assert len(picture_of(log.events).calls) == RECENT_CALLS


@st.composite
def retold(draw: st.DrawFn) -> list[Event]:
    """The busy morning as at-least-once delivery may tell it: departments interleaved anyhow, parts repeated."""
    lines: dict[str, list[Event]] = {}
    for event in busy_log().events:
        lines.setdefault(event.department_id, []).append(event)
    told: list[Event] = []
    places = dict.fromkeys(lines, 0)
    while any(places[key] < len(lines[key]) for key in lines):
        key = draw(st.sampled_from(sorted(key for key in lines if places[key] < len(lines[key]))))
        back = draw(st.integers(0, 5))
        step = draw(st.integers(1, 20))
        told += lines[key][max(0, places[key] - back) : places[key] + step]
        places[key] += step
    return told


@given(retold())
def test_any_repetition_and_interleaving_gives_the_same_picture(events: list[Event]) -> None:
    assert picture_of(events) == picture_of(busy_log().events)


HOURS = {"weekly": {"fri": ["08:00-11:30", "12:30-16:00"]}, "exceptions": {}}


def setting_up(log: Log, department: str, **settings: object) -> None:
    told = {"name": "Children's Ward", "open": True, "timezone": "UTC", "hours": HOURS, **settings}
    log.add("DEPARTMENT_CHANGED", department, 0, token_id=0, display_number="", data={"settings": told})


def test_an_undone_call_disappears_and_an_undone_serve_is_at_the_counter_again() -> None:
    """Undo is the last word, and is not announced like a new call."""
    log = Log()
    log.issue("CW", 1, 2)
    log.call("CW", 1, "3")
    log.add("TOKEN_REVERTED", "CW", 1, data={"undone": "call", "state": "WAITING"})
    picture = picture_of(log.events)
    assert (picture.calls, picture.departments[0].waiting) == ((), 2)

    fold = Fold()
    log.call("CW", 1, "3")
    log.serve("CW", 1, "3")
    for event in log.events:
        fold.apply(event)
    undo = log.add("TOKEN_REVERTED", "CW", 1, "3", data={"undone": "serve", "state": "CALLED"})
    assert fold.apply(undo) is None
    (call,) = fold.picture(NOON).departments[0].at_counters
    assert (call.number, call.counter, call.state) == ("CW-001", "3", TokenState.CALLED)


def test_an_undo_makes_the_same_call_again_and_no_newer_one() -> None:
    """Whoever was called at nine and marked as served by mistake is still called at nine, behind later calls."""
    log = Log()
    log.issue("CW", 1, 2)
    first = log.call("CW", 1, "3")
    log.call("CW", 2, "4")
    log.serve("CW", 1, "3")
    log.add("TOKEN_REVERTED", "CW", 1, "3", data={"undone": "serve", "state": "SERVING"})
    newest, undone = picture_of(log.events).calls
    assert newest.number == "CW-002"
    assert (undone.at, undone.times, undone.state) == (first.timestamp, 1, TokenState.SERVING)
    log.add("TOKEN_REVERTED", "CW", 1, "3", data={"undone": "start", "state": "CALLED"})
    assert [(call.number, call.state) for call in picture_of(log.events).calls] == [
        ("CW-002", TokenState.CALLED),
        ("CW-001", TokenState.CALLED),
    ]


def test_an_undone_transfer_leaves_the_other_department_again() -> None:
    log = Log()
    log.issue("CW", 1)
    way = {"from": "CW", "to": "HR"}
    back = {"from": "HR", "to": "CW", "undone": "transfer", "state": "WAITING"}
    for department, kind, data in (
        ("CW", "TOKEN_TRANSFERRED", way),
        ("HR", "TOKEN_TRANSFERRED", way),
        ("HR", "TOKEN_REVERTED", back),
        ("CW", "TOKEN_REVERTED", back),
    ):
        log.add(kind, department, 1, token_id=7, data=data)
    assert [(one.department_id, one.waiting) for one in picture_of(log.events).departments] == [("CW", 2), ("HR", 0)]


def test_names_hours_and_closing_are_those_last_told() -> None:
    """NOON is a Friday, in the midday break of these hours."""
    log = Log()
    setting_up(log, "CW")
    (ward,) = picture_of(log.events).departments
    assert (ward.name, ward.hours, ward.is_closed) == ("Children's Ward", ("08:00-11:30", "12:30-16:00"), True)
    setting_up(log, "CW", timezone="Asia/Kolkata", hours={"weekly": {"fri": ["17:00-18:00"]}})
    assert not picture_of(log.events).departments[0].is_closed
    setting_up(log, "CW", open=False, hours=None)
    assert picture_of(log.events).departments[0].is_closed
    log.add("DEPARTMENT_CHANGED", "CW", 0, token_id=0, data={"archived": True})
    assert picture_of(log.events).departments == ()


@pytest.mark.parametrize(
    ("hours", "closed_at", "open_at"),
    [
        ({"thu": ["22:00-13:00"]}, {}, {"12:00"}),
        ({"fri": ["22:00-13:00"]}, {"12:00"}, {"22:00"}),
        ({"fri": ["00:00-24:00"]}, {}, {"00:00", "12:00", "23:59"}),
        ({"thu": ["22:00-00:00"]}, {"00:00", "12:00"}, {}),
        ({}, {"12:00"}, {}),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(
    hours: dict[str, list[str]], closed_at: set[str], open_at: set[str]
) -> None:
    place = place_from({"hours": {"weekly": hours, "exceptions": {}}})
    times = {text: NOON.replace(hour=int(text[:2]), minute=int(text[3:])) for text in {*closed_at, *open_at}}
    assert {text for text, now in times.items() if place.is_closed_at(now)} == set(closed_at)


def test_odd_settings_are_survived() -> None:
    """A forged or newer record must not stop the board."""
    for settings in (None, [], "x", {"hours": {"weekly": 7}}, {"hours": 5, "timezone": "Mars/Base", "name": 9}):
        log = Log()
        log.add("DEPARTMENT_CHANGED", "CW", 0, token_id=0, data={"settings": settings})
        log.issue("CW", 1)
        assert picture_of(log.events).departments[0].waiting == 1


def test_a_paused_counter_is_told_until_it_opens_or_calls() -> None:
    log = Log()
    log.issue("CW", 1)
    log.add("COUNTER_PAUSED", "CW", 0, "3", token_id=0, data={"reason": "lunch"})
    log.add("COUNTER_PAUSED", "CW", 0, "4", token_id=0)
    assert picture_of(log.events).departments[0].paused == ("3", "4")
    log.add("COUNTER_OPENED", "CW", 0, "3", token_id=0)
    log.call("CW", 1, "4")
    assert picture_of(log.events).departments[0].paused == ()


def test_the_board_learns_the_zone_of_its_departments_from_what_is_told_of_them() -> None:
    log = Log()
    log.issue("LAB", 1)
    setting_up(log, "CW", timezone="Asia/Kolkata")
    assert picture_of(log.events).timezone == "Asia/Kolkata"
    setting_up(log, "XR", timezone="Europe/Berlin")
    assert picture_of(log.events).timezone == "", "no one clock is right for both"


def test_numbers_that_expired_are_announced_for_the_morning() -> None:
    log = Log(start=NOON - timedelta(hours=8), day="2026-08-06")
    log.issue("CW", 1)
    log.issue("CW", 2)
    for number in (1, 2):
        log.add("TOKEN_EXPIRED", "CW", number)
    log.day = "2026-08-07"
    log.issue("CW", 3)
    fold = Fold()
    for event in log.events:
        fold.apply(event)

    assert fold.picture(NOON).departments[0].expired == 2
    assert fold.picture(NOON + timedelta(hours=5)).departments[0].expired == 0
    log.add("TOKEN_REINSTATED", "CW", 2)
    fold.apply(log.events[-1])
    assert fold.picture(NOON).departments[0].expired == 1


def test_calls_of_one_second_stand_in_their_order_whatever_their_departments() -> None:
    """The wire has whole seconds; the ids of events have milliseconds."""
    log = Log()
    order = ["XR", "CW", "XR", "LAB", "CW"]
    events = [log.call(department, number, "1") for number, department in enumerate(order)]
    at = [NOON + timedelta(milliseconds=100 * place) for place in range(len(events))]
    events = [replace(each, timestamp=NOON, event_id=new_event_id(when)) for each, when in zip(events, at, strict=True)]
    random.Random(3).shuffle(events)
    told = sorted(events, key=lambda each: each.seq)
    assert numbers(picture_of(told)) == ["CW-004", "LAB-003", "XR-002", "CW-001", "XR-000"]


@pytest.mark.parametrize(
    "event_id",
    [new_event_id(NOON + timedelta(seconds=2)), "7" * 36, "x" * 36, "0" * 14 + "7" * 22],
    ids=["of another second", "far away", "no number", "of 1970"],
)
def test_an_id_that_tells_another_time_is_not_believed(event_id: str) -> None:
    log = Log()
    event = replace(log.call("CW", 1, "1"), timestamp=NOON, event_id=event_id)
    assert picture_of([event]).calls[0].at == NOON


def test_the_board_learns_how_its_branch_speaks() -> None:
    log = Log()
    setting_up(log, "CW", branchName="City Hospital", languages=["de", "en"], counterWords={"de": "Schalter"})
    setting_up(log, "LAB", branchName="City Hospital", languages=["de", "en"])
    picture = picture_of(log.events)
    assert (picture.site, picture.languages) == ("City Hospital", ("de", "en"))
    assert picture.departments[0].counter_words == {"de": "Schalter"}
    setting_up(log, "LAB", branchName="Annex", languages=["fr"])
    picture = picture_of(log.events)
    assert (picture.site, picture.languages) == ("", ("de", "en", "fr")), "no one name is right for both"


@pytest.mark.parametrize("odd", [7, "en", ["../../etc", 4, "e" * 99, "en"], {"en": 3}])
def test_odd_languages_and_words_are_survived(odd: object) -> None:
    log = Log()
    setting_up(log, "CW", languages=odd, counterWords=odd, branchName=odd)
    picture = picture_of(log.events)
    assert picture.languages in ((), ("en",))
    assert picture.departments[0].counter_words == {}
