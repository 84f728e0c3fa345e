"""The front desk: keys, tickets, scans and corrections."""

import pytest

from tests.screens.console_driver import LooksLike
from tests.screens.console_seeds import event
from tests.screens.desk_driver import DeskApi, FakePrinter, at_desk
from tests.screens.reading import text_of, until, until_shown
from tokenq.client.events import EventArrived
from tokenq_tui.desk import issuing, keystrokes
from tokenq_tui.desk.app import DeskApp
from tokenq_tui.desk.screens import main
from tokenq_tui.desk.screens.issued import IssuedScreen
from tokenq_tui.desk.state import DeskState
from tokenq_tui.desk.widgets.department_keys import DepartmentKey, arrangement


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that a test types come one by one, and on a busy machine not as fast as a scanner's."""
    monkeypatch.setattr(keystrokes, "PAUSE", 0.6)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "AGAIN_SECONDS", 0.05)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (200, 60)])
async def test_every_department_is_a_large_key_with_who_waits(size: tuple[int, int]) -> None:
    async with at_desk(size=size) as (_, app, pilot):
        for words in ("1", "Chest ward", "2 waiting · 10-20 min", "Laboratory 验血", "1 waiting", "X-ray", "St. Mary"):
            await until_shown(pilot, words)
        for key in app.query(DepartmentKey):
            assert key.region.height >= 3
            assert key.region.width >= 20
            assert app.screen.region.contains_region(key.region)
        assert "Quit" in text_of(app)


async def test_one_key_issues_and_prints() -> None:
    printer = FakePrinter()
    async with at_desk(printer=printer) as (api, _app, pilot):
        await pilot.press("2")
        await until_shown(pilot, "LAB-002 is issued and printed.")
        assert api.issued == [("LAB", None, None, None)]
        assert printer.printed == ["LAB-002"]
        await until_shown(pilot, "2 waiting")


async def test_a_touch_issues_too() -> None:
    async with at_desk(printer=FakePrinter()) as (_api, app, pilot):
        await pilot.click(next(key for key in app.query(DepartmentKey) if key.department == "XR"))
        await until_shown(pilot, "XR-001 is issued and printed.")


async def test_the_key_with_the_focus_issues_by_enter() -> None:
    async with at_desk(printer=FakePrinter()) as (_api, app, pilot):
        next(key for key in app.query(DepartmentKey) if key.department == "LAB").focus()
        await pilot.press("enter")
        await until_shown(pilot, "LAB-002 is issued and printed.")


async def test_without_a_printer_the_number_fills_the_screen_until_a_key() -> None:
    async with at_desk(size=(120, 36)) as (api, app, pilot):
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        assert len([line for line in text_of(app).splitlines() if "█" in line or "▀" in line]) >= 7
        assert "Chest ward" in text_of(app)
        await pilot.press("escape")
        await until_shown(pilot, "CW-003 is issued.")
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await pilot.press("3")  # the next customer need not wait for the number to go
        await until(pilot, lambda: len(api.issued) == 3)


async def test_a_key_that_is_held_down_issues_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "REPEAT_SECONDS", 600.0)
    async with at_desk(printer=FakePrinter()) as (api, app, pilot):
        for _ in range(5):
            app.main.issue("CW")
            await pilot.pause(0.05)
        await until_shown(pilot, "CW-003 is issued")
        app.main.issue("CW")
        await pilot.pause(0.2)
        assert len(api.issued) == 1


async def test_nobody_waits_for_the_printer_to_take_the_next_number() -> None:
    printer = FakePrinter()
    printer.pause.clear()
    async with at_desk(printer=printer) as (api, app, pilot):
        await pilot.press("1")
        await until(pilot, lambda: len(api.issued) == 1 and not app.main._issuer.is_busy)
        await pilot.press("2")
        await until(pilot, lambda: len(api.issued) == 2)
        printer.pause.set()
        await until(pilot, lambda: printer.printed == ["CW-003", "LAB-002"])


async def test_name_and_address_are_optional_and_for_one_customer() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        await pilot.press("n")
        await until_shown(pilot, "For the next number")
        await pilot.press(*"Ada", "enter", *"ada@example.com", "enter")
        await until_shown(pilot, "For Ada")
        await pilot.press("1")
        await until_shown(pilot, "CW-003 is issued")
        await pilot.pause(0.3)
        await pilot.press("2")
        await until_shown(pilot, "LAB-002 is issued")
        assert api.issued == [("CW", "Ada", "ada@example.com", None), ("LAB", None, None, None)]


async def test_the_last_number_is_taken_back_while_it_waits() -> None:
    async with at_desk(printer=FakePrinter()) as (api, app, pilot):
        await pilot.press("1")
        await until_shown(pilot, "Take back CW-003")
        await pilot.press("u")
        await until_shown(pilot, "CW-003 is taken back.")
        assert next(t for t in api.known.values() if t["displayNumber"] == "CW-003")["state"] == "CANCELLED"
        assert "Take back" not in text_of(app)
        await pilot.press("2")
        await until_shown(pilot, "Take back LAB-002")
        next(t for t in api.known.values() if t["displayNumber"] == "LAB-002")["state"] = "CALLED"
        await pilot.press("u")
        await until_shown(pilot, "LAB-002 is called: it is not taken back.")


async def test_a_scan_shows_the_token_and_prints_it_again() -> None:
    printer = FakePrinter()
    async with at_desk(printer=printer) as (api, app, pilot):
        await pilot.press(*"CW-002", "enter")
        await until_shown(pilot, "Print again")
        assert "Waiting." in text_of(app)
        await pilot.press(*"LAB-001", "enter")
        await until(pilot, lambda: api.found == ["CW-002", "LAB-001"])
        await until_shown(pilot, "Laboratory")
        await pilot.press("p")
        await until_shown(pilot, "LAB-001 is printed.")
        link = "https://queue.example.org/t/CW-001"
        await pilot.press(*link, "enter")
        await until(pilot, lambda: api.found[-1] == link)
        assert (api.issued, printer.printed) == ([], ["LAB-001"])


async def test_a_scan_without_enter_is_read_and_nonsense_is_refused_in_words() -> None:
    async with at_desk() as (api, _app, pilot):
        await pilot.press(*"zz\x1b9"[:2], "9", "9")
        await until_shown(pilot, "There is no token zz99 today.")
        assert api.issued == []


async def test_a_scanned_ticket_of_somebody_called_says_where() -> None:
    async with at_desk(printer=FakePrinter()) as (api, _app, pilot):
        next(iter(api.known.values())).update({"state": "CALLED", "counterId": "3"})
        await pilot.press(*"CW-001", "enter")
        await until_shown(pilot, "Called: Room 3")


async def test_a_number_is_found_by_typing_it_slowly() -> None:
    async with at_desk() as (_api, app, pilot):
        await pilot.press("/")
        await until_shown(pilot, "Number or link of the ticket")
        await pilot.press(*"CW-001", "enter")
        await until_shown(pilot, "Close")
        assert "Print again" not in text_of(app)  # there is no printer


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (200, 60)])
async def test_looks(size: tuple[int, int], looks_like: LooksLike) -> None:
    async with at_desk(printer=FakePrinter(), size=size) as (_, app, pilot):
        await pilot.press("1")
        for words in ("CW-003 is issued and printed.", "3 waiting"):
            await until_shown(pilot, words)
        looks_like(app, f"desk_{size[0]}x{size[1]}")


async def test_events_keep_the_keys_up_to_date() -> None:
    async with at_desk() as (api, _app, pilot):
        for each in api.known.values():
            each["state"] = "SERVED"
        api.seq += 1
        api.feed.put(EventArrived(event("CW", api.seq), "x"))
        await until_shown(pilot, "0 waiting")


async def test_closed_departments_say_until_when() -> None:
    api = DeskApi()
    api.closed, api.opens_at = {"XR"}, "2026-08-07T13:00:00Z"
    async with at_desk(api) as (_, _app, pilot):
        await until_shown(pilot, "Closed until 13:00")


async def test_hostile_names_cannot_act_on_the_terminal() -> None:
    api = DeskApi({"CW": "Ward\x1b[2J\x07\u202edrow", "LAB": "x" * 300})
    async with at_desk(api, size=(60, 20)) as (_, app, pilot):
        await until_shown(pilot, "Ward")
        assert not {"\x1b", "\x07", "\u202e"} & set(text_of(app))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, IssuedScreen))
        assert not {"\x1b", "\x07", "\u202e"} & set(text_of(app))


def main_app(api: DeskApi):

    return DeskApp(api, api, api.feed)


def test_keys_of_departments_are_no_keys_of_actions() -> None:
    departments = tuple({"departmentId": f"D{number}", "name": "x"} for number in range(60))
    keys = DeskState(departments=departments).keys
    assert len(keys) == len("123456789") + 26 - len("npqu")
    assert not set(keys) & set("npqu/")


@pytest.mark.parametrize(
    ("count", "width", "height"), [(1, 56, 12), (3, 76, 17), (8, 116, 30), (20, 56, 12), (40, 196, 50)]
)
def test_keys_are_arranged_within_the_width(count: int, width: int, height: int) -> None:
    columns, rows_high = arrangement(count, width, height)
    assert 1 <= columns <= max(1, width // 26)
    assert rows_high >= 3


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_more_departments_than_there_is_room_for_are_reached_by_arrows(size: tuple[int, int]) -> None:
    names = {"CW": "Chest ward", **{f"D{number}": f"Department {number}" for number in range(24)}}
    async with at_desk(DeskApi(names), FakePrinter(), size=size) as (_api, app, pilot):
        await until(pilot, lambda: len(app.query(DepartmentKey)) == 25)
        assert "Quit" in text_of(app)
        for _ in range(25):
            await pilot.press("down")
        await until_shown(pilot, "Department 23")
        await pilot.press("enter")
        await until_shown(pilot, "D23-001 is issued and printed.")


async def test_departments_that_come_and_go_are_shown() -> None:
    async with at_desk() as (api, app, pilot):
        api.ids.remove("XR")
        api.ids.append("DER")
        app.main._tail.refresh()
        await until_shown(pilot, "DER")
        assert "X-ray" not in text_of(app)
        await pilot.press("3")
        await until(pilot, lambda: api.issued == [("DER", None, None, None)])
