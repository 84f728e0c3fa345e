"""How measurements are reported."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """One figure, its target, and the measurements behind it."""

    what: str
    figure: float
    target: str
    seen: str

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches its target."""
        sign, limit = self.target.split()[:2]
        return self.figure >= float(limit) if sign == ">=" else self.figure <= float(limit)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {**asdict(self), "figure": round(self.figure, 3), "is_met": self.is_met}


def table(ratios: list[Ratio]) -> str:
    """For people."""
    width = max(len(ratio.what) for ratio in ratios)
    lines = [f"{'':{width}}  figure  target    met  seen"]
    for ratio in ratios:
        met = "yes" if ratio.is_met else "no "
        lines.append(f"{ratio.what:{width}}  {ratio.figure:6.2f}  {ratio.target:8}  {met:3}  {ratio.seen}")
    return "\n".join(lines)
