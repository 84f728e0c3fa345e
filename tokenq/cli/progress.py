"""Progress on stderr: of ``tokenq up``, one live line per part, and of what just takes long, one line in all."""

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


class Working:
    """One live line that says what is being done; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __enter__(self) -> "Working":
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

    def tell(self, what: str) -> None:
        """Say what is being done now."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(printable(what)))


class Step(Protocol):
    """What the supervisor says about one part."""

    @property
    def part(self) -> str:
        """Its name."""

    @property
    def state(self) -> str:
        """starting, ready, restarting, stopping or stopped."""

    @property
    def detail(self) -> str:
        """One line more, or nothing."""


class Progress:
    """Shows steps as they come; any thread may report, also after :meth:`finish`."""

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
                self._live.update(_drawn(self._steps))
            else:
                echo(f"{step.part}: {step.state}{f' – {step.detail}' if step.detail else ''}")

    def finish(self) -> None:
        """Leave the live lines as they are; later steps come as plain lines."""
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _drawn(steps: dict[str, Step]) -> "Table":
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
