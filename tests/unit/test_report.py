"""A day in figures: every figure from the log, by hand beside the code."""

from dataclasses import replace

from tests.unit.logs import DayLog, day_report
from tokenq.contract.report_views import ReportView
from tokenq_server.domain.department import Department
from tokenq_server.domain.figures import Durations, percent
from tokenq_server.domain.history import visits
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.what_if import service_times, simulate_setting

CW = Department("CW", "Cash window", rules=Rules(service_level_minutes=10))


def told(log: DayLog) -> ReportView:
    return day_report(replace(CW, department_id=log.department), log)


def test_waiting_walking_and_service_are_told_apart() -> None:
    log = DayLog()
    log.visit(1, came=0, called=5, started=6, served=16)
    log.visit(2, came=0, called=15, started=None, served=18)
    view = told(log)

    assert (view["issued"], view["called"], view["served"]) == (2, 2, 2)
    assert view["waiting"] == {"count": 2, "mean": 600.0, "p50": 300.0, "p90": 900.0, "max": 900.0}
    assert view["walking"]["mean"] == 60.0
    assert view["service"] == {"count": 2, "mean": 390.0, "p50": 180.0, "p90": 600.0, "max": 600.0}
    assert view["serviceLevel"] == {"minutes": 10, "percent": 50.0, "target": 80, "inTime": 1, "counted": 2}


def test_walking_begins_with_the_last_call() -> None:
    """Who did not hear the first call did not walk for so long."""
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(1, "TOKEN_CALLED", 1, "1")
    log.add(4, "TOKEN_RECALLED", 1, "1")
    log.add(5, "TOKEN_SERVICE_STARTED", 1, "1")
    assert told(log)["walking"]["max"] == 60.0
    assert told(log)["waiting"]["max"] == 60.0


def test_time_parked_is_no_waiting() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(2, "TOKEN_CALLED", 1, "1")
    log.add(3, "TOKEN_PARKED", 1, "1")
    log.add(33, "TOKEN_RESUMED", 1)
    log.add(34, "TOKEN_CALLED", 1, "1")
    log.add(40, "TOKEN_SERVED", 1, "1")
    view = told(log)

    assert view["waiting"] == {"count": 1, "mean": 120, "p50": 120, "p90": 120, "max": 120}
    assert view["furtherWaiting"] == {"count": 1, "mean": 60, "p50": 60, "p90": 60, "max": 60}
    assert (view["called"], view["furtherCalls"], view["served"]) == (1, 1, 1)


def test_a_visit_is_called_in_time_once_however_often_it_returns_to_the_queue() -> None:
    """One person, called too late, requeued three times and served, is 0 % in time and not 75 %."""
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    for minutes in (20, 22, 24, 26):
        log.add(minutes, "TOKEN_CALLED", 1, "1")
        log.add(minutes + 1, "TOKEN_REQUEUED" if minutes < 26 else "TOKEN_SERVED", 1, "1")
    view = told(log)

    assert (view["called"], view["furtherCalls"], view["waiting"]["count"]) == (1, 3, 1)
    assert (view["serviceLevel"]["percent"], view["serviceLevel"]["counted"]) == (0.0, 1)
    assert [(hour["called"], hour["furtherCalls"], hour["meanWait"]) for hour in view["hours"]] == [(1, 3, 1200)]


def test_time_cancelled_by_mistake_is_no_waiting() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(4, "TOKEN_CANCELLED", 1, state="CANCELLED")
    log.add(60, "TOKEN_REINSTATED", 1)
    log.add(63, "TOKEN_CALLED", 1, "1")
    view = told(log)

    assert (view["waiting"]["max"], view["cancelled"], view["unfinished"]) == (420, 0, 1)


def test_who_still_waits_is_judged_when_the_target_has_passed() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(5, "TOKEN_GENERATED", 2)
    level = day_report(CW, log, minutes=12)["serviceLevel"]

    assert (level["inTime"], level["counted"], level["percent"]) == (0, 1, 0.0)
    assert day_report(CW, log, minutes=10)["serviceLevel"]["percent"] is None


def test_a_return_from_another_department_is_a_further_leg() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(10, "TOKEN_CALLED", 1, "1")
    log.add(11, "TOKEN_TRANSFERRED", 1, "1", **{"from": "CW", "to": "HR"})
    log.add(30, "TOKEN_TRANSFERRED", 1, **{"from": "HR", "to": "CW"})
    log.add(32, "TOKEN_CALLED", 1, "1")
    log.add(40, "TOKEN_SERVED", 1, "1")
    view = told(log)

    assert (view["issued"], view["transferredIn"], view["furtherLegs"], view["transferredOut"]) == (1, 0, 1, 0)
    assert (view["waiting"]["max"], view["furtherWaiting"]["max"], view["served"]) == (600, 120, 1)


def test_what_recovery_found_out_about_a_token_is_its_end() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(9, "TOKEN_REVERTED", 1, undone="rewind", state="SERVED")

    assert (told(log)["served"], told(log)["unfinished"]) == (1, 0)


def test_hours_follow_the_business_day_past_midnight() -> None:
    log = DayLog()
    log.visit(1, came=13 * 60 + 50, called=14 * 60 + 5, started=None, served=15 * 60 + 10)
    assert [hour["hour"] for hour in told(log)["hours"]] == ["22", "23", "00"]


def test_a_counter_may_be_named_with_a_raised_digit() -> None:
    """It is a digit that is no number."""
    log = DayLog()
    for token, counter in enumerate(("2²", "10", "2", "²"), 1):
        log.visit(token, came=0, called=5, started=None, served=10 * token, counter=counter)
    assert [counter["counterId"] for counter in told(log)["counters"]] == ["2", "2²", "10", "²"]


def test_counters_stand_in_the_order_of_their_numbers() -> None:
    log = DayLog()
    for token, counter in enumerate(("10", "2", "A", "1"), 1):
        log.visit(token, came=0, called=token, started=None, served=token + 1, counter=counter)
    assert [counter["counterId"] for counter in told(log)["counters"]] == ["1", "2", "10", "A"]


def test_figures_are_rounded_half_up() -> None:
    assert [percent(part, whole) for part, whole in ((1, 8), (1, 16), (1, 3), (2, 3), (1, 2000))] == [
        12.5,
        6.3,
        33.3,
        66.7,
        0.1,
    ]
    durations = Durations()
    durations.add(2), durations.add(3)
    assert durations.mean == 3
    log = DayLog()
    log.visit(1, came=0, called=0.49175, started=None, served=1)  # 29.505 s
    assert told(log)["waiting"]["max"] == 30


def test_what_was_taken_back_did_not_happen() -> None:
    """A slip of the finger must not be in the statistics."""
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(2, "TOKEN_CALLED", 1, "1")
    log.add(3, "TOKEN_NO_SHOW", 1, "1")
    log.add(4, "TOKEN_REVERTED", 1, "1", undone="no-show", state="CALLED")
    log.add(9, "TOKEN_SERVED", 1, "1")
    view = told(log)

    assert (view["noShow"], view["served"], view["noShowPercent"]) == (0, 1, 0.0)
    assert view["service"]["max"] == 420.0


def test_legs_in_two_departments_are_counted_each_where_it_was() -> None:
    log, other = DayLog(), DayLog("HR")
    log.add(0, "TOKEN_GENERATED", 1)
    log.add(10, "TOKEN_CALLED", 1, "1")
    log.add(11, "TOKEN_TRANSFERRED", 1, "1", **{"from": "CW", "to": "HR"})
    other.add(11, "TOKEN_TRANSFERRED", 1, **{"from": "CW", "to": "HR"})
    other.add(15, "TOKEN_CALLED", 1, "2")
    other.add(20, "TOKEN_SERVED", 1, "2")
    here, there = told(log), told(other)

    assert (here["issued"], here["transferredOut"], here["served"], here["waiting"]["max"]) == (1, 1, 0, 600.0)
    assert (there["issued"], there["transferredIn"], there["served"], there["waiting"]["max"]) == (0, 1, 1, 240.0)


def test_estimates_are_held_against_what_came() -> None:
    log = DayLog()
    for token, waited in ((1, 5), (2, 20)):
        log.add(0, "TOKEN_GENERATED", token, estimate={"lowMinutes": 0, "highMinutes": 10, "reason": None})
        log.add(waited, "TOKEN_CALLED", token, "1")
    log.add(0, "TOKEN_GENERATED", 3, estimate={"lowMinutes": None, "highMinutes": None, "reason": "no counter is open"})
    log.add(9, "TOKEN_CALLED", 3, "1")

    assert told(log)["estimates"] == {"count": 2, "meanError": 450.0, "within": 50.0}


def test_hours_are_the_branchs_and_without_holes() -> None:
    log = DayLog()
    log.visit(1, came=0, called=5, started=None, served=10)
    log.visit(2, came=0, called=125, started=None, served=130, counter="2")
    view = day_report(replace(CW, timezone="Europe/Berlin"), log)

    assert [(hour["hour"], hour["issued"], hour["called"]) for hour in view["hours"]] == [
        ("10", 2, 1),
        ("11", 0, 0),
        ("12", 0, 1),
    ]
    assert [(counter["counterId"], counter["served"]) for counter in view["counters"]] == [("1", 1), ("2", 1)]


def test_a_day_on_which_nothing_happened_is_told_so() -> None:
    view = told(DayLog())
    assert (view["issued"], view["hours"], view["waiting"]["mean"], view["serviceLevel"]["percent"]) == (
        0,
        [],
        None,
        None,
    )
    assert Durations().view()["count"] == 0


def test_one_counter_more_is_never_worse_and_the_customers_stay_the_same() -> None:
    """The what-if changes the counters, not who came nor how long they took."""
    log = DayLog()
    for token in range(1, 30):
        log.visit(token, came=token, called=token * 3, started=None, served=token * 3 + 5)
    found = visits(log.entries, "CW")
    longest = [simulate_setting(CW, found, counters, Ratio(2, 1))["waiting"]["max"] or 0.0 for counters in (1, 2, 3, 5)]

    assert longest == sorted(longest, reverse=True)
    assert simulate_setting(CW, found, 2, Ratio(2, 1))["waiting"]["count"] == 29
    assert simulate_setting(CW, found, 30, Ratio(2, 1))["waiting"]["max"] == 0.0


def test_everybody_who_came_is_simulated() -> None:
    """Of 73 who came, 7 were called: it takes more than one counter to serve them."""
    log = DayLog()
    for token in range(1, 74):
        log.add(token, "TOKEN_GENERATED", token)
    for token in range(1, 8):
        log.add(token * 10, "TOKEN_CALLED", token, "1")
        log.add(token * 10 + 8 + token % 2, "TOKEN_SERVED", token, "1")
    found = visits(log.entries, "CW")
    few, many = (simulate_setting(CW, found, counters, Ratio(2, 1))["waiting"] for counters in (1, 9))

    assert (few["count"], many["count"]) == (73, 73)
    assert (few["max"] or 0) > 8 * 60 * 60
    assert (many["max"] or 0) < 5 * 60
    assert set(service_times(CW, found)) == {480, 540}
    assert service_times(CW, found) == service_times(CW, found)


def test_without_any_service_the_departments_expected_time_is_simulated() -> None:
    log = DayLog()
    log.add(0, "TOKEN_GENERATED", 1)
    assert service_times(CW, visits(log.entries, "CW")) == [600]
