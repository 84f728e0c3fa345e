"""What a check looked at and what it found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold: its code, the department, and a sentence that says where."""

    code: str
    department_id: str
    sentence: str


@dataclass
class Tally:
    """Counts what was looked at and what was wrong, per code; of the violations only the first ``keep`` are kept.

    ``unchecked`` says why a code could not be looked at, or not whole.
    """

    keep: int = 1_000
    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    violations: dict[str, list[Violation]] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    def look(self, code: str, things: int = 1) -> None:
        """So many more things were looked at."""
        self.checked[code] += things

    def blame(self, code: str, department_id: str, sentence: str) -> None:
        """Something is wrong."""
        self.found[code] += 1
        kept = self.violations.setdefault(code, [])
        if len(kept) < self.keep:
            kept.append(Violation(code, department_id, sentence))

    def check(self, code: str, department_id: str, holds: bool, sentence: str) -> None:
        """Look at one thing; if it does not hold, the sentence says what is wrong."""
        self.look(code)
        if not holds:
            self.blame(code, department_id, sentence)

    def skip(self, codes: Iterable[str], why: str) -> None:
        """These could not be looked at; the first reason stays."""
        for code in codes:
            self.unchecked.setdefault(code, why)

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.found
