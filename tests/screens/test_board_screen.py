import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from textual.app import App

from tests.hostile_records import ODD
from tests.screens.board_seeds import NOON, FakeStream, Log, busy_log, replay
from tests.screens.reading import text_of, until, until_shown
from tokenq.contract.events import decode
from tokenq.stream import Arrived, CaughtUp, Link, LinkChanged, Skipped
from tokenq_tui.board.app import BoardApp
from tokenq_tui.board.replay import Replay
from tokenq_tui.board.widgets.banner import Banner

LooksLike = Callable[[App[None], str], None]
SMALL, LARGE = (80, 24), (200, 60)


def morning() -> Log:
    return busy_log(NOON - timedelta(minutes=24))


def board(stream: FakeStream, *departments: str, quiet: bool = True) -> BoardApp:
    return BoardApp(lambda: stream, departments, quiet=quiet, clock=lambda: NOON)


async def test_shows_the_newest_call_big_the_others_in_rows_and_who_waits(looks_like: LooksLike) -> None:
    app = board(FakeStream(replay(morning())))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "X-Ray B")
        looks_like(app, "board-80x24")


async def test_grows_with_the_screen(looks_like: LooksLike) -> None:
    app = board(FakeStream(replay(morning())))
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "X-Ray B")
        looks_like(app, "board-200x60")


async def test_an_empty_day_welcomes(looks_like: LooksLike) -> None:
    app = board(FakeStream([LinkChanged(Link.LIVE), CaughtUp()]))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "No number is being called")
        looks_like(app, "board-empty-80x24")


async def test_a_new_call_takes_the_banner_is_marked_and_rings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = morning()
    stream = FakeStream(replay(log))
    app, rung = board(stream, quiet=False), []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "X-Ray B")
        assert rung == [], "the replay is no news"
        stream.put(Arrived(log.call("LAB", 3, "Room 4"), 0.1))
        await until(pilot, lambda: app.query_one(Banner).has_class("-bright"))
        assert rung == [1]
        assert "Room 4" in text_of(app)


@pytest.mark.parametrize("kind", ["TOKEN_NO_SHOW", "TOKEN_CANCELLED", "TOKEN_REQUEUED"])
async def test_a_number_nobody_expects_any_more_leaves_the_big_place_at_once(kind: str) -> None:
    log = Log(NOON - timedelta(minutes=24))
    log.issue("CW", 1, 2)
    log.call("CW", 1, "1")
    stream = FakeStream(replay(log))
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "C W")
        stream.put(Arrived(log.call("CW", 2, "2"), 0.1))
        await until(pilot, lambda: app.query_one(Banner).has_class("-bright"))
        stream.put(Arrived(log.add(kind, "CW", 2), 0.1), Arrived(log.add(kind, "CW", 1), 0.1))
        await until_shown(pilot, "No number is being called")
        assert ("CW-002" in text_of(app)) == (kind == "TOKEN_NO_SHOW"), "dimmed among the last calls, or not at all"


async def test_with_everybody_served_the_last_number_is_not_said_to_be_called(looks_like: LooksLike) -> None:
    log = morning()
    for department, number in (("CW", 10), ("CW", 11), ("CW", 12), ("LAB", 2), ("XR", 1)):
        log.serve(department, number, "1")
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LAST CALLED")
        assert "NOW CALLING" not in text_of(app)
        looks_like(app, "board-all-served-80x24")


async def test_quiet_never_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    log = morning()
    stream = FakeStream(replay(log))
    app, rung = board(stream), []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "X-Ray B")
        stream.put(Arrived(log.call("LAB", 3, "Room 4"), 0.1))
        await until(pilot, lambda: app.query_one(Banner).has_class("-bright"))
        assert rung == []


async def test_only_the_departments_asked_for() -> None:
    app = board(FakeStream(replay(morning())), "XR")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "XR")
        assert "LAB" not in text_of(app)
        assert "CW" not in text_of(app)


@pytest.mark.parametrize(
    ("link", "silent_for", "badge"),
    [
        (Link.LIVE, 0, "● LIVE"),
        (Link.LOST, 12, "◐ STALE 1"),
        (Link.LOST, 300, "○ OFFLINE since 11:5"),
        (Link.NO_TOPIC, 0, "◌ CONNECTING"),
    ],
)
async def test_the_badge_says_how_true_the_screen_is(link: Link, silent_for: float, badge: str) -> None:
    """A picture that stopped moving without saying so sends people to counters that closed an hour ago."""
    stream = FakeStream([*replay(morning()), LinkChanged(link)])
    stream.heard_at = time.monotonic() - silent_for
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, badge)
        assert "CW-011" in text_of(app), "what is known stays on the screen"
        words = text_of(app)
        assert ("The display is temporarily out of order." in words) == ("OFFLINE" in badge)
        assert ("This display may be out of date." in words) == ("STALE" in badge)


async def test_what_somebody_must_do_is_said_until_the_link_is_back() -> None:
    """A wrong certificate does not mend itself: STALE alone would stay without a reason."""
    todo = "The server's certificate has changed: run 'tokenq login URL', then restart the board."
    stream = FakeStream([*replay(morning()), LinkChanged(Link.LOST, "Long.", todo)])
    stream.heard_at = time.monotonic() - 12
    app = board(stream)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "STALE 1")
        await until_shown(pilot, todo)
        assert "CW-011" in text_of(app), "what is known stays on the screen"
        stream.put(LinkChanged(Link.LIVE))
        await until_shown(pilot, "LIVE")
        assert "certificate" not in text_of(app)


async def test_a_gap_is_said_in_a_sentence_and_the_screen_is_not_called_live(looks_like: LooksLike) -> None:
    """Row 61. Whoever waits for a number that never comes is to ask."""
    log = morning()
    app = board(FakeStream([*replay(log), Arrived(replace(log.events[0], seq=2**63 - 1), 0.1)]))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Some calls of CW")
        words = text_of(app)
        assert "missing. Please ask at the front desk." in words
        assert "STALE" in words
        assert "LIVE" not in words
        looks_like(app, "board-gap-80x24")


async def test_no_broker_since_the_start_says_what_to_do() -> None:
    stream = FakeStream([LinkChanged(Link.LOST, "Connection refused")])
    stream.heard_at = time.monotonic() - 300
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Please ask at the front desk.")


async def test_a_board_that_was_never_let_in_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets the screen up has only this screen."""
    monkeypatch.setattr("tokenq_tui.board.notices._CONNECTS_WITHIN", 0.1)
    stream = FakeStream([LinkChanged(Link.LOST, "Kafka refuses the login of lobby: invalid credentials.")])
    stream.heard_at = None
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Please ask at the front desk.")
        assert "Kafka refuses the login of lobby" in " ".join(text_of(app).split())


async def test_shows_no_address() -> None:
    app = board(FakeStream(replay(morning())))
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "CW-010")
        assert "@" not in text_of(app)
        assert "person" not in text_of(app)


async def test_more_departments_than_fit_take_turns() -> None:
    log = Log(NOON - timedelta(hours=1))
    for number in range(60):
        log.issue(f"D{number:02d}", 1)
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "/10")


@pytest.mark.parametrize("size", [(20, 6), (40, 10), (80, 24), (300, 90)])
async def test_survives_every_size_and_long_words(size: tuple[int, int]) -> None:
    log = Log(NOON - timedelta(hours=1))
    log.issue("CW", 1)
    log.add("TOKEN_CALLED", "CW", 1, "A counter with a very long name" * 9, display_number="CW-" + "9" * 400)
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.picture.calls)
        rows = text_of(app).split("\n")
        assert len(rows) == size[1]


async def test_q_leaves_and_lets_the_broker_go() -> None:
    stream = FakeStream(replay(morning()))
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "X-Ray B")
        await pilot.press("q")
    assert stream.is_closed
    assert app.return_code == 0


async def test_closed_departments_and_paused_counters_are_told(looks_like: LooksLike) -> None:
    """Somebody before the board must see that waiting here is for nothing, and when it is not."""
    log = busy_log()
    hours = {"weekly": {"fri": ["08:00-11:30", "13:00-16:00"]}, "exceptions": {}}
    for department, name in (("CW", "Children's Ward"), ("LAB", "Laboratory")):
        told = {"name": name, "open": True, "timezone": "UTC", "hours": hours if department == "LAB" else None}
        log.add("DEPARTMENT_CHANGED", department, 0, token_id=0, data={"settings": told})
    log.add("COUNTER_PAUSED", "CW", 0, "2", token_id=0, data={"reason": "lunch"})
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "Paused: Counter 2")
        await until_shown(pilot, "Closed, today 08:00-11:30, 13:00-16:00")
        looks_like(app, "board-closed-120x36")
        await pilot.resize_terminal(*SMALL)
        await until_shown(pilot, "Closed · 08:00-11:30")


async def test_a_day_is_played_again_stopped_and_skipped() -> None:
    log = morning()
    player = Replay(log.events, NOON - timedelta(minutes=6), speed=1)
    app = BoardApp(lambda: player, quiet=True, clock=player.now, player=player)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "REPLAY 2026-08-07 ▶ ×1")
        await pilot.press("space")
        await until_shown(pilot, "paused")
        assert len(app.picture.calls) == 5
        await pilot.press(*["left"] * 4)
        await until(pilot, lambda: not app.picture.calls)
        await pilot.press(*["right"] * 6)
        await until_shown(pilot, "X-Ray B")
        await pilot.press("plus")
        await until_shown(pilot, "×2")
        assert "LIVE" not in text_of(app)


async def test_clock_and_calls_are_on_the_branchs_clock() -> None:
    log = busy_log(NOON - timedelta(minutes=24))
    log.add("DEPARTMENT_CHANGED", "CW", 0, token_id=0, data={"settings": {"timezone": "Asia/Kolkata"}})
    called = log.events[-2].timestamp
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=(60, 20)) as pilot:
        await until_shown(pilot, "17:30")
        assert f"·  {called + timedelta(hours=5, minutes=30):%H:%M}" in text_of(app)
    player = Replay(log.events, NOON - timedelta(minutes=6), speed=1, zone="Pacific/Kiritimati")
    app = BoardApp(lambda: player, quiet=True, clock=player.now, player=player, timezone="Pacific/Kiritimati")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "REPLAY 2026-08-08 ▶ ×1")
        await until_shown(pilot, "01:5")


async def test_departments_in_which_nobody_waits_share_one_line_where_there_is_no_room() -> None:
    log = Log()
    names = [f"D{number:02d}" for number in range(1, 41)]
    for name in names:
        log.add("DEPARTMENT_CHANGED", name, 0, token_id=0, data={"settings": {"name": name, "open": True}})
    log.issue("D33", 1, 2)
    log.issue("D34", 1)
    log.call("D34", 1, "7")
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "2 waiting")
        rows = text_of(app).split("\n")
        assert any("Nobody waits: D01, D02" in row for row in rows)
        assert any("D33" in row for row in rows)
        assert any("D34" in row for row in rows)
        assert "1/" not in text_of(app), "no pages to wait for"


async def test_a_department_that_nobody_knows_is_named() -> None:
    app = board(FakeStream(replay(morning())), "CW", "NOPE")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "No data for NOPE.")
        assert "No data for CW" not in text_of(app)
    app = board(FakeStream(replay(morning())), "NOPE")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "No data for NOPE.")


async def test_an_event_that_the_board_does_not_understand_is_named() -> None:
    """A server newer than the board: what is shown may be wrong, and somebody should know."""
    log = Log()
    log.issue("CW", 1)
    log.add("TOKEN_ABDUCTED\x1b[2J", "CW", 1)
    app = board(FakeStream(replay(log)))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Unknown event TOKEN_ABDUCTED")
        assert "\x1b" not in text_of(app)


async def test_odd_and_unreadable_records_leave_the_next_call_on_the_screen() -> None:
    """Whatever can be read is drawn, however long or strange, at the edges of time too; then somebody is called."""
    log = morning()
    stream = FakeStream(replay(log))
    edges = {"timestamp": datetime(1970, 1, 1, tzinfo=UTC)}, {"timestamp": datetime(9998, 12, 31, 23, tzinfo=UTC)}
    long = {"display_number": "9" * 200_000, "counter_id": "\u0301\x1b" * 100_000, "branch_id": "b" * 200_000}
    odd = [vars(decode(raw)) for raw in ODD.values()]
    app = board(stream)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "X-Ray B")
        for fields in (*odd, *edges, long):
            event = log.call("ODD", len(log.events), "1")
            kept = {"seq": event.seq, "token_id": event.token_id, "business_day": log.day, "event_type": "TOKEN_CALLED"}
            stream.put(Arrived(replace(event, **(fields | kept | {"department_id": "ODD"})), 0.1), Skipped("no event"))
        stream.put(Arrived(log.call("LAB", 3, "Room 4"), 0.1))
        await until_shown(pilot, "LAB-003")
        assert app.is_running
