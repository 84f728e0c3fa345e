"""The console's keys: each move, what it asks first, and what it says afterwards."""

import threading
from collections.abc import Callable

import pytest
from textual.app import App

from tests.refusals import refusal
from tests.screens.console_driver import console, done, id_of, settled
from tests.screens.console_seeds import NOON, busy_api
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.advice import Action, Advice
from tokenq.contract.problems import ProblemCode
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.screens.dialogs import AskText, Choose, Confirm
from tokenq_tui.console.widgets.department_bar import DepartmentTab

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


async def test_the_way_of_one_person_by_keys() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        for key, state in (("n", "CALLED"), ("r", "CALLED"), ("s", "SERVING")):
            await pilot.press(key)
            await until(pilot, lambda: not app.main.is_busy)
            assert app.main.state.held is not None
            assert app.main.state.held["state"] == state
        await pilot.press("v")
        await until(pilot, lambda: app.main.state.held is None)
    assert done(api) == [
        ("call", "CW", "9", None, None),
        ("move", "recall", "CW-013"),
        ("move", "start", "CW-013"),
        ("move", "serve", "CW-013"),
    ]


@pytest.mark.parametrize(("key", "verb", "state"), [("x", "no-show", "NO_SHOW"), ("c", "cancel", "CANCELLED")])
async def test_what_cannot_be_undone_asks_first_and_the_same_key_says_yes(key: str, verb: str, state: str) -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        assert done(api) == []
        await pilot.press(key, key)
        await until(pilot, lambda: app.main.state.held is None)
    assert done(api) == [("move", verb, "CW-012")]


async def test_back_puts_the_person_into_the_line_again() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("b")
        await until(pilot, lambda: app.main.state.held is None)
    assert done(api) == [("move", "requeue", "CW-012")]


async def test_only_the_moves_of_the_token_have_an_effect() -> None:
    api = busy_api()
    app = console(api, "1")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Tom Reed")
        await pilot.press("r", "s", "x", "c", "n")
    assert done(api) == []


async def test_a_double_press_asks_the_server_once() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        api.pause = threading.Event()
        await pilot.press("n", "n", "n")
        api.pause.set()
        await until(pilot, lambda: app.main.state.held)
    assert done(api) == [("call", "CW", "9", None, None)]
    assert api.requests[0][-1], "and with an idempotency key"


async def test_calling_out_of_order_asks_why() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        assert "Why call CW-015 out of order?" in text_of(app)
        await pilot.press("enter", *"late", "enter")
        await until(pilot, lambda: app.main.state.held)
    assert done(api) == [("call", "CW", "9", id_of(api, "CW-015"), "late")]


async def test_enter_on_the_first_row_calls_it_without_a_question() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("enter")
        await until(pilot, lambda: app.main.state.held)
    assert done(api) == [("call", "CW", "9", None, None)]


async def test_a_person_who_left_the_line_is_cancelled_from_the_list() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("down", "delete", "y")
        await until(pilot, lambda: "Bo Lind" not in text_of(app))
    assert done(api) == [("move", "cancel", "CW-014")]


async def test_the_mouse_does_what_the_keys_do() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.click("#action-start")
        await until(pilot, lambda: app.main.state.held and app.main.state.held["state"] == "SERVING")
        await pilot.click("#action-recall")
        await pilot.click(list(app.screen.query(DepartmentTab))[1])
        await until(pilot, lambda: app.main.state.selected == "LAB")
        await until_shown(pilot, "LAB-003")
    assert done(api) == [("move", "start", "CW-012")]


@pytest.mark.parametrize("key", ["n", "V", "enter"])
async def test_a_call_while_somebody_is_here_is_answered_by_a_notice(key: str) -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press(key)
        await until_shown(pilot, "CW-012 is still at your counter.")
    assert done(api) == []


async def test_a_hint_that_names_a_command_of_the_shell_is_not_shown() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        api.fault = refusal(ProblemCode.STALE_CLAIM, "Somebody moved it.", Advice(Action.LIST_USERS))
        await pilot.press("v")
        await until_shown(pilot, "Somebody moved it.")
        assert "tokenq" not in text_of(app).replace("tokenq console", "")
        assert "List the users" not in text_of(app)
        api.fault = refusal(ProblemCode.STALE_CLAIM, "Somebody moved it.", "Look at the list.")
        await pilot.press("v")
        await until_shown(pilot, "Look at the list.")


async def test_parking_asks_for_how_long_and_why_and_resuming_whom() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press(*"15", "space", *"form", "enter")
        await until_shown(pilot, "until 12:15")
        assert api.bodies == [{"untilMinutes": 15, "reason": "form"}]
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is back in the queue.")
    assert done(api) == [("move", "park", "CW-012"), ("move", "resume", "CW-012")]


async def test_a_transfer_offers_the_other_departments() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("t")
        await until_shown(pilot, "Laboratory")
        assert "Children's Ward" not in text_of(app).split("Send CW-012")[1]
        await pilot.press("down", "tab", *"film", "enter")
        await until_shown(pilot, "CW-012 is now waiting in XR.")
    assert api.bodies == [{"to": "XR", "reason": "film"}]


async def test_a_transfer_tells_how_many_wait_also_where_the_person_does_not_serve() -> None:
    api = busy_api()
    api.closed.add("XR")
    app = ConsoleApp(api, api, api.feed, ("CW",), "3", clock=lambda: NOON)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("t")
        await until_shown(pilot, "Laboratory  (5 waiting, 10-20 min)")
        await until_shown(pilot, "X-Ray  (closed)")
        await pilot.press("escape", "v")
        await until_shown(pilot, "CW-012 is served.")
    assert done(api) == [("move", "serve", "CW-012")]


async def test_undo_takes_the_last_move_from_here_back() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("u")
        await until_shown(pilot, "There is nothing to undo.")
        assert done(api) == [], "nothing was done from here yet"
        await pilot.press("escape")
        await pilot.press("v")
        await until_shown(pilot, "CW-012 is served.")
        await pilot.press("u")
        await until_shown(pilot, "Undo marking CW-012 as served?")
        await pilot.press("u")
        await until_shown(pilot, "CW-012 is called again.")
        await until_shown(pilot, "Noor Haddad")
    assert done(api) == [("move", "serve", "CW-012"), ("move", "undo", "CW-012")]


async def test_a_repeated_call_is_still_taken_back_as_a_call() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until_shown(pilot, "CW-013 is called to counter 9.")
        await pilot.press("r")
        await until_shown(pilot, "CW-013 is called again.")
        await pilot.press("u")
        await until_shown(pilot, "Undo the call of CW-013?")
        await pilot.press("y")
        await until_shown(pilot, "Press n to call")


async def test_what_was_done_before_the_console_began_is_taken_back_too() -> None:
    api = busy_api()
    held = api.known[id_of(api, "CW-012")]
    held["moves"] = [*held["moves"], "undo"]
    api.before[held["tokenId"]] = {"state": "WAITING", "counterId": None}
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("u")
        await until_shown(pilot, "Undo the last move of CW-012?")
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is waiting again.")


async def test_who_was_missed_comes_back_and_another_class_is_given() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("x", "x")
        await until_shown(pilot, "CW-012 is a no-show.")
        await pilot.press("i")
        await until_shown(pilot, "Which token to reinstate?")
        await pilot.press("enter")
        await until_shown(pilot, "CW-012 is back in the queue.")
        await pilot.press("y")
        await until_shown(pilot, "Which class for")
        await pilot.press("enter")
        await until(pilot, lambda: len(api.bodies) == 3)
    assert [verb for _, verb, *_ in done(api)] == ["no-show", "reinstate", "priority"]


async def test_a_time_that_is_none_parks_nobody_and_is_said() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        await pilot.press("p", *"25:99", "space", *"foo", "enter")
        await until_shown(pilot, "25:99 is not a time.")
        assert isinstance(app.screen, AskText)
        assert done(api) == []
        await pilot.press("escape")


async def test_what_is_typed_as_an_answer_presses_no_keys_where_nothing_is_asked() -> None:
    api = busy_api()
    api.known[id_of(api, "CW-009")].update({"state": "CANCELLED", "moves": ["reinstate"]})
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("p")
        await until_shown(pilot, "Nobody is at your counter.")
        await pilot.press(*"15", "space", *"copies", "enter")
        await until(pilot, lambda: app.screen is app.main)
        await pilot.press("s")
        await until_shown(pilot, "Nobody is at your counter.")
        assert app.screen is app.main, "nothing was going to be asked"
    assert done(api) == []


async def test_who_was_not_called_often_enough_is_told_before_the_question() -> None:
    api = busy_api()
    api.setup["minCalls"] = 3
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        await pilot.press("x")
        await until_shown(pilot, "CW-012 was called 2 of 3 times. Call again first: press r.")
        await pilot.press("enter", "r")
        await until_shown(pilot, "CW-012 is called again.")
        await pilot.press("x")
        await until_shown(pilot, "Mark CW-012 as a no-show?")
    assert done(api) == [("move", "recall", "CW-012")]


async def test_a_hint_that_names_a_verb_names_its_key() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Noor Haddad")
        api.fault = refusal(
            ProblemCode.TOO_EARLY, "CW-012 was called 1 of 2 times.", Advice(Action.RECALL, {"number": "CW-012"})
        )
        await pilot.press("v")
        await until_shown(pilot, "Call it again (press r).")


async def test_a_wrong_address_is_corrected_in_the_list() -> None:
    """Without a text nothing is asked of the server that would remove the address."""
    api = busy_api()
    app = console(api)
    async with app.run_test(size=MIDDLE) as pilot:
        await until_shown(pilot, "Noor Haddad")
        row = api.known[id_of(api, "CW-013")]
        row["moves"] = [*row["moves"], "edit"]
        await pilot.press("f5")
        await settled(app, pilot)
        await pilot.press("E")
        await until_shown(pilot, "Correct CW-013")
        await pilot.press("down", "tab", *"ada@example.com", "enter")
        await until_shown(pilot, "CW-013 has been corrected.")
    assert [request[:3] for request in api.requests if request[0] == "edit"] == [("edit", None, "ada@example.com")]
