"""When the broker that never frees anything is started anew."""

import os

import pytest

from tokenq_server.embedded.memory_watchdog import MemoryWatchdog, memory_of

MEGABYTE = 1 << 20
DAY = 86_400.0


class Machine:
    """A day at a time, with as much memory in use as the test says."""

    def __init__(self) -> None:
        self.held, self.hour, self.now = 0, 12, 0.0
        self.wear = MemoryWatchdog(lambda pid: self.held * MEGABYTE, lambda: self.hour, lambda: self.now)

    def is_due(self) -> bool:
        return bool(self.wear.why_renew(7))


@pytest.mark.parametrize(
    ("held", "hour", "is_due"),
    [(100, 3, False), (200, 12, False), (200, 3, True), (200, 5, False), (600, 12, True)],
)
def test_a_large_one_waits_for_the_night_and_a_very_large_one_does_not(held: int, hour: int, is_due: bool) -> None:
    """Boards are empty for a moment."""
    machine = Machine()
    machine.now, machine.held, machine.hour = DAY, held, hour

    assert machine.is_due() == is_due


def test_once_a_day_is_enough() -> None:
    """What is told again after a start may be as much as before."""
    machine = Machine()
    machine.held, machine.hour = 600, 3
    assert not machine.is_due()
    machine.now = DAY
    assert machine.wear.why_renew(7) == "it holds 600 MB"
    assert not machine.is_due()
    machine.now = 2 * DAY
    assert machine.is_due()


def test_a_process_that_is_not_there_holds_nothing() -> None:
    """It may have ended meanwhile."""
    assert memory_of(2**22 + 1) == 0
    assert memory_of(os.getpid()) > MEGABYTE
    assert Machine().wear.why_renew(None) == ""
