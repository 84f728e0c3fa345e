"""Progress on stderr: one live line per part for ``tokenq up``, a single status line for other long tasks."""

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from tokenq.cli.exits import echo
from tokenq.printable import printable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.status import Status
    from rich.table import Table


class StatusLine:
    """One live line that shows the current step; nothing without a terminal."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __enter__(self) -> "StatusLine":
        if _is_terminal():
            from rich.console import Console

            self._status = Console(stderr=True, markup=False, highlight=False).status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, step: str) -> None:
        """Show the current step."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(printable(step)))


class Step(Protocol):
    """A supervisor's report on one part."""

    @property
    def part(self) -> str:
        """Its name."""

    @property
    def state(self) -> str:
        """starting, ready, restarting, stopping or stopped."""

    @property
    def detail(self) -> str:
        """One more line, or empty."""


class Progress:
    """Shows steps as they are reported, from any thread, even after :meth:`finish`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, Step] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if _is_terminal():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True, markup=False, highlight=False), refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def report(self, step: Step) -> None:
        """Show one step."""
        with self._lock:
            self._steps[step.part] = step
            if self._live is not None:
                self._live.update(_draw_steps(self._steps))
            else:
                echo(f"{step.part}: {step.state}{f' – {step.detail}' if step.detail else ''}")

    def finish(self) -> None:
        """Freeze the live lines; later steps are printed as plain lines."""
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _draw_steps(steps: dict[str, Step]) -> "Table":
    from rich.spinner import Spinner
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for step in steps.values():
        is_ready = step.state == "ready"
        mark = Text("✓", "green") if is_ready else Spinner("dots", style="yellow")
        state = Text(step.state, "" if is_ready else "yellow")
        table.add_row(mark, Text(printable(step.part)), state, Text(printable(step.detail, 60), "dim"))
    return table
