"""Whatever stands in names, numbers and counters, the terminal gets characters to show and nothing to obey.

Checked on the raw bytes of a real terminal: Textual itself lets escape sequences pass from data to the screen.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata

import pytest

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_DRAWING = re.compile(r"\x1b\[[0-9;]*[mH]")


def bytes_of(screen: str, texts: str) -> str:
    """Everything that the screen writes to its terminal from start to end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 160, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
    # Where these are set, as under pytest -n, they would win over the size of the terminal.
    for size in ("COLUMNS", "LINES"):
        environment.pop(size, None)
    command = [sys.executable, "-m", "tests.screens.pty_child", screen, texts]
    child = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    written = bytearray()
    deadline = time.monotonic() + 90
    try:
        while time.monotonic() < deadline and (chunk := _next(ours)) is not None:
            written += chunk
        assert child.wait(10) == 0, written[-2000:]
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return written.decode()


def _next(terminal: int) -> bytes | None:
    if not select.select([terminal], [], [], 1.0)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # the child has closed its side
        return None


def commands(written: str) -> set[str]:
    """The sequences that do something other than move and colour."""
    return {found for found in _SEQUENCE.findall(written) if not _DRAWING.fullmatch(found)}


@pytest.mark.parametrize("screen", ["board", "console"])
def test_hostile_texts_make_the_terminal_do_nothing(screen: str) -> None:
    harmless, hostile = bytes_of(screen, "harmless"), bytes_of(screen, "hostile")
    assert "Text 3" in harmless, "the harmless texts are to be seen, or this proves nothing"
    assert "]52;c" in hostile, "the hostile ones too, as mere characters"
    assert commands(hostile) <= commands(harmless)
    shown = _SEQUENCE.sub("", hostile)
    acting = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert acting <= set("\r\n")
    assert "\u0301" * 4 not in shown
