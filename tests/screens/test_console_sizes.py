"""From 53x16 to 240x67: everything stays readable and reachable, and wide screens say more."""

from datetime import timedelta

import pytest
from rich.style import Style
from textual.color import Color
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tests.screens.console_driver import LooksLike, at_work, console, id_of
from tests.screens.console_seeds import NOON, FakeApi, busy_api, stamp
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.views import LetterView
from tokenq.printable import cells
from tokenq_tui.console import details
from tokenq_tui.console.widgets.action_bar import ActionButton
from tokenq_tui.console.widgets.details_panel import DetailsPanel
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.theme import DARK, LIGHT

SMALLEST = [(53, 16), (60, 20)]
ALL = [*SMALLEST, (80, 24), (120, 36), (200, 60), (240, 67)]


def with_estimates(api: FakeApi) -> FakeApi:
    waiting = [each for each in api.known.values() if each["state"] == "WAITING"]
    for place, each in enumerate(waiting):
        each["estimate"] = {"lowMinutes": 5 * place, "highMinutes": 10 + 15 * place, "reason": None}
    return api


def row_of(screen: str, words: str) -> str:
    return next(row for row in screen.splitlines() if words in row)


@pytest.mark.parametrize("size", ALL)
async def test_each_person_has_a_full_name_how_long_they_are_here_and_their_own_wait(size: tuple[int, int]) -> None:
    async with at_work(with_estimates(busy_api()), size=size) as (_, _app, pilot):
        for name, here, wait in (("Ada Moore", "34 min", "0-10 min"), ("Bo Lind", "31 min", "5-25 min")):
            row = row_of(text_of(pilot.app), name)
            assert here in row
            assert wait in row


@pytest.mark.parametrize("size", ALL)
async def test_all_buttons_are_reachable(size: tuple[int, int]) -> None:
    async with at_work(size=size) as (_, app, _pilot):
        buttons = [button for button in app.main.query(ActionButton) if button.display]
        assert len(buttons) == 11
        for button in buttons:
            assert app.main.get_widget_at(*button.region.offset)[0] is button
            assert cells(str(button.label)) <= button.region.width, "nothing of its words is cut"


@pytest.mark.parametrize("size", SMALLEST)
async def test_the_counter_is_two_plain_lines_where_there_is_little_room(size: tuple[int, int]) -> None:
    async with at_work(size=size) as (_, app, pilot):
        rows = text_of(app).splitlines()
        place = next(number for number, row in enumerate(rows) if "COUNTER 3" in row)
        assert rows[place].rstrip().endswith("CALLED 1:23")
        assert rows[place + 1].split() == ["CW-012", "Noor", "Haddad", "here", "for", "41", "min"]
        await pilot.press("v")
        await until_shown(pilot, "n calls CW-013")


async def test_where_no_column_fits_a_person_is_two_lines() -> None:
    async with at_work(with_estimates(busy_api()), size=(36, 16), words="Ada Moore") as (_, app, _pilot):
        rows = text_of(app).splitlines()
        place = next(number for number, row in enumerate(rows) if "Ada Moore" in row)
        assert rows[place + 1].strip().startswith("here for 34 min, wait 0-10 min")


async def test_from_an_hour_on_times_are_hours() -> None:
    api = busy_api()
    api.known[id_of(api, "CW-013")]["issuedAt"] = stamp(NOON - timedelta(minutes=65))
    api.known[id_of(api, "CW-013")]["estimate"] = {"lowMinutes": 430, "highMinutes": 470, "reason": None}
    async with at_work(api) as (_, app, _pilot):
        row = row_of(text_of(app), "Ada Moore")
        assert "1 h 05" in row
        assert "7-8 h" in row
        assert "430" not in text_of(app)


async def test_counters_are_in_natural_order_with_their_operators() -> None:
    api = busy_api()
    for name, operator in (("11", "Eve"), ("2", "Bob"), ("1", "Tom Smith")):
        api._counter(name, "OPEN", None)
        api.desks[name]["operator"] = operator
    async with at_work(api, size=(120, 36)) as (_, app, _pilot):
        screen = text_of(app)
        rows = [row_of(screen, operator) for operator in ("Tom Smith", "Bob", "Eve")]
        assert "CW-011" in rows[0], "whom somebody serves and who it is stand in one line"
        assert screen.index(rows[1]) < screen.index(rows[2]), "2 comes before 11"


def with_history(api: FakeApi, number: str) -> int:
    token_id = id_of(api, number)
    called = {
        "eventType": "TOKEN_CALLED",
        "timestamp": stamp(NOON),
        "counterId": "7",
        "actor": "ann\x1b[31m",
        "data": {},
    }
    unknown = {"eventType": "TOKEN_DANCED", "timestamp": "soon", "data": None}
    api.histories[token_id] = [called, dict(called), unknown]
    return token_id


async def test_letters_are_in_the_history_and_asked_for_again_until_they_are_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(details, "RETRY_SECONDS", 0.1)
    api = busy_api()
    token_id = with_history(api, "CW-013")
    called: LetterView = {"kind": "called", "channel": "email", "state": "due", "at": stamp(NOON)}
    newer: LetterView = {"kind": "sung", "channel": "email", "state": "hummed", "at": stamp(NOON)}
    api.letters[token_id] = [called, newer]
    async with at_work(api, size=(200, 60)) as (_, _app, pilot):
        await until_shown(pilot, "12:00  letter about the call: not sent yet")
        await until_shown(pilot, "12:00  letter: hummed")
        api.letters[token_id] = [{**called, "state": "sent"}]
        await until_shown(pilot, "12:00  letter about the call: sent")
        asked = len(api.histories_asked)
        await pilot.pause(0.5)
        assert len(api.histories_asked) == asked


@pytest.mark.parametrize("size", [(120, 36), (200, 60), (240, 67)])
async def test_wide_screens_show_histories_and_who_was_served_last(size: tuple[int, int]) -> None:
    api = busy_api()
    with_history(api, "CW-014")
    api.known[id_of(api, "CW-007")]["servedAt"] = stamp(NOON - timedelta(minutes=2))
    async with at_work(api, size=size) as (_, app, pilot):
        await pilot.press("down")
        await until_shown(pilot, "called to counter 7, by ann")
        screen = text_of(app)
        assert "AT YOUR COUNTER  CW-012  Noor Haddad" in screen
        assert "SELECTED  CW-014  Bo Lind" in screen
        assert screen.count("called to counter 7") == 1, "what is in two logs is told once"
        assert "TOKEN_DANCED" in screen, "an unknown event is shown, not dropped"
        assert "\x1b" not in screen
        assert "11:58  CW-007" in screen


async def test_a_history_is_fetched_once_and_only_where_it_is_shown() -> None:
    api = busy_api()
    token_id = with_history(api, "CW-013")
    async with at_work(api, size=(100, 30)) as (_, app, pilot):
        assert not app.main.query_one(DetailsPanel).display
        assert api.histories_asked == []
        await pilot.resize_terminal(120, 36)
        await until_shown(pilot, "called to counter 7")
        app.main._draw()
        await pilot.press("f5")
        await until(pilot, lambda: len(api.queues_asked) >= 6)
        assert api.histories_asked.count(token_id) == 1


def contrast(style: Style) -> float:
    """As the Web's guidelines define it: 4.5 is enough for small text."""
    ink, paper = (luminance(Color.from_rich_color(each)) for each in (style.color, style.bgcolor))
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
async def test_what_is_not_possible_now_can_still_be_read(theme: str) -> None:
    async with at_work(size=(80, 24)) as (_, app, pilot):
        app.theme = theme
        await pilot.pause()
        disabled = [button for button in app.main.query(ActionButton) if button.disabled and button.display]
        disabled_keys = [key for key in app.main.query_one(Footer).query(FooterKey) if key._disabled]
        assert disabled
        assert disabled_keys
        strips = app.screen._compositor.render_strips()
        for widget in [*disabled, *disabled_keys]:
            region = widget.region
            for segment in strips[region.y].crop(region.x, region.right):
                assert segment.style is not None
                assert not segment.style.dim
                if segment.text.strip():
                    assert contrast(segment.style) >= 4.5, (widget, segment)


@pytest.mark.parametrize("size", ALL)
async def test_the_ways_to_all_actions_are_in_the_footer(size: tuple[int, int]) -> None:
    async with at_work(size=size) as (_, app, _pilot):
        assert text_of(app).splitlines()[-1].startswith("? Help / Find ^p Actions")


@pytest.mark.parametrize("size", ALL)
async def test_hostile_names_break_no_row(size: tuple[int, int]) -> None:
    name = "\x1b]0;x\x07Ana \u202eevil\n\t漢字漢字漢字漢字漢字漢字漢字漢字 [red]"
    api = busy_api()
    for each in api.known.values():
        each["name"] = name
    async with at_work(api, size=size, words="CW-013") as (_, app, _pilot):
        screen = text_of(app)
        assert not {"\x1b", "\x07", "\u202e", "\t"} & set(screen)
        assert all(cells(row) == size[0] for row in screen.splitlines())
        assert app.main.query_one(WaitingList).row_count == 10


async def test_an_empty_queue_and_a_console_without_a_counter_fit_the_smallest_terminal() -> None:
    app = console(FakeApi((), ("CW",)), "3")
    async with app.run_test(size=(53, 16)) as pilot:
        await until_shown(pilot, "Nobody is at your counter.")


@pytest.mark.parametrize("size", [(53, 16), (60, 20), (120, 36), (200, 60)])
async def test_looks_as_drawn(size: tuple[int, int], looks_like: LooksLike) -> None:
    api = with_estimates(busy_api())
    with_history(api, "CW-013")
    for number in range(1, 10):
        served = NOON - timedelta(minutes=30 - 3 * number)
        api.known[id_of(api, f"CW-00{number}")]["servedAt"] = stamp(served)
    async with at_work(api, size=size) as (_, app, pilot):
        if size[0] >= 120:
            await until_shown(pilot, "called to counter 7")
            await until_shown(pilot, "CW-009")
        await pilot.press("down", "space")
        await until_shown(pilot, "1 marked")
        if size[0] >= 120:
            await until_shown(pilot, "SELECTED  CW-015")
            await until(pilot, lambda: id_of(api, "CW-015") in app.main._details.records)
            await pilot.pause()
        looks_like(app, f"console-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", ALL)
async def test_a_forgotten_service_is_shown(size: tuple[int, int]) -> None:
    api = busy_api()
    held = api.known[id_of(api, "CW-012")]
    held["isForgotten"] = True
    held["calledAt"] = stamp(NOON - timedelta(hours=3))
    async with at_work(api, size=size) as (_, app, _pilot):
        assert "forgotten? 3:00:00" in text_of(app) or "for 3 h: forgotten?" in text_of(app)
