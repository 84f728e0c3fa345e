"""The only writer to stdout: plain JSON for scripts, lines and tables for people."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tokenq.errors import OutputLost
from tokenq.printable import printable

Columns = Mapping[str, Callable[[Any], object]]
"""What is shown of a view, by title."""


class ReaderGone(Exception):
    """The reader of our output, such as ``head``, has closed the pipe."""


def document(content: Any) -> None:
    """Print one JSON document; non-ASCII is escaped, so no text in it can control a terminal."""
    _write(json.dumps(content, indent=2))


def record(content: Any) -> None:
    """Print one JSON object of a stream, on one line."""
    _write(json.dumps(content, separators=(",", ":")))


def line(*parts: object) -> None:
    """Print one line for people; each part is made printable."""
    _write(" ".join(printable(part) for part in parts if part != ""))


def coloured(text: str, colour: str) -> None:
    """Print one line for people, in an ANSI colour if the terminal supports it."""
    is_plain = not is_terminal() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    safe = printable(text, 2_000)
    _write(safe if is_plain else f"\x1b[{colour}m{safe}\x1b[0m")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table for people: framed on a terminal, plain columns of full width elsewhere. Nothing is cut off."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = is_terminal()
    console = Console(
        file=sys.stdout, width=None if on_terminal else 10_000, markup=False, highlight=False, emoji=False
    )
    drawn = Table(
        box=box.SIMPLE_HEAD if on_terminal else None,
        title=Text(printable(title)) if title else None,
        title_justify="left",
        pad_edge=False,
    )
    for column in columns:
        drawn.add_column(Text(column), overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("–" if cell is None or cell == "" else printable(cell)) for cell in row))
    # Rich would exit the program itself on a closed pipe.
    with console.capture() as captured:
        console.print(drawn)
    _write(captured.get().removesuffix("\n"))


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair per line."""
    shown = [(name, "–" if value is None or value == "" else printable(value)) for name, value in pairs]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        _write(f"{name:<{width}}  {value}")


def listing(views: Sequence[Any], columns: Columns, *, as_json: bool) -> None:
    """Print views for scripts or as a table for people."""
    if as_json:
        document({"items": views})
    else:
        table(list(columns), ([shown(view) for shown in columns.values()] for view in views))


def details(view: Any, columns: Columns, *, as_json: bool) -> None:
    """Print one view for scripts or as names and values for people."""
    if as_json:
        document(view)
    else:
        fields((title, shown(view)) for title, shown in columns.items())


def deleted(kind: str, name: object, *, as_json: bool) -> None:
    """Report a deletion."""
    if as_json:
        document({"deleted": {kind: name}})
    else:
        line(f"Deleted: {kind} {name}")


def clear() -> None:
    """Clear the terminal before redrawing; does nothing elsewhere."""
    if is_terminal() and os.environ.get("TERM") != "dumb":
        sys.stdout.write("\x1b[2J\x1b[H")


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def height() -> int | None:
    """Return the terminal's height in lines; ``None`` without a terminal."""
    return shutil.get_terminal_size().lines if is_terminal() else None


def raw(text: str) -> None:
    """Print text exactly as it is, such as a ticket."""
    _write(text)


def _write(text: str) -> None:
    if sys.stdout is None:
        raise OutputLost("The output could not be written: standard output is closed.")
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        abandon()
        raise ReaderGone from None
    except OSError as error:
        abandon()
        raise OutputLost(f"The output could not be written: {error.strerror or error}.") from None


def abandon() -> None:
    """Give up standard output: flushing what is still buffered must not fail when the process ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
