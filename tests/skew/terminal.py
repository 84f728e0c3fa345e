"""A terminal for another program's screen, and its visible text."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.cells import cell_len

_PIECE = re.compile(
    r"\x1b\[(?P<numbers>[0-9;?>=<]*)[ -/]*(?P<final>[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\"
    r"|\x1b[ -/]*[0-~]|(?P<sign>[^\x1b])",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?>=<]*[ -/]*|\][^\x07\x1b]*\x1b?|P[^\x1b]*\x1b?|[ -/]*)?\Z")


class Screen:
    """The current characters: a minimal terminal for Textual."""

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self._clear()
        self._row = self._column = 0
        self._rest = ""

    def write(self, text: str) -> None:
        """Process output, which may end within an escape sequence."""
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ""
        for piece in _PIECE.finditer(text[: len(text) - len(self._rest)]):
            if piece["sign"]:
                self._put(piece["sign"])
            elif piece["final"]:
                self._obey(piece["final"], piece["numbers"])

    def text(self) -> str:
        """The text, row by row."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def _clear(self) -> None:
        self._cells = [[" "] * self._columns for _ in range(self._rows)]

    def _put(self, sign: str) -> None:
        if sign == "\r":
            self._column = 0
        elif sign == "\n":
            self._row, self._column = min(self._row + 1, self._rows - 1), 0
        elif sign.isprintable():
            width = cell_len(sign)
            if width and self._column + width <= self._columns:
                self._cells[self._row][self._column : self._column + width] = [sign, *[""] * (width - 1)]
                self._column += width

    def _obey(self, final: str, numbers: str) -> None:
        given = [int(number) if number.isdigit() else 0 for number in numbers.split(";")]
        if final == "H":
            row, column, *_ = [*given, 0, 0]
            self._row = min(max(row, 1), self._rows) - 1
            self._column = min(max(column, 1), self._columns) - 1
        elif final == "J" and given[0] == 2:
            self._clear()


class Terminal:
    """A program on its own terminal."""

    def __init__(self, argv: Sequence[str | Path], environment: Mapping[str, str], size: tuple[int, int]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self._screen, self._lock = Screen(*size), threading.Lock()
        self.written = ""
        """All that the program has written so far."""
        self._is_over = threading.Event()
        self.process = subprocess.Popen(
            argv, cwd="/", env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def text(self) -> str:
        """The screen's current text."""
        with self._lock:
            return self._screen.text()

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def close(self) -> None:
        """End the program."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._is_over.set()
        self._reader.join()
        os.close(self._ours)

    def _read(self) -> None:
        pending = b""
        while not self._is_over.is_set():
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                pending += os.read(self._ours, 65536)
            except OSError:  # the program has closed its side
                return
            text = pending.decode("utf-8", "ignore") if _is_whole(pending) else ""
            if text:
                pending = b""
                with self._lock:
                    self.written += text
                    self._screen.write(text)


def _is_whole(read: bytes) -> bool:
    """Whether it ends with a complete character."""
    try:
        read.decode()
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return True


@contextmanager
def on_terminal(
    argv: Sequence[str | Path], environment: Mapping[str, str], size: tuple[int, int]
) -> Iterator[Terminal]:
    """Run a program on a terminal of that size until the context ends."""
    shown = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
    shown.pop("NO_COLOR", None)
    terminal = Terminal(argv, shown, size)
    try:
        yield terminal
    finally:
        terminal.close()
