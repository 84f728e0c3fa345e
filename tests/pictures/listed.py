"""The list of the pictures; what takes them is imported when it is needed."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def _by(module: str, name: str) -> Callable[[], Callable[[Any], Awaitable[bytes]]]:
    return lambda: getattr(import_module(f"tests.pictures.{module}"), name)  # type: ignore[no-any-return]


PICTURES: Mapping[str, Callable[[], Callable[[Any], Awaitable[bytes]]]] = {
    "board.svg": _by("screens", "board"),
    "console.svg": _by("screens", "console"),
    "desk.svg": _by("screens", "desk"),
    "browser-board.png": _by("pages", "browser_board"),
    "phone.png": _by("pages", "phone"),
    "letter.png": _by("pages", "letter"),
    "ticket.png": _by("pages", "ticket"),
    "kiosk.svg": _by("screens", "kiosk"),
}
