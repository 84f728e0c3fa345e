"""How measurements are reported."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """A figure measured several times, its target if it has one, and in words what was seen."""

    what: str
    figures: Sequence[float]
    target: str = ""
    """Such as ``<= 2.5``; empty if there is none."""
    seen: str = ""

    @property
    def figure(self) -> float:
        """The median, which is what counts."""
        return median(self.figures)

    @property
    def is_met(self) -> bool | None:
        """Whether the figure reaches its target; ``None`` without one."""
        if not self.target:
            return None
        sign, limit = self.target.split()
        return self.figure >= float(limit) if sign == ">=" else self.figure <= float(limit)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "what": self.what,
            "figure": round(self.figure, 3),
            "figures": [round(figure, 3) for figure in self.figures],
            "target": self.target or None,
            "isMet": self.is_met,
            "seen": self.seen,
        }


@dataclass(frozen=True)
class Part:
    """The rows of a part of the benchmark, and for scripts what they were computed from."""

    title: str
    rows: Sequence[Row]
    raw: Any = None

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"title": self.title, "rows": [row.as_json() for row in self.rows], "raw": self.raw}

    def as_text(self) -> str:
        """For people: the median, and the least and the largest in brackets."""
        width = max(len(row.what) for row in self.rows)
        lines = [self.title, f"{'':{width}}    figure  (least to largest)  target    met  seen"]
        for row in self.rows:
            met = {True: "yes", False: "no", None: ""}[row.is_met]
            spread = f"({_short(min(row.figures))} to {_short(max(row.figures))})" if len(row.figures) > 1 else ""
            line = f"{row.what:{width}}  {_short(row.figure):>8}  {spread:18}  {row.target:8}  {met:3}  {row.seen}"
            lines.append(line.rstrip())
        return "\n".join(lines)


def _short(figure: float) -> str:
    return f"{figure:.2f}" if abs(figure) < 100 else f"{figure:.0f}"


def say(progress: str) -> None:
    """Tell on stderr what is being done: on a terminal in one line, which an empty text removes."""
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)
    elif progress:
        print(progress, file=sys.stderr, flush=True)
