"""Waiting for something to become true, with a deadline instead of a sleep."""

from collections.abc import Callable

from tests import servers


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Return when ``condition`` holds; fail when it does not within the time."""
    servers.until(condition, lambda: "it did not become true in time", seconds)
