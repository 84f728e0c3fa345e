"""The console and a server that is away, silent, behind or of another mind."""

import threading
from collections.abc import Callable

import pytest
from textual.app import App

from tests.refusals import refusal
from tests.screens.console_driver import console, id_of, settled
from tests.screens.console_seeds import NOON, away, busy_api, token
from tests.screens.reading import text_of, until, until_shown
from tokenq.client.events import LinkChanged
from tokenq.contract.problems import ProblemCode
from tokenq_tui.console.app import ConsoleApp

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


async def test_a_stale_claim_is_said_and_the_queue_is_fetched_again() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "Noor Haddad")
        known = api.known[id_of(api, "CW-012")]
        known["claimVersion"] += 1
        known.update({"state": "SERVED", "counterId": None})
        api.seq += 1
        await pilot.press("s")
        await until_shown(pilot, "Somebody else moved this token.")
        await until(pilot, lambda: app.main.state.held is None)


async def test_an_unreachable_server_is_said_and_marked_and_nothing_is_lost() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "LIVE")
        api.fault = away()
        await pilot.press("v")
        await until_shown(pilot, "The server cannot be reached.")
        await until_shown(pilot, "OFFLINE since")
        api.fault = None
        await pilot.press("f5")
        await until_shown(pilot, "LIVE")
        await pilot.press("v")
        await until(pilot, lambda: app.main.state.held is None)


async def test_lost_events_are_marked_stale() -> None:
    api = busy_api()
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        api.feed.put(LinkChanged(is_live=False, sentence="gone"))
        await until_shown(pilot, "STALE since")


async def test_somebody_who_is_not_let_in_leaves_with_code_5() -> None:
    api = busy_api()
    api.fault = refusal(ProblemCode.FORBIDDEN, "You may not serve here.", "Ask an admin.")
    app = console(api)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: app.return_code == 5)


async def test_a_silent_server_is_said_and_the_badge_is_not_live_until_it_answers() -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "Press n to call")
        api.pause = threading.Event()
        await pilot.press("n")
        await until_shown(pilot, "Waiting for the server …")
        assert "STALE no answer" in text_of(app)
        await pilot.press("t")
        await until_shown(pilot, "Nobody is at your counter.")
        await pilot.press("escape")
        api.pause.set()
        await until_shown(pilot, "CW-013 is called to counter 9.")
        await until_shown(pilot, "LIVE")


async def test_a_server_that_did_not_answer_is_not_live_until_it_does() -> None:
    """The fetch that tells whether it is back takes a while."""
    api, reader = busy_api(), busy_api()
    app = ConsoleApp(reader, api, reader.feed, (), "9", lease_api=reader, clock=lambda: NOON)
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        api.pause, reader.pause = threading.Event(), threading.Event()
        api.fault = away()
        await pilot.press("n")
        await until_shown(pilot, "STALE no answer")
        api.pause.set()
        await until_shown(pilot, "The server cannot be reached.")
        assert "STALE no answer" in text_of(app)
        reader.pause.set()
        await until_shown(pilot, "LIVE")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_who_leaves_while_the_server_is_silent_is_told_what_may_have_happened(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api = busy_api()
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Press n to call")
        api.pause = threading.Event()
        await pilot.press("n", key)
    assert not app.main.is_running
    assert not api.pause.is_set(), "nobody waited for the answer"
    told = " ".join(capsys.readouterr().err.split())
    assert "did not answer 'Next': it may have been carried out. Check with: tokenq queue CW" in told
    api.pause.set()


async def test_a_restored_server_is_shown_at_once_though_its_log_went_back() -> None:
    api = busy_api()
    api.seq = 500
    app = console(api, "9")
    async with app.run_test(size=SMALL) as pilot:
        await settled(app, pilot)
        api.seq = 3
        api.known = {one["tokenId"]: one for one in [token("CW", 1, name="Old Guard"), token("CW", 2)]}
        api.feed.put(LinkChanged(is_live=False, sentence="The server ended the event stream."))
        api.feed.put(LinkChanged(is_live=True))
        await until_shown(pilot, "Old Guard")
        await pilot.press("n")
        await until_shown(pilot, "CW-001 is called to counter 9.")
        await until(pilot, lambda: app.main.state.held)
