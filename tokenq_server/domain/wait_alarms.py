"""Alarms about the waits of those who wait now: the service level, and the longest wait."""

from dataclasses import dataclass
from enum import StrEnum

from tokenq_server.domain.rules import Rules


class WaitAlarm(StrEnum):
    """An alarm's name on the wire."""

    SERVICE_LEVEL = "serviceLevel"
    LONGEST_WAIT = "longestWait"


@dataclass(frozen=True)
class WaitFigures:
    """How many wait, how many of them longer than the service level's minutes, and how long the first one has."""

    waiting: int = 0
    late: int = 0
    longest_seconds: float = 0.0

    def among(self, waiting: int) -> "WaitFigures":
        """Return figures that are seconds old for the number of those who wait now."""
        return WaitFigures(waiting, min(self.late, waiting), self.longest_seconds) if waiting else WaitFigures()


def wait_alarms(figures: WaitFigures, rules: Rules) -> list[WaitAlarm]:
    """Return the alarms that are on.

    The service level's: if all who wait were called now, fewer than its percentage would be called in time.
    """
    alarms = []
    if figures.late * 100 > (100 - rules.service_level_percent) * figures.waiting:
        alarms.append(WaitAlarm.SERVICE_LEVEL)
    if rules.longest_wait_minutes and figures.longest_seconds > rules.longest_wait_minutes * 60:
        alarms.append(WaitAlarm.LONGEST_WAIT)
    return alarms
