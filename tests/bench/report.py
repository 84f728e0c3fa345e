"""How measurements are told."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """One figure, the target it is held against, and what was seen."""

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
    width = max(len(one.what) for one in ratios)
    lines = [f"{'':{width}}  figure  target    met  seen"]
    lines += [
        f"{one.what:{width}}  {one.figure:6.2f}  {one.target:8}  {'yes' if one.is_met else 'no ':3}  {one.seen}"
        for one in ratios
    ]
    return "\n".join(lines)
