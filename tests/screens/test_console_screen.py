"""What the console shows, at every size and on every branch's clock."""

from collections.abc import Callable

import pytest
from textual.app import App

from tests.screens.console_driver import console, done, id_of, settled
from tests.screens.console_seeds import FakeApi, busy_api, token
from tests.screens.reading import text_of, until, until_shown
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.widgets.action_bar import ActionButton
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.waiting_list import WaitingList

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


async def test_shows_who_waits_and_who_is_at_the_counter(looks_like: LooksLike) -> None:
    app = console(busy_api())
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        looks_like(app, "console-80x24")


async def test_a_free_counter_is_told_whom_a_call_would_bring(looks_like: LooksLike) -> None:
    app = console(busy_api(), "9")
    async with app.run_test(size=MIDDLE) as pilot:
        await settled(app, pilot)
        await until_shown(pilot, "SERVED LAST")
        looks_like(app, "console-free-120x36")


async def test_another_persons_action_appears_by_itself_and_the_marked_row_stays_with_its_person() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("down", "down")
        marked = app.screen.query_one(WaitingList).current
        api.other_person(api.queue("CW")["waiting"][0], state="CALLED", counterId="4", calledAt="2026-08-07T12:00:00Z")
        await until(pilot, lambda: "Ada Moore" not in text_of(app))
        assert app.screen.query_one(WaitingList).current == marked
        assert marked == id_of(api, "CW-015")


async def test_a_closed_department_is_marked() -> None:
    api = busy_api()
    api.closed = {"CW"}
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "CLOSED")


async def test_help_and_palette_name_every_intent(looks_like: LooksLike) -> None:
    app = console(busy_api())
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("question_mark")
        await until_shown(pilot, "Call the same customer again.")
        looks_like(app, "console-help-80x24")
        await pilot.resize_terminal(*MIDDLE)
        await until_shown(pilot, "Show all keys.")
        shown = text_of(app)
        assert [each.help for each in ACTIONS if each.help not in shown] == []
        await pilot.press("escape")
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Recall", "Served", "Help", "Quit"} <= offered
        assert "Next" not in offered, "the counter is busy"


async def test_a_notice_stands_below_the_list_alone_and_covers_neither_buttons_nor_help() -> None:
    app = console(busy_api(), "9")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until_shown(pilot, "CW-013 is called to counter 9.")
        await pilot.press("r")
        await until_shown(pilot, "CW-013 is called again.")
        assert "CW-013 is called to counter 9." not in text_of(app)
        notice, line = app.main.query_one(Notice).region, app.main.query_one("#line").region
        assert line.contains_region(notice)
        assert notice.bottom == line.bottom
        for button in app.main.query(ActionButton).exclude("#action-open"):
            assert app.main.get_widget_at(*button.region.offset)[0] is button
        await pilot.resize_terminal(120, 40)
        await pilot.press("question_mark")
        await until_shown(pilot, "Show all keys.")
        assert [each.help for each in ACTIONS if each.help not in text_of(app)] == []


@pytest.mark.parametrize("before", [(), ("k",), ("question_mark",)])
async def test_ctrl_c_leaves_like_q(before: tuple[str, ...]) -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(*before, "ctrl+c")
    assert app.return_code == 0
    assert done(api) == []


async def test_starts_where_somebody_waits() -> None:
    api = FakeApi([token("XR", 1)], ("CW", "LAB", "XR"))
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "XR-001")
        assert app.main.state.selected == "XR"


async def test_departments_change_by_key() -> None:
    app = console(busy_api(), "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("right_square_bracket")
        await until_shown(pilot, "LAB-003")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until_shown(pilot, "XR-002")


@pytest.mark.parametrize("size", [(30, 10), (60, 15), (300, 90)])
async def test_survives_every_size(size: tuple[int, int]) -> None:
    app = console(busy_api())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.main.state.held)


async def test_an_unknown_wait_has_its_reason() -> None:
    api = busy_api()
    api.no_estimate = "no counter is open"
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "10 · no counter is open ")


async def test_times_are_those_of_the_branch_and_the_zone_is_named_where_the_machines_is_another() -> None:
    api = busy_api()
    api.zone = "Asia/Kolkata"
    api.opens_at = "2026-08-08T02:30:00Z"
    api.closed = {"CW"}
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await until_shown(pilot, "17:30 Asia/Kolkata")
        await pilot.press("p", *"90", "enter")
        await until_shown(pilot, "until 19:00")
    api.zone = "Atlantic/Reykjavik"
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        assert "Reykjavik" not in text_of(app), "its clock shows the same"


async def test_departments_out_of_sight_are_counted_and_the_chosen_one_is_in_sight() -> None:
    api = FakeApi([token("D01", 1)], [f"D{number:02d}" for number in range(1, 41)])
    app = console(api, "9")
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
