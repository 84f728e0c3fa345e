"""What the checks have looked at and found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A broken invariant: its code, the department, and a sentence that says where."""

    code: str
    department_id: str
    sentence: str


@dataclass
class Tally:
    """Counts checks and violations per code; only the first ``keep`` violations are kept.

    ``unchecked`` says why a code could not be checked, or not completely.
    """

    keep: int = 1_000
    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    violations: dict[str, list[Violation]] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    def look(self, code: str, things: int = 1) -> None:
        """Count things as checked."""
        self.checked[code] += things

    def blame(self, code: str, department_id: str, sentence: str) -> None:
        """Record a violation."""
        self.found[code] += 1
        kept = self.violations.setdefault(code, [])
        if len(kept) < self.keep:
            kept.append(Violation(code, department_id, sentence))

    def check(self, code: str, department_id: str, holds: bool, sentence: str) -> None:
        """Check one thing; ``sentence`` describes the violation if it does not hold."""
        self.look(code)
        if not holds:
            self.blame(code, department_id, sentence)

    def skip(self, codes: Iterable[str], why: str) -> None:
        """Record that these codes could not be checked; the first reason is kept."""
        for code in codes:
            self.unchecked.setdefault(code, why)

    @property
    def is_well(self) -> bool:
        """Whether there is no violation."""
        return not self.found
