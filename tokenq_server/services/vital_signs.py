"""How a program that nobody asks anything is doing, for those who watch it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

STANDBY = "standby"
"""It waits for another one to end, for as long as that takes."""
WORKING = "working"
STARTING = "starting"
_STUCK, _FAILING = "stuck", "failing"
_PATIENCE = 180.0
"""Seconds without a sign after which a part counts as stuck: a round of sending may take two and a half minutes."""

Labels = tuple[tuple[str, str], ...]


class VitalSigns:
    """The last signs of a program's parts, and what they have counted since it started."""

    def __init__(self, *parts: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said = dict.fromkeys(parts, (STARTING, clock()))
        self.counts: Counter[tuple[str, Labels]] = Counter()
        """By name and labels."""

    def well(self, part: str, state: str = WORKING) -> None:
        """Say that a part does its work, or waits for its turn."""
        self._said[part] = state, self._clock()

    def ill(self, part: str) -> None:
        """Say that a part cannot do its work now."""
        self._said[part] = _FAILING, self._clock()

    def count(self, name: str, times: int = 1, **labels: str) -> None:
        """Count something that has happened."""
        self.counts[name, tuple(labels.items())] += times

    def parts(self) -> Mapping[str, str]:
        """Return the state of each part."""
        now = self._clock()
        return {
            part: _STUCK if state in (WORKING, STARTING) and now - at > _PATIENCE else state
            for part, (state, at) in self._said.items()
        }

    @property
    def are_good(self) -> bool:
        """Whether all parts work, or wait for their turn."""
        return set(self.parts().values()) <= {WORKING, STANDBY}
