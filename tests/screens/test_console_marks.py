"""Several rows are marked, and cancelled or transferred together; the result says what failed."""

import pytest
from textual.pilot import Pilot

from tests.refusals import refusal
from tests.screens.console_driver import at_work, done, id_of
from tests.screens.console_seeds import FakeApi, away, busy_api
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.problems import ProblemCode
from tokenq.contract.views import TokenView
from tokenq_tui.console.app import ConsoleApp

MARKED = ["CW-013", "CW-015", "CW-016"]


async def mark_three(app: ConsoleApp, pilot: Pilot[None]) -> None:
    await pilot.press("space", "down", "space", "space")
    await until(pilot, lambda: [each["displayNumber"] for each in app.main.state.marked] == MARKED)
    await until_shown(pilot, "3 marked")


def fail(api: FakeApi, number: str, error: Exception) -> None:
    move = api.move

    def failing(token: TokenView, verb: str, **rest: object) -> TokenView:
        if token["displayNumber"] == number:
            raise error
        return move(token, verb, **rest)  # type: ignore[arg-type]

    api.move = failing  # type: ignore[method-assign]


async def test_all_marked_are_cancelled_after_one_question_that_names_them() -> None:
    async with at_work() as (api, app, pilot):
        await mark_three(app, pilot)
        assert "✓CW" not in text_of(app)
        assert text_of(app).count("✓") == 3
        await pilot.press("delete")
        await until_shown(pilot, "Cancel 3 waiting customers?")
        await until_shown(pilot, "CW-013, CW-015, CW-016")
        assert api.requests == []
        await pilot.press("y")
        await until_shown(pilot, "3 customers are cancelled.")
        assert done(api) == [("move", "cancel", number) for number in MARKED]
        await until(pilot, lambda: not app.main.state.marks)


async def test_each_has_a_key_of_its_own() -> None:
    """Else the second would be answered with what was stored for the first."""
    async with at_work() as (api, app, pilot):
        await mark_three(app, pilot)
        await pilot.press("delete", "y")
        await until_shown(pilot, "3 customers are cancelled.")
        assert len({request[-1] for request in api.requests}) == 3


async def test_all_marked_go_to_one_department() -> None:
    async with at_work() as (api, app, pilot):
        await mark_three(app, pilot)
        await pilot.press("T")
        await until_shown(pilot, "Send 3 customers to …")
        await pilot.press("enter")
        await until_shown(pilot, "3 customers are now waiting in LAB.")
        assert [body["to"] for body in api.bodies] == ["LAB"] * 3


async def test_what_failed_is_listed_and_stays_marked() -> None:
    api = busy_api()
    fail(api, "CW-015", refusal(ProblemCode.STALE_CLAIM, "Somebody else moved this token."))
    async with at_work(api) as (_, app, pilot):
        await mark_three(app, pilot)
        await pilot.press("delete", "y")
        await until_shown(pilot, "2 customers are cancelled.")
        await until_shown(pilot, "CW-015 failed:")
        await until(pilot, lambda: [each["displayNumber"] for each in app.main.state.marked] == ["CW-015"])


async def test_without_a_server_the_rest_is_not_tried_and_that_is_said() -> None:
    api = busy_api()
    fail(api, "CW-015", away())
    async with at_work(api) as (_, app, pilot):
        await mark_three(app, pilot)
        await pilot.press("delete", "y")
        await until_shown(pilot, "1 customer is cancelled.")
        await until_shown(pilot, "CW-015 failed: The server cannot be reached.")
        await until_shown(pilot, "Not tried: CW-016.")
        assert done(api) == [("move", "cancel", "CW-013")]


async def test_marks_go_with_the_person_the_department_and_the_key_that_removes_them() -> None:
    async with at_work() as (api, app, pilot):
        await mark_three(app, pilot)
        api.other_person(api.known[id_of(api, "CW-015")], state="CANCELLED")
        await until(pilot, lambda: len(app.main.state.marks) == 2)
        await pilot.press("asterisk")
        await until(pilot, lambda: not app.main.state.marks)
        await pilot.press("space", "right_square_bracket")
        await until(pilot, lambda: app.main.state.selected == "LAB")
        assert not app.main.state.marks, "what is not seen is not acted on"


@pytest.mark.parametrize("key", ["y", "E", "enter"])
async def test_other_actions_are_for_the_selected_row_alone(key: str) -> None:
    async with at_work(counter="9", words="Ada Moore") as (_, app, pilot):
        await mark_three(app, pilot)
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not app.main)
        assert "CW-017" in text_of(app)
