"""The desk as a kiosk: customers take numbers, in their language, and reach nothing else."""

import gettext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from tests.screens.console_seeds import event
from tests.screens.desk_driver import DeskApi, FakePrinter, at_desk
from tests.screens.reading import text_of, until, until_shown
from tokenq import locale
from tokenq.client.events import EventArrived
from tokenq.errors import Unreachable
from tokenq_tui.desk import issuing, keystrokes
from tokenq_tui.desk.screens import kiosk, main
from tokenq_tui.desk.screens.dialogs import AskLine
from tokenq_tui.desk.screens.issued import IssuedScreen
from tokenq_tui.desk.widgets.bar import Touchable
from tokenq_tui.desk.widgets.department_keys import DepartmentKey

GERMAN = {"Expected wait: {wait}": "Wartezeit: {wait}", "Please take your ticket.": "Bitte nehmen Sie Ihr Ticket."}


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that a test types come one by one, and on a busy machine not as fast as a scanner's."""
    monkeypatch.setattr(keystrokes, "PAUSE", 0.6)


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of some German texts."""
    catalogue = Catalog(locale="de")
    for source, text in GERMAN.items():
        catalogue.add(source, text)
    catalogue.add(("{number} waiting", "{number} waiting"), ("{number} wartet", "{number} warten"))
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "tokenq.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setenv(locale.OWN_FOLDER, str(tmp_path))
    locale._catalogue.cache_clear()
    locale.texts.cache_clear()
    yield
    locale._catalogue.cache_clear()
    locale.texts.cache_clear()
    gettext._translations.clear()  # type: ignore[attr-defined]


def kiosk_api(*languages: str) -> DeskApi:
    api = DeskApi()
    api.languages = list(languages) or ["en"]
    return api


async def test_a_customer_takes_a_number_that_is_shown_for_some_seconds() -> None:
    printer = FakePrinter()
    async with at_desk(kiosk_api(), printer, self_service=True) as (api, app, pilot):
        await pilot.click(next(key for key in app.query(DepartmentKey) if key.department == "LAB"))
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await until_shown(pilot, "Please take your ticket.")
        assert isinstance(app.screen, IssuedScreen)
        assert app.screen._seconds == kiosk.SHOWN_SECONDS
        assert (api.issued, printer.printed) == ([("LAB", None, None, "en")], ["LAB-002"])


async def test_then_the_next_customer_sees_the_departments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kiosk, "SHOWN_SECONDS", 0.1)
    printer = FakePrinter()
    async with at_desk(kiosk_api(), printer, self_service=True) as (_, app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: printer.printed == ["LAB-002"] and app.screen is app.main)
        await until(pilot, lambda: "LAB-002" not in text_of(app))


async def test_without_a_ticket_the_number_stays_longer_and_is_to_be_noted() -> None:
    printer = FakePrinter()
    printer.fault = "The printer is out of paper."
    async with at_desk(kiosk_api(), printer, self_service=True) as (_, app, pilot):
        await pilot.press("1")
        await until_shown(pilot, "Please note your number.")
        assert isinstance(app.screen, IssuedScreen)
        assert app.screen._seconds == kiosk.WITHOUT_TICKET_SECONDS


@pytest.mark.usefixtures("german")
async def test_a_language_is_chosen_for_one_customer() -> None:
    async with at_desk(kiosk_api("en", "de", "tlh"), FakePrinter(), self_service=True) as (api, app, pilot):
        await until_shown(pilot, "Deutsch")
        assert "tlh" not in text_of(app)  # no texts in it
        await pilot.click(next(each for each in app.query(Touchable) if "Deutsch" in str(each.content)))
        await until_shown(pilot, "2 warten")
        await pilot.press("1")
        await until_shown(pilot, "Bitte nehmen Sie Ihr Ticket.")
        assert api.issued == [("CW", None, None, "de")]
        await pilot.pause(kiosk.LEAST_SECONDS)
        await pilot.press("enter")
        await until_shown(pilot, "waiting")


@pytest.mark.usefixtures("german")
async def test_whoever_leaves_leaves_no_language_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kiosk, "IDLE_SECONDS", 3.0)
    async with at_desk(kiosk_api("en", "de"), self_service=True) as (_, _app, pilot):
        await until_shown(pilot, "Deutsch")
        await pilot.press("f2")
        await until_shown(pilot, "2 warten")
        await until_shown(pilot, "2 waiting")


@pytest.mark.parametrize(
    "keys", [["q"], ["ctrl+c"], ["ctrl+q"], ["escape"], ["n"], ["u"], ["p"], ["/"], ["ctrl+p"], ["f1"], ["ctrl+z"]]
)
async def test_nothing_else_is_reachable(keys: list[str]) -> None:
    async with at_desk(kiosk_api(), FakePrinter(), self_service=True) as (api, app, pilot):
        await pilot.press(*keys)
        await pilot.pause(0.4)
        assert app.screen is app.main
        assert app.is_running
        assert "Quit" not in text_of(app)
        assert (api.issued, app._exit) == ([], False)


async def test_a_scanned_ticket_shows_nobody_anything() -> None:
    async with at_desk(kiosk_api(), FakePrinter(), self_service=True) as (api, app, pilot):
        await pilot.press(*"CW-001", "enter")
        await pilot.pause(0.4)
        assert (api.found, api.issued, app.screen is app.main) == ([], [], True)


async def test_it_is_left_by_the_code_and_only_by_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(kiosk, "time", SimpleNamespace(monotonic=lambda: now[0]))
    async with at_desk(kiosk_api(), self_service=True, exit_pin="4711") as (_, app, pilot):
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        await pilot.press(*"1234")
        assert "1234" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main)
        await pilot.press("ctrl+q")
        await pilot.pause(0.1)
        assert app.screen is app.main  # guessing is slow
        now[0] += 5.0
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        await pilot.press("ctrl+c")
        await pilot.press(*"4711", "enter")
        await until(pilot, lambda: app._exit)


async def test_the_question_for_the_code_goes_away_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AskLine, "SECONDS", 2.0)
    async with at_desk(kiosk_api(), self_service=True, exit_pin="4711") as (_, app, pilot):
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        await until(pilot, lambda: app.screen is app.main)


async def test_a_closed_department_gives_no_number() -> None:
    api = kiosk_api()
    api.closed = {"XR"}
    async with at_desk(api, FakePrinter(), self_service=True) as (_, _app, pilot):
        await until_shown(pilot, "Closed")
        await pilot.press("3")
        await pilot.pause(0.5)
        assert api.issued == []


async def test_only_departments_with_self_service_are_shown_and_a_change_is_seen_at_once() -> None:
    api = kiosk_api()
    api.self_service = {"CW": "on"}
    async with at_desk(api, self_service=True) as (_, app, pilot):
        assert [key.department for key in app.query(DepartmentKey)] == ["CW"]
        await pilot.press("2")
        await pilot.pause(0.8)
        assert api.issued == []
        api.self_service = {"XR": "on"}
        api.feed.put(EventArrived(replace(event("XR", 2), event_type="DEPARTMENT_CHANGED"), ""))
        await until(pilot, lambda: [key.department for key in app.query(DepartmentKey)] == ["XR"])
        api.self_service = {}
        api.feed.put(EventArrived(replace(event("XR", 3), event_type="DEPARTMENT_CHANGED"), ""))
        await until(pilot, lambda: not app.query(DepartmentKey))
        await until_shown(pilot, "No numbers can be issued at the moment.")
        await until_shown(pilot, "no department of this kiosk has the setting")
        api.self_service = {"LAB": "on"}
        api.feed.put(EventArrived(replace(event("LAB", 4), event_type="DEPARTMENT_CHANGED"), ""))
        await until(pilot, lambda: [key.department for key in app.query(DepartmentKey)] == ["LAB"])
        assert "self-service" not in text_of(app)


async def test_the_second_touch_of_a_hand_hides_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no ticket: whoever does not see the number does not have it."""
    monkeypatch.setattr(kiosk, "LEAST_SECONDS", 3.0)
    async with at_desk(kiosk_api(), self_service=True) as (api, app, pilot):
        await pilot.click(DepartmentKey)
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await pilot.click()
        await pilot.press("enter", "space", "escape")
        await pilot.pause(0.3)
        assert isinstance(app.screen, IssuedScreen)
        await pilot.pause(3.0)
        await pilot.click()
        await until(pilot, lambda: app.screen is app.main)
        assert len(api.issued) == 1


async def test_whoever_waits_for_a_slow_printer_gets_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "REPEAT_SECONDS", 0.0)
    printer = FakePrinter()
    printer.pause.clear()
    async with at_desk(kiosk_api(), printer, self_service=True) as (api, app, pilot):
        for _ in range(3):
            await pilot.click(DepartmentKey)
            await pilot.pause(0.3)
        assert len(api.issued) == 1
        printer.pause.set()
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        assert printer.printed == ["CW-003"]


async def test_failures_are_told_without_their_reasons_and_it_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "AGAIN_SECONDS", 0.05)
    async with at_desk(kiosk_api(), FakePrinter(), self_service=True) as (api, app, pilot):
        api.fault = Unreachable("The server at http://10.0.0.1 does not answer.")
        await pilot.press("1")
        await until_shown(pilot, "That did not work. Please try again, or ask at the desk.")
        app.main._tail.refresh()
        await until_shown(pilot, "Please ask at the desk.")
        assert "10.0.0.1" not in text_of(app)
        api.fault = None
        app.main._tail.refresh()
        await until_shown(pilot, "LIVE")
        api.loses = 2
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        assert [department for department, *_ in api.issued] == ["LAB"]


async def test_a_key_that_is_no_longer_valid_ends_no_kiosk() -> None:
    """What is behind it may be a shell."""
    from tests.refusals import refusal
    from tokenq.contract.problems import ProblemCode

    async with at_desk(kiosk_api(), FakePrinter(), self_service=True) as (api, app, pilot):
        api.fault = refusal(ProblemCode.UNAUTHENTICATED, "The key is not valid.")
        app.main._tail.refresh()
        await until_shown(pilot, "OFFLINE")
        assert app.is_running
        assert not app._exit
