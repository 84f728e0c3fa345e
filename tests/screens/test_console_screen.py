import threading
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from tests.refusals import refusal
from tests.screens.console_seeds import NOON, FakeDesk, away, busy_desk, token
from tests.screens.reading import text_of, until, until_shown
from tokenq.client.events import LinkChanged
from tokenq.contract.advice import Action, Advice
from tokenq.contract.problems import ProblemCode
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.intents import INTENTS
from tokenq_tui.console.screens.asking import AskText, Choose, Confirm
from tokenq_tui.console.widgets.action_bar import ActionButton
from tokenq_tui.console.widgets.department_bar import DepartmentTab
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.waiting_list import WaitingList

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


def console(desk: FakeDesk, counter: str | None = "3") -> ConsoleApp:
    return ConsoleApp(desk, desk, desk.feed, (), counter, clock=lambda: NOON)


def done(desk: FakeDesk) -> list[tuple[Any, ...]]:
    """What was asked of the server, without the idempotency keys."""
    return [request[:-1] for request in desk.requests]


async def settled(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """Until everything is fetched and drawn."""
    await until(pilot, lambda: len(app.main.state.queues) == 3)
    for words in ("LIVE", "XR 2", "q Quit"):
        await until_shown(pilot, words)


async def test_shows_who_waits_and_who_is_at_the_counter(looks_like: LooksLike) -> None:
    app = console(busy_desk())
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        looks_like(app, "console-80x24")


async def test_a_free_counter_is_told_whom_a_call_would_bring(looks_like: LooksLike) -> None:
    app = console(busy_desk(), "9")
    async with app.run_test(size=MIDDLE) as pilot:
        await settled(app, pilot)
        looks_like(app, "console-free-120x36")


async def test_the_way_of_one_person_by_keys() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        for key, state in (("n", "CALLED"), ("r", "CALLED"), ("s", "SERVING")):
            await pilot.press(key)
            await until(pilot, lambda: not app.main.is_busy)
            assert app.main.state.held is not None
            assert app.main.state.held["state"] == state
        await pilot.press("v")
        await until(pilot, lambda: app.main.state.held is None)
    assert done(desk) == [
        ("call", "CW", "9", None, None),
        ("move", "recall", "CW-013"),
        ("move", "start", "CW-013"),
        ("move", "serve", "CW-013"),
    ]


@pytest.mark.parametrize(("key", "verb", "state"), [("x", "no-show", "NO_SHOW"), ("c", "cancel", "CANCELLED")])
async def test_what_cannot_be_undone_asks_first_and_the_same_key_says_yes(key: str, verb: str, state: str) -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        assert done(desk) == []
        await pilot.press(key, key)
        await until(pilot, lambda: app.main.state.held is None)
    assert done(desk) == [("move", verb, "CW-012")]


async def test_back_puts_the_person_into_the_line_again() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("b")
        await until(pilot, lambda: app.main.state.held is None)
    assert done(desk) == [("move", "requeue", "CW-012")]


async def test_only_the_moves_of_the_token_have_an_effect() -> None:
    desk = busy_desk()
    app = console(desk, "1")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Tom Reed")
        await pilot.press("r", "s", "x", "c", "n")
    assert done(desk) == []


async def test_a_double_press_asks_the_server_once() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        desk.pause = threading.Event()
        await pilot.press("n", "n", "n")
        desk.pause.set()
        await until(pilot, lambda: app.main.state.held)
    assert done(desk) == [("call", "CW", "9", None, None)]
    assert desk.requests[0][-1], "and with an idempotency key"


async def test_calling_out_of_order_asks_why() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        assert "Why CW-015 before the others?" in text_of(app)
        await pilot.press("enter", *"late", "enter")
        await until(pilot, lambda: app.main.state.held)
    assert done(desk) == [("call", "CW", "9", desk_id(desk, "CW-015"), "late")]


async def test_enter_on_the_first_row_calls_it_without_a_question() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("enter")
        await until(pilot, lambda: app.main.state.held)
    assert done(desk) == [("call", "CW", "9", None, None)]


async def test_a_person_who_left_the_line_is_cancelled_from_the_list() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("down", "delete", "y")
        await until(pilot, lambda: "Bo Lind" not in text_of(app))
    assert done(desk) == [("move", "cancel", "CW-014")]


async def test_the_mouse_does_what_the_keys_do() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.click("#action-start")
        await until(pilot, lambda: app.main.state.held and app.main.state.held["state"] == "SERVING")
        await pilot.click("#action-recall")
        await pilot.click(list(app.screen.query(DepartmentTab))[1])
        await until(pilot, lambda: app.main.state.selected == "LAB")
        await until_shown(pilot, "LAB-003")
    assert done(desk) == [("move", "start", "CW-012")]


async def test_another_persons_action_appears_by_itself_and_the_marked_row_stays_with_its_person() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("down", "down")
        marked = app.screen.query_one(WaitingList).marked
        desk.other_person(
            desk.queue("CW")["waiting"][0], state="CALLED", counterId="4", calledAt="2026-08-07T12:00:00Z"
        )
        await until(pilot, lambda: "Ada Moore" not in text_of(app))
        assert app.screen.query_one(WaitingList).marked == marked
        assert marked == desk_id(desk, "CW-015")


async def test_a_stale_claim_is_said_and_the_queue_is_fetched_again() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "Noor Haddad")
        known = desk.known[desk_id(desk, "CW-012")]
        known["claimVersion"] += 1
        known.update({"state": "SERVED", "counterId": None})
        desk.seq += 1
        await pilot.press("s")
        await until_shown(pilot, "Somebody else moved this token.")
        await until(pilot, lambda: app.main.state.held is None)


async def test_an_unreachable_server_is_said_and_marked_and_nothing_is_lost() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "LIVE")
        desk.fault = away()
        await pilot.press("v")
        await until_shown(pilot, "The server cannot be reached.")
        await until_shown(pilot, "OFFLINE since")
        desk.fault = None
        await pilot.press("f5")
        await until_shown(pilot, "LIVE")
        await pilot.press("v")
        await until(pilot, lambda: app.main.state.held is None)


async def test_lost_events_are_marked_stale() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        desk.feed.put(LinkChanged(is_live=False, sentence="gone"))
        await until_shown(pilot, "STALE since")


async def test_without_a_counter_it_asks_and_takes_no_empty_answer() -> None:
    desk = busy_desk()
    app = console(desk, None)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Which counter do you work at?")
        await pilot.press("enter")
        assert isinstance(app.screen, AskText)
        app.screen.query_one(Input).value = "Window 7"
        await pilot.press("enter")
        await until_shown(pilot, "COUNTER Window 7")
        await pilot.press("n")
        await until(pilot, lambda: done(desk) == [("call", "CW", "Window 7", None, None)])


async def test_somebody_who_is_not_let_in_leaves_with_code_5() -> None:
    desk = busy_desk()
    desk.fault = refusal(ProblemCode.FORBIDDEN, "You may not serve here.", "Ask an admin.")
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: app.return_code == 5)


async def test_a_closed_department_is_marked() -> None:
    desk = busy_desk()
    desk.closed = {"CW"}
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "CLOSED")


async def test_help_and_palette_name_every_intent(looks_like: LooksLike) -> None:
    app = console(busy_desk())
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("question_mark")
        await until_shown(pilot, "Call the same person once more.")
        looks_like(app, "console-help-80x24")
        await pilot.resize_terminal(*MIDDLE)
        await until_shown(pilot, "Show all keys.")
        shown = text_of(app)
        assert [each.help for each in INTENTS if each.help not in shown] == []
        await pilot.press("escape")
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Recall", "Served", "Help", "Quit"} <= offered
        assert "Next" not in offered, "the counter is busy"


async def test_a_notice_stands_below_the_list_alone_and_covers_neither_buttons_nor_help() -> None:
    app = console(busy_desk(), "9")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until_shown(pilot, "CW-013 is called to 9.")
        await pilot.press("r")
        await until_shown(pilot, "CW-013 is called again.")
        assert "CW-013 is called to 9." not in text_of(app)
        notice, line = app.main.query_one(Notice).region, app.main.query_one("#line").region
        assert line.contains_region(notice)
        assert notice.bottom == line.bottom
        for button in app.main.query(ActionButton).exclude("#action-open"):
            assert app.main.get_widget_at(*button.region.offset)[0] is button
        await pilot.resize_terminal(120, 40)
        await pilot.press("question_mark")
        await until_shown(pilot, "Show all keys.")
        assert [each.help for each in INTENTS if each.help not in text_of(app)] == []


@pytest.mark.parametrize("key", ["n", "V", "enter"])
async def test_a_call_while_somebody_is_here_is_answered_by_a_notice(key: str) -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(key)
        await until_shown(pilot, "CW-012 is still at your counter.")
    assert done(desk) == []


async def test_a_hint_that_names_a_command_of_the_shell_is_not_shown() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        desk.fault = refusal(ProblemCode.STALE_CLAIM, "Somebody moved it.", Advice(Action.LIST_USERS))
        await pilot.press("v")
        await until_shown(pilot, "Somebody moved it.")
        assert "tokenq" not in text_of(app).replace("tokenq console", "")
        assert "List the users" not in text_of(app)
        desk.fault = refusal(ProblemCode.STALE_CLAIM, "Somebody moved it.", "Look at the list.")
        await pilot.press("v")
        await until_shown(pilot, "Look at the list.")


@pytest.mark.parametrize("before", [(), ("k",), ("question_mark",)])
async def test_ctrl_c_leaves_like_q(before: tuple[str, ...]) -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(*before, "ctrl+c")
    assert app.return_code == 0
    assert done(desk) == []


async def test_starts_where_somebody_waits() -> None:
    desk = FakeDesk([token("XR", 1)], ("CW", "LAB", "XR"))
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "XR-001")
        assert app.main.state.selected == "XR"


async def test_departments_change_by_key() -> None:
    app = console(busy_desk(), "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("right_square_bracket")
        await until_shown(pilot, "LAB-003")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until_shown(pilot, "XR-002")


@pytest.mark.parametrize("size", [(30, 10), (60, 15), (300, 90)])
async def test_survives_every_size(size: tuple[int, int]) -> None:
    app = console(busy_desk())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.main.state.held)


def desk_id(desk: FakeDesk, number: str) -> int:
    return next(each["tokenId"] for each in desk.known.values() if each["displayNumber"] == number)


async def test_parking_asks_for_how_long_and_why_and_resuming_whom() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"15", "space", *"form", "enter")
        await until_shown(pilot, "until 12:15")
        assert desk.bodies == [{"untilMinutes": 15, "reason": "form"}]
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is back in line.")
    assert done(desk) == [("move", "park", "CW-012"), ("move", "resume", "CW-012")]


async def test_a_transfer_offers_the_other_departments() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("t")
        await until_shown(pilot, "Laboratory")
        assert "Children's Ward" not in text_of(app).split("Send CW-012")[1]
        await pilot.press("down", "tab", *"film", "enter")
        await until_shown(pilot, "CW-012 waits in XR now.")
    assert desk.bodies == [{"to": "XR", "reason": "film"}]


async def test_a_transfer_tells_how_many_wait_also_where_the_person_does_not_serve() -> None:
    desk = busy_desk()
    desk.closed.add("XR")
    app = ConsoleApp(desk, desk, desk.feed, ("CW",), "3", clock=lambda: NOON)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("t")
        await until_shown(pilot, "Laboratory  (5 waiting, 10-20 min)")
        await until_shown(pilot, "X-Ray  (closed)")
        await pilot.press("escape", "v")
        await until_shown(pilot, "CW-012 is served.")
    assert done(desk) == [("move", "serve", "CW-012")]


async def test_undo_takes_the_last_move_from_here_back() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("u")
        await until_shown(pilot, "There is nothing to take back.")
        assert done(desk) == [], "nothing was done from here yet"
        await pilot.press("escape")
        await pilot.press("v")
        await until_shown(pilot, "CW-012 is served.")
        await pilot.press("u")
        await until_shown(pilot, "Take back that CW-012 was served?")
        await pilot.press("u")
        await until_shown(pilot, "CW-012 is called again.")
        await until_shown(pilot, "Noor Haddad")
    assert done(desk) == [("move", "serve", "CW-012"), ("move", "undo", "CW-012")]


async def test_a_repeated_call_is_still_taken_back_as_a_call() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until_shown(pilot, "CW-013 is called to 9.")
        await pilot.press("r")
        await until_shown(pilot, "CW-013 is called again.")
        await pilot.press("u")
        await until_shown(pilot, "Take the call of CW-013 back, into the line?")
        await pilot.press("y")
        await until_shown(pilot, "Press n to call")


async def test_what_was_done_before_the_console_began_is_taken_back_too() -> None:
    desk = busy_desk()
    held = desk.known[desk_id(desk, "CW-012")]
    held["moves"] = [*held["moves"], "undo"]
    desk.before[held["tokenId"]] = {"state": "WAITING", "counterId": None}
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("u")
        await until_shown(pilot, "Take back what was done last with CW-012?")
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is waiting again.")


async def test_other_counters_are_told_with_who_works_there() -> None:
    desk = busy_desk()
    desk.pause_counter("main", "4", "lunch")
    desk.open_counter("main", "5")
    app = console(desk)
    async with app.run_test(size=MIDDLE) as pilot:
        await settled(app, pilot)
        rows = [row.split()[-4:] for row in text_of(app).split("\n")]
        assert ["4", "paused", "lunch", "Ann"] in rows
        assert ["5", "free", "Ann"] in [row[-3:] for row in rows]
        assert not any(row[-3:-1] == ["3", "free"] for row in rows), "our own is not another one"


async def test_an_unknown_wait_has_its_reason() -> None:
    desk = busy_desk()
    desk.no_estimate = "no counter is open"
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "10 · no counter is open ")


async def test_a_paused_counter_says_so_and_calls_nobody() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("z")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"lunch", "enter")
        await until_shown(pilot, "PAUSED (lunch)")
        await pilot.press("n", "V", "N")
        assert done(desk) == []
        await pilot.press("o")
        await until_shown(pilot, "Press n to call")


async def test_a_counter_in_use_is_taken_over_only_when_the_person_says_so() -> None:
    desk = busy_desk()
    desk.claimed_by["9"] = "Bo"
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Counter 9 is in use by Bo. Take it over?")
        assert "9" in desk.claimed_by
        await pilot.press("y")
        await until(pilot, lambda: "9" not in desk.claimed_by)


async def test_the_counter_is_given_back_at_the_end() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "9" in desk.counters)
        await pilot.press("q")
    assert desk.counters["9"]["state"] == "CLOSED"


async def test_who_was_missed_comes_back_and_another_class_is_given() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("x", "x")
        await until_shown(pilot, "CW-012 did not come.")
        await pilot.press("i")
        await until_shown(pilot, "Who comes back into the line?")
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is back in line.")
        await pilot.press("y")
        await until_shown(pilot, "Which class for")
        await pilot.press("enter")
        await until(pilot, lambda: len(desk.bodies) == 3)
    assert [verb for _, verb, *_ in done(desk)] == ["no-show", "reinstate", "priority"]


async def test_times_are_those_of_the_branch_and_the_zone_is_named_where_the_machines_is_another() -> None:
    desk = busy_desk()
    desk.zone = "Asia/Kolkata"
    desk.opens_at = "2026-08-08T02:30:00Z"
    desk.closed = {"CW"}
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await until_shown(pilot, "17:30 Asia/Kolkata")
        await pilot.press("p", *"90", "enter")
        await until_shown(pilot, "until 19:00")
    desk.zone = "Atlantic/Reykjavik"
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        assert "Reykjavik" not in text_of(app), "its clock shows the same"


async def test_a_time_that_is_none_parks_nobody_and_is_said() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("p", *"25:99", "space", *"foo", "enter")
        await until_shown(pilot, "25:99 is no time.")
        assert isinstance(app.screen, AskText)
        assert done(desk) == []
        await pilot.press("escape")


async def test_a_silent_server_is_said_and_the_badge_is_not_live_until_it_answers() -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "Press n to call")
        desk.pause = threading.Event()
        await pilot.press("n")
        await until_shown(pilot, "Waiting for the server …")
        assert "STALE no answer" in text_of(app)
        await pilot.press("t")
        await until_shown(pilot, "Nobody is at your counter.")
        await pilot.press("escape")
        desk.pause.set()
        await until_shown(pilot, "CW-013 is called to 9.")
        await until_shown(pilot, "LIVE")


async def test_a_server_that_did_not_answer_is_not_live_until_it_does() -> None:
    """The fetch that tells whether it is back takes a while."""
    desk, reader = busy_desk(), busy_desk()
    app = ConsoleApp(reader, desk, reader.feed, (), "9", keeping=reader, clock=lambda: NOON)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        desk.pause, reader.pause = threading.Event(), threading.Event()
        desk.fault = away()
        await pilot.press("n")
        await until_shown(pilot, "STALE no answer")
        desk.pause.set()
        await until_shown(pilot, "The server cannot be reached.")
        assert "STALE no answer" in text_of(app)
        reader.pause.set()
        await until_shown(pilot, "LIVE")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_who_leaves_while_the_server_is_silent_is_told_what_may_have_happened(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = busy_desk()
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        desk.pause = threading.Event()
        await pilot.press("n", key)
    assert not app.main.is_running
    assert not desk.pause.is_set(), "nobody waited for the answer"
    told = " ".join(capsys.readouterr().err.split())
    assert "did not answer 'Next': it may have been carried out. Look at it: tokenq queue CW" in told
    desk.pause.set()


async def test_what_is_typed_as_an_answer_presses_no_keys_where_nothing_is_asked() -> None:
    desk = busy_desk()
    desk.known[desk_id(desk, "CW-009")].update({"state": "CANCELLED", "moves": ["reinstate"]})
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("p")
        await until_shown(pilot, "Nobody is at your counter.")
        await pilot.press(*"15", "space", *"copies", "enter")
        await until(pilot, lambda: app.screen is app.main)
        await pilot.press("s")
        await until_shown(pilot, "Nobody is at your counter.")
        assert app.screen is app.main, "nothing was going to be asked"
    assert done(desk) == []


async def test_who_was_not_called_often_enough_is_told_before_the_question() -> None:
    desk = busy_desk()
    desk.setup["minCalls"] = 3
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("x")
        await until_shown(pilot, "CW-012 was called 2 of 3 times. Call again first: press r.")
        await pilot.press("enter", "r")
        await until_shown(pilot, "CW-012 is called again.")
        await pilot.press("x")
        await until_shown(pilot, "Nobody came for CW-012?")
    assert done(desk) == [("move", "recall", "CW-012")]


async def test_a_hint_that_names_a_verb_names_its_key() -> None:
    desk = busy_desk()
    app = console(desk)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        desk.fault = refusal(
            ProblemCode.TOO_EARLY, "CW-012 was called 1 of 2 times.", Advice(Action.RECALL, {"number": "CW-012"})
        )
        await pilot.press("v")
        await until_shown(pilot, "Call it again (press r).")


async def test_a_restored_server_is_shown_at_once_though_its_log_went_back() -> None:
    desk = busy_desk()
    desk.seq = 500
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        desk.seq = 3
        desk.known = {one["tokenId"]: one for one in [token("CW", 1, name="Old Guard"), token("CW", 2)]}
        desk.feed.put(LinkChanged(is_live=False, sentence="The server ended the event stream."))
        desk.feed.put(LinkChanged(is_live=True))
        await until_shown(pilot, "Old Guard")
        await pilot.press("n")
        await until_shown(pilot, "CW-001 is called to 9.")
        await until(pilot, lambda: app.main.state.held)


async def test_departments_out_of_sight_are_counted_and_the_chosen_one_is_in_sight() -> None:
    desk = FakeDesk([token("D01", 1)], [f"D{number:02d}" for number in range(1, 41)])
    app = console(desk, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "D01-001")
        await until_shown(pilot, "more [ ]")
        row = text_of(app).split("\n")[1]
        shown = row.count("D")
        assert f"… {40 - shown} more [ ]" in row
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "D40" in text_of(app).split("\n")[1])
        await pilot.resize_terminal(400, 24)
        await until(pilot, lambda: "more [ ]" not in text_of(app))
