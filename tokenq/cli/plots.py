"""Small drawings of numbers, in letters."""

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(value: float | None, top: float, width: int = 24) -> str:
    """A bar of at most ``width`` cells, full at ``top``."""
    if not value or top <= 0:
        return ""
    eighths = max(round(min(value / top, 1) * width * 8), 1)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def spark(values: Sequence[float]) -> str:
    """A line of small columns, the highest at the largest value."""
    top = max(values, default=0)
    if top <= 0:
        return "▁" * len(values)
    return "".join(_LEVELS[min(int(value / top * 7 + 0.5), 7)] for value in values)


def minutes(seconds: float | None) -> str:
    """``4:05``, minutes and seconds; empty if it is not known."""
    return "" if seconds is None else f"{int(seconds // 60)}:{int(seconds % 60):02d}"
