"""The front desk when the server or the printer is away, or refuses."""

from collections.abc import Collection

import pytest
from textual.pilot import Pilot

from tests.refusals import refusal
from tests.screens.desk_driver import DeskApi, FakePrinter, at_desk
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.problems import ProblemCode
from tokenq.contract.views import TokenView
from tokenq.errors import Unreachable
from tokenq_tui.desk import issuing, messages
from tokenq_tui.desk.app import DeskApp
from tokenq_tui.desk.screens import main
from tokenq_tui.desk.screens.issued import IssuedScreen


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "AGAIN_SECONDS", 0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked again by itself while somebody gives up waiting."""
    monkeypatch.setattr(issuing, "AGAIN_SECONDS", 30)
    monkeypatch.setattr(main, "REPEAT_SECONDS", 0)


async def lose_an_answer(api: DeskApi, pilot: Pilot[int]) -> None:
    """Ask for a number whose answer is lost, and do not wait for it."""
    api.loses = 1
    await pilot.press("1")
    await until_shown(pilot, "nobody gets two")
    await pilot.press("escape")


async def test_a_lost_answer_never_makes_two_numbers() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        api.loses = 3
        await pilot.press("1")
        await until_shown(pilot, "CW-003 is issued and printed.")
        assert len(api.issued) == 1


@pytest.mark.usefixtures("impatient")
async def test_whoever_does_not_wait_for_the_answer_gets_the_same_number_later() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        await lose_an_answer(api, pilot)
        await until_shown(pilot, "Whether a number was issued is")
        await pilot.press("1")
        await until_shown(pilot, "CW-003 is issued and printed.")
        assert len(api.issued) == 1


@pytest.mark.usefixtures("impatient")
async def test_whoever_asks_again_gets_the_same_number_though_another_answer_is_lost() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        await lose_an_answer(api, pilot)
        await until_shown(pilot, "Whether a number was issued is")
        known, api.token = api.token, away
        await pilot.press("1")
        await until_shown(pilot, "The server has gone.")
        api.token = known
        await pilot.press("1")
        await until_shown(pilot, "CW-003 is issued and printed.")
        assert len(api.issued) == 1


def away(_token_id: int) -> TokenView:
    raise Unreachable("The server has gone.")


@pytest.mark.usefixtures("impatient")
async def test_a_lost_number_that_was_called_meanwhile_is_not_given_to_the_next() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        await lose_an_answer(api, pilot)
        await until_shown(pilot, "unknown")
        next(each for each in api.known.values() if each["displayNumber"] == "CW-003")["state"] = "CALLED"
        await pilot.press("1")
        await until_shown(pilot, "CW-004 is issued and printed.")


async def test_a_ticket_that_does_not_print_is_said_with_the_number_and_printed_again() -> None:
    printer = FakePrinter()
    printer.fault = "The printer is out of paper."
    async with at_desk(printer=printer, size=(120, 36)) as (api, app, pilot):
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await pilot.press("escape")
        await until_shown(pilot, "CW-003 is issued. The printer is out of paper.")
        assert "p prints the ticket again." in text_of(app)
        printer.fault = ""
        await pilot.press("p")
        await until_shown(pilot, "CW-003 is printed.")
        assert printer.printed == ["CW-003"]
        assert len(api.issued) == 1


async def test_a_ticket_that_cannot_be_made_hides_no_number(faults: Collection[BaseException]) -> None:
    async with at_desk(printer=FakePrinter(), size=(120, 36)) as (api, app, pilot):
        api.ticket = lambda _token: 1 / 0
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await pilot.press("escape")
        await until_shown(pilot, "CW-003 is issued. That failed at this desk (ZeroDivisionError")
        assert len(faults) == 1


async def test_offline_is_said_and_recovers() -> None:
    async with at_desk(printer=FakePrinter()) as (api, app, pilot):
        api.fault = Unreachable("The server at http://10.0.0.1 does not answer.")
        app.main._tail.refresh()
        await until_shown(pilot, "No numbers can be issued at the moment")
        await until_shown(pilot, "OFFLINE")
        await pilot.press("1")
        await until_shown(pilot, "does not answer.")
        api.fault = None
        app.main._tail.refresh()
        await until_shown(pilot, "LIVE")
        await until(pilot, lambda: "No numbers can be issued" not in text_of(app))
        await pilot.press("2")
        await until_shown(pilot, "LAB-002 is issued and printed.")


async def test_what_was_issued_stays_to_be_read_when_the_server_is_back() -> None:
    async with at_desk(printer=FakePrinter()) as (api, app, pilot):
        api.fault = Unreachable("The server does not answer.")
        app.main._tail.refresh()
        await until_shown(pilot, "OFFLINE")
        app.main.post_message(messages.Issued(next(iter(api.known.values())), is_printed=True))
        await until_shown(pilot, "CW-001 is issued and printed.")
        api.fault = None
        app.main._tail.refresh()
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "CW-001 is issued and printed.")


async def test_a_refusal_is_its_sentence() -> None:
    async with at_desk() as (api, _app, pilot):
        await until_shown(pilot, "X-ray")
        api.fault = refusal(ProblemCode.DEPARTMENT_CLOSED, "X-ray is closed.", "It opens at 13:00.")
        await pilot.press("3")
        await until_shown(pilot, "X-ray is closed.")


async def test_a_customer_may_not_work_here() -> None:
    api = DeskApi()
    api.role = "customer"
    app = DeskApp(api, api, api.feed)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.return_code == 5)
