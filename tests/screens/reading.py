"""What a person reads on a screen, and waiting for it without sleeping."""

from collections.abc import Callable

from textual.app import App
from textual.pilot import Pilot

from tests.waiting import eventually

SECONDS = 15.0


def text_of(app: App[None]) -> str:
    """The characters on the screen, row by row."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Let the app run until it holds; fail with the screen's text when it does not in time."""
    await eventually(holds, lambda: text_of(pilot.app), SECONDS, pause=pilot.pause)
    await pilot.pause()


async def until_shown(pilot: Pilot[None], words: str) -> None:
    """Let the app run until the words can be read."""
    await until(pilot, lambda: words in text_of(pilot.app))
