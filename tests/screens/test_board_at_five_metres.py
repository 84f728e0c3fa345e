"""The board as people see it from the other end of the lobby: on every screen, with every kind of text."""

import time
from collections.abc import Callable, Sequence

import pytest
from textual.app import App

from tests.screens.board_seeds import NOON, FakeStream, Log, busy_log, named_morning, replay, tell
from tests.screens.reading import text_of, until, until_shown
from tokenq.board.picture import Call
from tokenq.stream import Arrived, CaughtUp, Link, LinkChanged, WaitsChanged
from tokenq_tui.board.app import BoardApp
from tokenq_tui.board.widgets.banner import Banner
from tokenq_tui.reshape import reshape

LooksLike = Callable[[App[None], str], None]
SIZES = {"60x20": (60, 20), "120x36": (120, 36), "160x45": (160, 45), "240x67": (240, 67), "60x80": (60, 80)}
AT_ONCE = (("LAB", 3, "Room 4"), ("CW", 13, "1"), ("XR", 2, "X-Ray B"), ("CW", 14, "2"))


def board(stream: FakeStream, **options: object) -> BoardApp:
    return BoardApp(lambda: stream, quiet=True, clock=lambda: NOON, **options)  # type: ignore[arg-type]


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """New calls do not blink."""
    monkeypatch.setattr("tokenq_tui.board.widgets.banner._BLINKS_FOR", -1)


@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_is_composed(looks_like: LooksLike, size: str) -> None:
    app = board(FakeStream(replay(named_morning())))
    async with app.run_test(size=SIZES[size]) as pilot:
        await until_shown(pilot, "LIVE")
        await until(pilot, lambda: app.query_one(Banner).content_size.width > 0)
        looks_like(app, f"board-{size}")


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(("count", "size"), [(2, (120, 36)), (3, (160, 45)), (4, (80, 24))])
async def test_calls_at_once_are_tiles(looks_like: LooksLike, count: int, size: tuple[int, int]) -> None:
    log = named_morning()
    stream = FakeStream(replay(log))
    app = board(stream)
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "LIVE")
        stream.put(*(Arrived(log.call(*call), 0.1) for call in AT_ONCE[:count]))
        await until(pilot, lambda: len(app.query_one(Banner)._tiles) == count)
        looks_like(app, f"board-{count}-at-once-{size[0]}x{size[1]}")


async def test_twelve_at_once_are_all_seen_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenq_tui.board.app.DWELL", 1.5)
    log = named_morning()
    stream = FakeStream(replay(log))
    app = board(stream)
    seen: set[str] = set()

    def look() -> bool:
        seen.update(tile.text.number for tile in app.query_one(Banner)._tiles if tile.is_new)
        return len(seen) == 12

    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "LIVE")
        calls = [Arrived(log.call("CW", number, str(number)), 0.1) for number in range(13, 25)]
        stream.put(*calls)
        await until(pilot, look)


async def test_a_welcome_has_the_site_and_the_expected_waits(looks_like: LooksLike) -> None:
    log = Log()
    tell(log)
    log.issue("CW", 1, 2)
    items = [*replay(log), WaitsChanged({"CW": (10, 20), "LAB": (0, 5), "XR": (50, 150)})]
    app = board(FakeStream(items))
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "C i t y   H o s p i t a l")
        await until_shown(pilot, "EXPECTED WAIT")
        looks_like(app, "board-welcome-160x45")
        await pilot.resize_terminal(60, 20)
        await until_shown(pilot, "50 min to 2.5 h")
        assert "City Hospital" in text_of(app)


@pytest.mark.parametrize("size", [(60, 20), (120, 36)])
async def test_other_scripts_and_long_names_are_whole_and_composed(
    looks_like: LooksLike, size: tuple[int, int]
) -> None:
    log = Log()
    tell(log, {"CW": "Department of Paediatric Gastroenterology", "LAB": "血液検査室", "HR": "قسم الأشعة"})
    log.issue("CW", 1, 2)
    log.add("TOKEN_CALLED", "LAB", 1, "窓口 3", display_number="検-001")
    log.call("HR", 1, "غرفة 4")
    log.add("TOKEN_CALLED", "CW", 2, "Examination Room North 4", display_number="GASTRO-1002")
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "窓口 3")
        await until_shown(pilot, "検-001")
        looks_like(app, f"board-scripts-{size[0]}x{size[1]}")


async def test_who_is_gone_is_not_in_the_waiting_panel() -> None:
    log = named_morning()
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "LIVE")
        panel = "\n".join(row[66:] for row in text_of(app).split("\n")[22:])
        assert "CW-012" in panel
        assert "CW-009" not in panel


async def test_the_board_speaks_the_branch_s_languages_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenq_tui.board.app._PAGE_SECONDS", 1)
    log = busy_log()
    tell(log, languages=["en", "de"], counterWords={"de": "Schalter", "en": "Desk"})
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Schalter 2")
        await until_shown(pilot, "Desk 2")
        await until_shown(pilot, "Schalter 2")


async def test_a_language_that_is_asked_for_is_the_only_one() -> None:
    log = busy_log()
    tell(log, languages=["en"], counterWords={"de": "Schalter", "en": "Desk"})
    app = board(FakeStream(replay(log)), languages=["de"])
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Schalter 2")


async def test_right_to_left_texts_are_reordered_where_asked_for() -> None:
    """Joined and from right to left, for terminals that draw letters in the order in which they come."""
    log = Log()
    tell(log, {"HR": "قسم"})
    log.issue("HR", 1)
    app = board(FakeStream(replay(log)), reshape=reshape)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "ﻢﺴﻗ")
        assert "قسم" not in text_of(app)


@pytest.mark.parametrize(("silent", "name"), [(12, "stale"), (300, "offline")])
async def test_a_band_says_over_the_whole_width_that_this_may_be_old(silent: int, name: str) -> None:
    stream = FakeStream([*replay(named_morning()), LinkChanged(Link.LOST)])
    stream.heard_at = time.monotonic() - silent
    app = board(stream)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Last updated at" if name == "stale" else "OFFLINE")
        band = next(row for row in text_of(app).split("\n") if "Please ask" in row)
        assert len(band) == 80
        assert app.query_one("#band").outer_size.width == 80
        assert app.query_one("#band").has_class("-urgent") == (name == "offline")


class Spoken:
    """Remembers what was to be said."""

    def __init__(self, app: BoardApp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, Sequence[str], object]] = []
        monkeypatch.setattr(app._sound, "say", self.say)

    def say(self, call: Call, languages: Sequence[str], words: object) -> None:
        self.calls.append((call.number, languages, words))


async def test_new_calls_are_said_in_the_branch_s_languages_and_old_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = busy_log()
    tell(log, languages=["en", "de"], counterWords={"de": "Schalter"})
    stream = FakeStream(replay(log))
    app = board(stream)
    spoken = Spoken(app, monkeypatch)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        stream.put(Arrived(log.call("CW", 13, "1"), 600.0), Arrived(log.call("LAB", 3, "Room 4"), 0.1))
        await until(pilot, lambda: spoken.calls)
        assert spoken.calls == [("LAB-003", ("en", "de"), {"de": "Schalter"})]


async def test_a_sound_that_fails_is_said_in_one_line_and_the_board_goes_on() -> None:
    log = named_morning()
    stream = FakeStream([LinkChanged(Link.LIVE), *(Arrived(event, 0.1) for event in log.events), CaughtUp()])
    app = board(stream)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        app._sound.problem = "The sound command say failed with code 1."
        await until_shown(pilot, "The sound command say failed with code 1.")
        app._sound.problem = ""
        await until(pilot, lambda: "sound command" not in text_of(app))
