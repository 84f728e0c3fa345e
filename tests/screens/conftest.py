"""Screens are compared in one time zone, and against kept drawings of the whole screen."""

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
from textual.app import App

from tests.screens.drawing import svg_of
from tokenq_tui.faults import KEPT

GOLDENS = Path(__file__).parent / "goldens"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clocks on the screens show UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def nothing_fails_unseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """The console goes on when its code fails; a test does not, unless it asks for ``faults``."""
    KEPT.clear()
    yield
    assert "faults" in request.fixturenames or not KEPT
    KEPT.clear()


@pytest.fixture
def faults() -> Collection[BaseException]:
    """What failed so far."""
    return KEPT


@pytest.fixture
def looks_like() -> Callable[[App[None], str], None]:
    """Compare the screen with its kept drawing; ``TOKENQ_NEW_GOLDENS=1`` draws it anew: look at it then."""

    def check(app: App[None], name: str) -> None:
        golden, drawn = GOLDENS / f"{name}.svg", svg_of(app)
        if os.environ.get("TOKENQ_NEW_GOLDENS"):
            GOLDENS.mkdir(exist_ok=True)
            golden.write_text(drawn)
        assert drawn == golden.read_text(), f"{golden.name} differs; draw it anew if the change is meant"

    return check
