"""When to restart the memory-only broker: it never frees memory, and scans all of it for each answer."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_NIGHT = range(3, 5)
"""Hours of the machine's clock in which hardly anyone looks at a board."""
_LARGE, _VERY_LARGE = 128 << 20, 512 << 20
"""Bytes above which it is restarted at night, and at once: some hundred thousand events, and half a million."""
_APART_SECONDS = 20 * 3600.0
"""Minimum interval: right after a start it holds the last seven days again, however much that is."""


class MemoryWatchdog:
    """Watches the memory use of a process."""

    def __init__(self, memory: Callable[[int], int], hour: Callable[[], int], clock: Callable[[], float]) -> None:
        self._memory, self._hour, self._clock = memory, hour, clock
        self._not_before = clock() + _APART_SECONDS

    def why_renew(self, pid: int | None) -> str:
        """Return why the process should be restarted now; empty if it should not."""
        if pid is None or self._clock() < self._not_before:
            return ""
        held = self._memory(pid)
        if held <= (_LARGE if self._hour() in _NIGHT else _VERY_LARGE):
            return ""
        self._not_before = self._clock() + _APART_SECONDS
        return f"it holds {held >> 20} MB"


def of_this_machine() -> MemoryWatchdog:
    """Return a watchdog on the machine's clock and /proc."""
    return MemoryWatchdog(memory_of, lambda: time.localtime().tm_hour, time.monotonic)


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process uses; 0 if unknown."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
