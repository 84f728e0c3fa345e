"""A day in figures: every figure from the log, by hand beside the code."""

from dataclasses import replace

from tests.unit.logs import DayLog
from tokenq.contract.report_views import ReportView
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import visits
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.report import report, times
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.what_if import simulate_setting

CW = Department("CW", "Cash window", rules=Rules(service_level_minutes=10))


def told(log: DayLog) -> ReportView:
    return report(CW, "2026-11-23", visits(log.entries, log.department))


def test_waiting_walking_and_service_are_told_apart() -> None:
    log = DayLog()
    log.visit(1, came=0, called=5, started=6, served=16)
    log.visit(2, came=0, called=15, started=None, served=18)
    view = told(log)

    assert (view["issued"], view["called"], view["served"]) == (2, 2, 2)
    assert view["waiting"] == {"count": 2, "mean": 600.0, "p50": 300.0, "p90": 900.0, "max": 900.0}
    assert view["walking"]["mean"] == 60.0
    assert view["service"] == {"count": 2, "mean": 390.0, "p50": 180.0, "p90": 600.0, "max": 600.0}
    assert view["serviceLevel"] == {"minutes": 10, "percent": 50.0, "target": 80}


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

    assert view["waiting"] == {"count": 2, "mean": 90.0, "p50": 60.0, "p90": 120.0, "max": 120.0}
    assert view["served"] == 1


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
    view = report(replace(CW, timezone="Europe/Berlin"), "2026-11-23", visits(log.entries, "CW"))

    assert [(one["hour"], one["issued"], one["called"]) for one in view["hours"]] == [
        ("10", 2, 1),
        ("11", 0, 0),
        ("12", 0, 1),
    ]
    assert [(one["counterId"], one["served"]) for one in view["counters"]] == [("1", 1), ("2", 1)]


def test_a_day_on_which_nothing_happened_is_told_so() -> None:
    view = told(DayLog())
    assert (view["issued"], view["hours"], view["waiting"]["mean"], view["serviceLevel"]["percent"]) == (
        0,
        [],
        None,
        None,
    )
    assert times([])["count"] == 0


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
