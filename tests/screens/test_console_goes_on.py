"""Whatever is raised, wherever: the console says so in a sentence, is free again, and shows nobody a traceback."""

import importlib
import inspect
import pkgutil
import threading
from collections.abc import Collection
from datetime import datetime
from typing import Any

import pytest
from textual.message_pump import MessagePump
from textual.pilot import Pilot

import tokenq_tui.console
from tests.screens.console_driver import at_work, console
from tests.screens.console_seeds import NOON, away, busy_api
from tests.screens.reading import text_of, until, until_shown
from tests.screens.terminal import bytes_of
from tokenq.client.events import LinkChanged
from tokenq_tui.console import counter_lease, tail
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.messages import QueueArrived
from tokenq_tui.console.screens import prompts, serving, view
from tokenq_tui.console.screens.dialogs import AskText
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.error_boundary import ErrorBoundary

SIZE = (100, 30)

Faults = Collection[BaseException]


class Mute(Exception):
    """One that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


RAISED = [
    ValueError("odd"),
    KeyError("state"),
    OSError(28, "No space left on device"),
    MemoryError(),
    RecursionError("too deep"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    AssertionError(),
    SystemExit(1),
    KeyboardInterrupt(),
    Mute(),
    Exception("\x1b]0;pwned\x07" + "x" * 5000),
]


def spaced(app: ConsoleApp) -> str:
    """What the notice says, however its lines are broken."""
    notice = app.main.query_one(Notice)
    return " ".join(str(notice.content).split()) if notice.display else ""


async def until_said(app: ConsoleApp, pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: words in spaced(app))


async def still_serves(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """The next command is carried out."""
    await until(pilot, lambda: not app.main.is_busy)
    await pilot.press("v")
    await until_said(app, pilot, "CW-012 is served.")
    assert app.is_running
    assert "Traceback" not in text_of(app)


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
async def test_a_command_that_raises_anything_leaves_the_console_free(faults: Faults, raised: BaseException) -> None:
    api = busy_api()
    real = api.move

    def fails(*_: Any, **__: Any) -> Any:
        api.move = real  # type: ignore[method-assign]
        raise raised

    async with at_work(api) as (_, app, pilot):
        api.move = fails  # type: ignore[method-assign, assignment]
        await pilot.press("r")
        await until_said(app, pilot, f"'Recall' of CW-012 failed in this console ({type(raised).__name__}")
        await until_said(app, pilot, "It may have been carried out: check the list before you press the key again.")
        await still_serves(app, pilot)


async def test_a_command_whose_answer_makes_no_sense_may_have_been_carried_out(faults: Faults) -> None:
    api = busy_api()
    api.call = lambda *_, **__: {}  # type: ignore[method-assign, assignment, misc, typeddict-item]
    async with at_work(api, "9", words="Press n to call") as (_, app, pilot):
        await pilot.press("n")
        await until_said(app, pilot, "'Next' failed in this console (KeyError: 'displayNumber').")
        await until_said(app, pilot, "It may have been carried out")
        del api.call
        await pilot.press("n")
        await until_said(app, pilot, "CW-013 is called to counter 9.")


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
async def test_what_is_looked_up_before_a_question_may_raise_anything(faults: Faults, raised: BaseException) -> None:
    async with at_work() as (api, app, pilot):

        def fails(**_: Any) -> Any:
            raise raised

        api.tokens = fails  # type: ignore[method-assign]
        await pilot.press("i")
        await until_said(app, pilot, f"'Reinstate' failed in this console ({type(raised).__name__}")
        await until_said(app, pilot, "Nothing was changed: press the key again.")
        await still_serves(app, pilot)


async def test_a_question_that_cannot_be_built_is_said(faults: Faults) -> None:
    """The answer to the look-up lacks what the question shows."""
    api = busy_api()
    api.tokens = lambda **_: {"items": [{"businessDay": "2026-08-07", "state": "NO_SHOW"}]}  # type: ignore[method-assign]
    async with at_work(api) as (_, app, pilot):
        await pilot.press("i")
        await until_said(app, pilot, "Something failed in this console (KeyError: 'tokenId').")
        await until_said(app, pilot, "press q and start it again.")
        await still_serves(app, pilot)


@pytest.mark.parametrize("name", ["question", "is_available", "why_unavailable"])
async def test_a_key_whose_own_code_fails_is_said(faults: Faults, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Also in the application, which carries out the keys, and in the screen, which explains them."""
    async with at_work() as (_, app, pilot):
        with monkeypatch.context() as broken:
            broken.setattr(serving, name, _raises)
            await pilot.press("x" if name == "question" else "e")
            await until_said(app, pilot, "Something failed in this console (ZeroDivisionError: odd).")
        await still_serves(app, pilot)


def _raises(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("odd")


async def test_what_fails_inside_a_question_leaves_it_open_and_the_console_at_work(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_work() as (_, app, pilot):
        with monkeypatch.context() as broken:
            broken.setattr(prompts, "parking", _raises)
            await pilot.press("p", "enter")
            await until(pilot, lambda: len(faults) == 1)
        assert isinstance(app.screen, AskText)
        await pilot.press("escape")
        await until_said(app, pilot, "Something failed in this console (ZeroDivisionError: odd).")
        await still_serves(app, pilot)


async def test_an_answer_that_cannot_be_used_is_said(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the question and the server: here, no thread is to be had."""
    async with at_work() as (_, app, pilot):
        with monkeypatch.context() as broken:
            broken.setattr(threading.Thread, "start", _raises)
            await pilot.press("x", "x")
            await until_said(app, pilot, "'No-show' of CW-012 failed in this console (ZeroDivisionError: odd).")
            await until_said(app, pilot, "Nothing was changed")
        await still_serves(app, pilot)


async def test_a_queue_that_makes_no_sense_is_said_once_and_the_next_one_is_shown(faults: Faults) -> None:
    async with at_work() as (api, app, pilot):
        odd = dict(api.queue("CW"), seq=10_000)
        del odd["waiting"]
        for _ in range(3):
            app.main.post_message(QueueArrived(odd, 0.0))  # type: ignore[arg-type]
        await until_said(app, pilot, "Something failed in this console (KeyError: 'waiting').")
        api.seq = 20_000
        app.action_other_theme()
        await pilot.press("f5")
        await until(pilot, lambda: app.main.state.queue and app.main.state.queue["seq"] >= 20_000)
        await still_serves(app, pilot)


async def test_a_clock_that_fails_every_second_hides_nothing_else(faults: Faults) -> None:
    moment: list[datetime] = [NOON]
    async with at_work(clock=lambda: moment[0]) as (_, app, pilot):
        moment.clear()
        await until_said(app, pilot, "Something failed in this console (IndexError: list index out of range).")
        seen = len(faults)
        await until(pilot, lambda: len(faults) > seen)
        moment.append(NOON)
        await still_serves(app, pilot)


async def test_a_row_that_cannot_be_laid_out_anew_leaves_the_list_at_work(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys go through the list."""
    async with at_work() as (_, app, pilot):
        with monkeypatch.context() as broken:
            broken.setattr(WaitingList, "show", _raises)
            await pilot.resize_terminal(120, 36)
            await until(pilot, lambda: faults)
        await still_serves(app, pilot)


async def test_the_counter_is_kept_after_whatever_failed_once(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter_lease, "RENEW_SECONDS", 0.05)
    api, lease = busy_api(), busy_api()
    app = ConsoleApp(api, api, api.feed, (), "9", lease_api=lease, clock=lambda: NOON)
    app._lease._every = 0.05
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "Press n to call")
        lease.fault = KeyError("state")
        await until_said(app, pilot, "The claim on counter 9 could not be renewed (KeyError: 'state').")
        await until_said(app, pilot, "Retrying every few seconds.")
        lease.fault = None
        lease.desks.clear()
        await until(pilot, lambda: "9" in lease.desks)


async def test_a_queue_that_cannot_be_fetched_is_stale_and_asked_for_again(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "POLL_SECONDS", 0.05)
    api, actor = busy_api(), busy_api()
    app = ConsoleApp(api, actor, api.feed, (), "9", clock=lambda: NOON)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "Press n to call")
        api.fault = MemoryError()
        await pilot.press("f5")
        await until_said(app, pilot, "cannot be read (MemoryError).")
        await until_shown(pilot, "STALE since")
        api.fault = None
        await until_shown(pilot, "LIVE")


async def test_a_beginning_that_fails_is_tried_again(faults: Faults) -> None:
    api, actor = busy_api(), busy_api()
    api.fault = TypeError("odd")
    app = ConsoleApp(api, actor, api.feed, (), "9", clock=lambda: NOON)
    async with app.run_test(size=SIZE) as pilot:
        await until_said(app, pilot, "The server's response cannot be read (TypeError: odd).")
        api.fault = None
        await until_shown(pilot, "LIVE")
        await until_shown(pilot, "Press n to call")


@pytest.mark.parametrize("raised", [ValueError("odd"), OSError(24, "Too many open files"), away()])
async def test_events_that_fail_are_followed_again(
    faults: Faults, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    """A feed that ends has set its event: the queues are fetched all the same."""
    monkeypatch.setattr(tail, "POLL_SECONDS", 0.05)
    async with at_work() as (api, app, pilot):
        api.feed.put(raised)
        await until_shown(pilot, "STALE since")
        api.other_person(api.queue("CW")["waiting"][0], state="CANCELLED")
        await until(pilot, lambda: "Ada Moore" not in text_of(app))
        api.feed.put(LinkChanged(is_live=True))
        await until_shown(pilot, "LIVE")
        await still_serves(app, pilot)


async def test_a_console_that_does_nothing_but_fail_leaves_with_a_sentence(
    faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    async with at_work() as (_, app, pilot):
        for _ in range(200):
            app._handle_exception(ValueError("odd"))
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 1
    printed = capsys.readouterr().err
    assert "This is a bug in tokenq: ValueError: odd." in printed
    assert "Traceback" not in printed


async def test_a_screen_that_cannot_begin_leaves_with_a_sentence(
    faults: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(view, "department_title", _raises)
    app = console(busy_api())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 1
    printed = capsys.readouterr().err
    assert "This is a bug in tokenq: ZeroDivisionError: odd." in printed
    assert "Traceback" not in printed


def test_everything_of_the_console_that_takes_messages_goes_on() -> None:
    """A new screen or widget does, too."""
    root = tokenq_tui.console
    modules = [importlib.import_module(one.name) for one in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    ours = {
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, MessagePump) and one.__module__.startswith("tokenq_tui")
    }
    assert len(ours) > 10
    assert {one.__name__ for one in ours if not issubclass(one, ErrorBoundary)} == set()


def test_a_real_terminal_gets_no_traceback_whatever_fails() -> None:
    written = bytes_of("failing", "harmless")
    assert "failed in this console" in written
    for word in ("Traceback", "ZeroDivisionError: odd\n", "File "):
        assert word not in written
