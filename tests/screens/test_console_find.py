"""``/`` looks for somebody who waits, and no letter of the name does anything else."""

import threading
from functools import partial

import pytest
from textual import events
from textual.widgets import Input, Static

from tests.screens.console_driver import at_work
from tests.screens.console_seeds import NOON, busy_api, token
from tests.screens.reading import text_of, until, until_shown
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.messages import CounterTaken
from tokenq_tui.console.preferences import Preferences
from tokenq_tui.console.screens.dialogs import Choose, Confirm
from tokenq_tui.console.widgets.find_line import FindInput, FindLine
from tokenq_tui.console.widgets.waiting_list import WaitingList

SIZE = (80, 24)
SIZES = [(60, 20), (80, 24), (120, 36), (200, 60)]


finding = partial(at_work, counter="9", size=SIZE, words="LIVE")


def marked(app: ConsoleApp) -> str:
    """The number of the marked row."""
    found = app.main.state.find(app.main.query_one(WaitingList).current or 0)
    return found["displayNumber"] if found else ""


def typed(app: ConsoleApp) -> str:
    return app.main.query_one(FindInput).value


def said(app: ConsoleApp) -> str:
    return str(app.main.query_one("#find-result", Static).content)


async def test_who_is_typed_is_marked_and_enter_goes_on_with_them() -> None:
    async with finding() as (api, app, pilot):
        await pilot.press("slash", *"hana")
        await until(pilot, lambda: marked(app) == "CW-020")
        await until_shown(pilot, "1 of 1")
        await pilot.press("enter")
        await until(pilot, lambda: not app.main.is_finding)
        assert isinstance(app.focused, WaitingList)
        assert marked(app) == "CW-020"
        await pilot.press("enter")
        await until_shown(pilot, "Why call CW-020 out of order?")
    assert api.requests == []


@pytest.mark.parametrize("size", SIZES)
async def test_no_letter_does_anything_else(size: tuple[int, int]) -> None:
    """Every key of the table that is a letter, a sign or a blank, also in the order of a name."""
    api = busy_api()
    letters = [each.key for each in ACTIONS if len(each.key) == 1] + ["slash", "question_mark", "space"]
    letters += ["left_square_bracket", "right_square_bracket"]
    async with finding(api, counter="3", size=size) as (_, app, pilot):
        before = app.main.state.selected
        await pilot.press("slash", *"zzz", *letters, "enter", "delete", "f5", "f1")
        await until(pilot, lambda: said(app).startswith("Nobody here matches 'zzz"))
        assert app.is_running
        assert app.screen is app.main
        assert app.main.state.selected == before
        await pilot.press("escape")
        await until(pilot, lambda: not app.main.is_finding)
    assert api.requests == []
    assert api.desks["3"]["state"] != "PAUSED"


async def test_what_comes_in_one_go_is_typed_and_presses_nothing() -> None:
    """Keys that were on their way through the list before the line was open."""
    async with finding() as (api, app, pilot):
        for key in ("slash", *"zn", "space", *"vq"):
            app.post_message(events.Key(key, {"slash": "/", "space": " "}.get(key, key)))
        await until(pilot, lambda: typed(app) == "zn vq")
        await pilot.press("backspace", "x")
        assert typed(app) == "zn vx", "the next key goes on where the last one ended"
        assert app.is_running
        assert app.screen is app.main
    assert api.requests == []


async def test_esc_marks_again_who_was_marked() -> None:
    async with finding() as (_, app, pilot):
        await pilot.press("down", "down", "slash", *"June")
        await until(pilot, lambda: marked(app) == "CW-022")
        await pilot.press("escape")
        await until(pilot, lambda: not app.main.is_finding)
        assert marked(app) == "CW-015"
        assert isinstance(app.focused, WaitingList)
        assert "/ Find" in text_of(app)


async def test_the_arrows_go_from_match_to_match() -> None:
    async with finding() as (_, app, pilot):
        await pilot.press("slash", *"na")
        await until(pilot, lambda: marked(app) == "CW-016")
        for key, number, place in (("down", "CW-020", 2), ("down", "CW-016", 1), ("up", "CW-020", 2)):
            await pilot.press(key)
            await until(pilot, lambda number=number: marked(app) == number)  # type: ignore[misc]
            await until_shown(pilot, f"{place} of 2")


async def test_who_is_not_there_is_said_and_enter_takes_nobody_else() -> None:
    async with finding() as (api, app, pilot):
        await pilot.press("slash", *"xyz", "enter", "enter", "down", "up")
        await until_shown(pilot, "Nobody here matches 'xyz'.")
        assert app.main.is_finding
        assert app.screen is app.main
        await pilot.press(*["backspace"] * 3, *"cw17")
        await until(pilot, lambda: marked(app) == "CW-017")
    assert api.requests == []


async def test_a_refreshed_queue_leaves_the_line_open_and_the_right_one_marked() -> None:
    async with finding() as (api, app, pilot):
        await pilot.press("slash", *"o")
        await until(pilot, lambda: marked(app) == "CW-013")
        await pilot.press("down")
        await until(pilot, lambda: marked(app) == "CW-014")
        api.other_person(api.queue("CW")["waiting"][0], state="CANCELLED")
        await until(pilot, lambda: "Ada Moore" not in text_of(app))
        assert (app.main.is_finding, typed(app), marked(app)) == (True, "o", "CW-014")
        api.other_person(api.queue("CW")["waiting"][0], state="CANCELLED")
        await until(pilot, lambda: marked(app) == "CW-017")
        await pilot.press(*"tto")
        await until_shown(pilot, "Nobody here matches 'otto'.")
        late = token("CW", 30, name="Otto Wahl")
        api.known[late["tokenId"]] = late
        api.other_person(late, state="WAITING")
        await until(pilot, lambda: marked(app) == "CW-030")
        assert isinstance(app.focused, FindInput)


async def test_a_line_that_is_longer_than_the_list_says_so() -> None:
    api = busy_api()
    real = api.queue
    api.queue = lambda name: {**real(name), "counts": {"waiting": 500, "served": 0}}  # type: ignore[method-assign]
    async with finding(api, size=(120, 36)) as (_, _, pilot):
        await pilot.press("slash", *"xyz")
        await until_shown(pilot, "Nobody among the first 10 matches 'xyz'.")


async def test_a_question_waits_until_nobody_is_looked_for() -> None:
    """Somebody else's claim, and the answer to a look-up: a letter would be the answer."""
    async with finding(counter="3") as (api, app, pilot):
        api.pause = threading.Event()
        await pilot.press("i", "slash", *"y")
        api.pause.set()
        app.main.post_message(CounterTaken("Bo"))
        await until(pilot, lambda: len(app.main._held_back) == 2)
        await pilot.press(*"n")
        assert typed(app) == "yn"
        assert app.screen is app.main
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Choose | Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Choose | Confirm))
    assert api.requests == []


async def test_a_line_may_be_opened_while_the_server_is_silent() -> None:
    async with finding() as (api, app, pilot):
        api.pause = threading.Event()
        await pilot.press("n", "slash", *"zvq")
        assert typed(app) == "zvq"
        api.pause.set()
        await until_shown(pilot, "CW-013 is called to counter 9.")
        assert app.main.is_finding
    assert [request[0] for request in api.requests] == ["call"]


async def test_it_can_be_left_from_there() -> None:
    async with finding() as (_, app, pilot):
        await pilot.press("slash", *"ada", "ctrl+c")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_the_mouse_may_go_elsewhere_and_the_palette_finds_too() -> None:
    async with finding() as (_, app, pilot):
        (command,) = [one for one in app.get_system_commands(app.screen) if one.title == "Find"]
        await command.callback()  # type: ignore[misc]
        await pilot.press(*"june")
        await until(pilot, lambda: marked(app) == "CW-022")
        app.main.set_focus(app.main.query_one(WaitingList))
        await until(pilot, lambda: not app.main.is_finding)
        assert marked(app) == "CW-022"
        assert app.main.query_one(FindLine).query_one(Input).value == "june"
        await pilot.press("slash")
        await until(pilot, lambda: app.main.is_finding)
        assert typed(app) == ""


@pytest.mark.parametrize("size", SIZES)
async def test_the_line_stands_below_the_list_and_covers_nothing(size: tuple[int, int]) -> None:
    async with finding(size=size) as (_, app, pilot):
        await pilot.press("slash", *"june")
        await until(pilot, lambda: marked(app) == "CW-022")
        await until(pilot, lambda: "CW-022" in text_of(app))
        line, waiting = app.main.query_one(FindLine).region, app.main.query_one(WaitingList).region
        assert line.y == waiting.bottom
        assert app.main.query_one("#line").region.contains_region(line)
        assert "/ june" in text_of(app)
        assert "esc Close" in text_of(app)


@pytest.mark.parametrize(
    ("typed_text", "place"),
    [("noor", "CW-012 is at counter 3"), ("cw11", "CW-011 is at counter 1"), ("lab4", "LAB-004 waits in LAB")],
)
async def test_who_does_not_wait_here_is_said_with_their_place(typed_text: str, place: str) -> None:
    async with finding() as (api, app, pilot):
        await pilot.press("slash", *typed_text)
        await until(pilot, lambda: said(app) == f"Not in this list: {place}.")
        await pilot.press("enter")
        assert app.main.is_finding, "nobody else is taken"
    assert api.requests == []


async def test_people_are_found_however_their_names_are_typed() -> None:
    api = busy_api()
    names = {"CW-014": "Łukasz Żółć", "CW-016": "Søren Æble", "CW-018": "Müller-Weiß", "CW-020": "Nguyễn Đức"}
    for each in api.known.values():
        each["name"] = names.get(each["displayNumber"], "Nobody")
    async with finding(api) as (_, app, pilot):
        cases = {"lukasz zolc": "CW-014", "soren aeble": "CW-016", "weiss": "CW-018", "NGUYEN DUC": "CW-020"}
        for text, number in cases.items():
            await pilot.press("slash", *("space" if letter == " " else letter for letter in text))
            await until(pilot, lambda number=number: marked(app) == number)  # type: ignore[misc]
            assert said(app) == "1 of 1"
            await pilot.press("escape")
            await until(pilot, lambda: not app.main.is_finding)


async def test_a_find_key_of_ones_own_opens_the_line_and_types_nothing() -> None:
    api = busy_api()
    app = ConsoleApp(api, api, api.feed, (), "9", preferences=Preferences(keys={"find": "f"}), clock=lambda: NOON)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "Ada Moore")
        await pilot.press("f", "f")
        await until(pilot, lambda: typed(app) == "f")
