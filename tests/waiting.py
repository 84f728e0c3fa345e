"""Waiting for something to become true, with a deadline instead of a sleep."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Return when ``condition`` holds; fail when it does not within the time."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not become true in time"
        time.sleep(0.05)
