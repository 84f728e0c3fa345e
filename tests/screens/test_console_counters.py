"""The console's counter: named, paused, taken over and given back."""

from collections.abc import Callable
from datetime import timedelta

from textual.app import App
from textual.widgets import Input

from tests.refusals import refusal
from tests.screens.console_driver import console, done, settled
from tests.screens.console_seeds import NOON, FakeApi, busy_api, stamp
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.notice_views import AlarmView, UnservedView
from tokenq.contract.problems import ProblemCode
from tokenq.contract.views import CounterView, QueueView
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.screens.dialogs import AskText

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


async def test_without_a_counter_it_asks_and_takes_no_empty_answer() -> None:
    api = busy_api()
    app = console(api, None)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Which counter are you at?")
        await pilot.press("enter")
        assert isinstance(app.screen, AskText)
        app.screen.query_one(Input).value = "Window 7"
        await pilot.press("enter")
        await until_shown(pilot, "COUNTER Window 7")
        await pilot.press("n")
        await until(pilot, lambda: done(api) == [("call", "CW", "Window 7", None, None)])


async def test_a_mistyped_counter_is_refused_in_the_question_which_stays() -> None:
    """Nobody is called to a desk that does not exist."""
    api = busy_api()
    api.declared = ("1", "2")
    app = console(api, "n1")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "There is no counter n1. Did you mean 1, 2?")
        assert app.screen.query_one(Input).value == "n1"
        app.screen.query_one(Input).value = "n2"
        await pilot.press("enter")
        await until_shown(pilot, "There is no counter n2. Did you mean 1, 2?")
        await pilot.press("escape", "n")
        await until_shown(pilot, "Which counter are you at?")
        assert done(api) == []
        app.screen.query_one(Input).value = "2"
        await pilot.press("enter")
        await until_shown(pilot, "COUNTER 2")
        await until(pilot, lambda: "2" in api.desks)


async def test_a_mistyped_counter_leaves_the_clerk_at_the_one_before() -> None:
    api = busy_api()
    api.declared = ("1", "9")
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "9" in api.desks)
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        app.screen.query_one(Input).value = "n9"
        await pilot.press("enter")
        await until_shown(pilot, "There is no counter n9.")
        await pilot.press("escape")
        await until_shown(pilot, "COUNTER 9")
        await until(pilot, lambda: api.desks["9"]["state"] == "OPEN")


def laboratory(api: FakeApi, counter: str) -> ConsoleApp:
    """A console that shows LAB alone."""
    return ConsoleApp(api, api, api.feed, ("LAB",), counter, clock=lambda: NOON)


async def test_a_counter_that_serves_others_is_not_claimed_and_the_question_says_what_it_serves() -> None:
    """Nobody could be called from here, and the departments it serves would lose their counter."""
    api = busy_api()
    api.desks["1"] = {**api.open_counter("main", "1"), "departments": ["CW", "XR"], "operator": "Bo"}
    app = laboratory(api, "1")
    async with app.run_test(size=MIDDLE) as pilot:
        await until_shown(pilot, "Counter 1 serves CW, XR, not LAB.")
        shown = " ".join(text_of(app).replace("│", " ").split())
        assert "tokenq console CW XR --counter 1" in shown
        assert "tokenq counter open 1 --dept LAB" in shown
        app.screen.query_one(Input).value = "9"
        await pilot.press("enter")
        await until_shown(pilot, "COUNTER 9")
        await until(pilot, lambda: "9" in api.desks)
        await pilot.press("q")
    assert (api.desks["1"]["operator"], api.desks["1"]["state"]) == ("Bo", "OPEN")


async def test_the_token_at_our_counter_is_shown_though_its_department_is_not() -> None:
    """Otherwise the console says that nobody is there, and the server that somebody is."""
    api = busy_api()
    app = laboratory(api, "3")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await until_shown(pilot, "·  CW")
        assert "CW 10" not in text_of(app), "only what was asked for is in the row of departments"
        await pilot.press("n")
        await until_shown(pilot, "CW-012 is still at your counter.")
        await pilot.press("v")
        await until_shown(pilot, "CW-012 is served.")
        await until_shown(pilot, "Nobody is at your counter.")
        await pilot.press("z")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"lunch", "enter")
        await until_shown(pilot, "PAUSED (lunch)")


async def test_the_token_at_our_counter_is_named_though_its_queue_cannot_be_read() -> None:
    api = busy_api()
    fetched = api.queue

    def queue(department: str) -> QueueView:
        if department == "CW":
            raise refusal(ProblemCode.FORBIDDEN, "You are not staff of CW.")
        return fetched(department)

    api.queue = queue  # type: ignore[method-assign]
    app = laboratory(api, "3")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "CW-012 of CW is at your counter.")
        assert "Nobody is at your counter." not in text_of(app)


async def test_other_counters_are_told_with_who_works_there() -> None:
    api = busy_api()
    api.pause_counter("main", "4", "lunch")
    api.open_counter("main", "5")
    app = console(api)
    async with app.run_test(size=MIDDLE) as pilot:
        await settled(app, pilot)
        rows = [row.split()[-4:] for row in text_of(app).split("\n")]
        assert ["4", "paused", "lunch", "Ann"] in rows
        assert ["5", "free", "Ann"] in [row[-3:] for row in rows]
        assert not any(row[-3:-1] == ["3", "free"] for row in rows), "our own is not another one"


async def test_a_paused_counter_says_so_and_calls_nobody() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("z")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"lunch", "enter")
        await until_shown(pilot, "PAUSED (lunch)")
        await pilot.press("n", "V", "N")
        assert done(api) == []
        await pilot.press("o")
        await until_shown(pilot, "Press n to call")


async def test_a_counter_in_use_is_taken_over_only_when_the_person_says_so() -> None:
    api = busy_api()
    api.claimed_by["9"] = "Bo"
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Counter 9 is in use by Bo. Take it over?")
        assert "9" in api.claimed_by
        await pilot.press("y")
        await until(pilot, lambda: "9" not in api.claimed_by)


async def test_the_counter_is_given_back_at_the_end() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "9" in api.desks)
        await pilot.press("q")
    assert api.desks["9"]["state"] == "CLOSED"


async def test_a_forgotten_service_is_said_with_what_to_do() -> None:
    """Only where the server says so: a console has no opinion of its own."""
    api = busy_api()
    held = {each["displayNumber"]: each for each in api.known.values()}
    held["CW-012"] |= {"state": "SERVING", "startedAt": stamp(NOON - timedelta(hours=3)), "isForgotten": True}  # type: ignore[typeddict-item]
    held["CW-010"] |= {"calledAt": stamp(NOON - timedelta(hours=4)), "isForgotten": True}  # type: ignore[typeddict-item]
    held["CW-011"] |= {"startedAt": stamp(NOON - timedelta(hours=5)), "isForgotten": False}  # type: ignore[typeddict-item]
    app = console(api)
    async with app.run_test(size=MIDDLE) as pilot:
        await settled(app, pilot)
        shown = text_of(app)
    assert "In service for 3 h: forgotten?" in shown
    assert "v served, b back to the queue" in shown
    assert "forgotten? 4:00:00" in shown
    assert "forgotten? 5:00:00" not in shown


async def test_whoever_pauses_the_last_counter_is_told_who_still_waits() -> None:
    api = busy_api()
    app = console(api, "9")
    paused = api.pause_counter

    def pause_counter(branch: str, counter: str, reason: str | None = None) -> CounterView:
        unserved: list[UnservedView] = [{"departmentId": "LAB", "waiting": 5, "displayNumbers": ["LAB-003"]}]
        return {**paused(branch, counter, reason), "unserved": unserved}

    api.pause_counter = pause_counter  # type: ignore[method-assign]
    async with app.run_test(size=MIDDLE) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("z")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"lunch", "enter")
        await until_shown(pilot, "5 customers wait in LAB (LAB-003 and 4 more);")


async def test_a_called_customer_who_is_at_another_counter_is_told() -> None:
    api = busy_api()
    first = next(each for each in api.known.values() if each["state"] == "WAITING")
    first["alsoAt"] = [
        {"branchId": "main", "counterId": "14", "displayNumber": "LAB-001", "departmentId": "LAB"},
        {"branchId": "main", "counterId": "15", "displayNumber": None, "departmentId": None},
        {"branchId": "north", "counterId": "9", "displayNumber": None, "departmentId": None},
    ]
    app = console(api, "9")
    async with app.run_test(size=MIDDLE) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until_shown(pilot, "This customer is also at counter 14 (LAB-001).")
        await until_shown(pilot, "This customer is also at counter 15 of another department.")
        await until_shown(pilot, "This customer is also at counter 9 in branch north")


async def test_whoever_leaves_the_last_counter_is_told_at_the_end() -> None:
    api = busy_api()
    left = api.leave_counter

    def leave_counter(branch: str, counter: str) -> CounterView:
        unserved: list[UnservedView] = [{"departmentId": "CW", "waiting": 1, "displayNumbers": ["CW-013"]}]
        return {**left(branch, counter), "unserved": unserved}

    api.leave_counter = leave_counter  # type: ignore[method-assign]
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "9" in api.desks)
        await pilot.press("q")
    assert app.unserved == ["1 customer waits in CW (CW-013); no other open counter serves it."]


async def test_waits_that_are_too_long_are_in_the_title_and_on_the_department_s_tab() -> None:
    api = busy_api()
    fetched = api.queue

    def queue(department: str) -> QueueView:
        late: list[AlarmView] = [{"name": "serviceLevel", "limitMinutes": 15, "late": 7, "longestMinutes": 34}]
        return {**fetched(department), "alarms": late if department == "CW" else []}

    api.queue = queue  # type: ignore[method-assign]
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "WAITING  10 · new 10-20 · 7 over 15 min  ")
        assert "CW 10!" in text_of(app)
        assert "LAB 5!" not in text_of(app)
