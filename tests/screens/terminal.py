"""A real terminal, and all that a screen writes to it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time


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
