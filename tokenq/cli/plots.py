"""Small text charts."""

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(value: float | None, top: float, width: int = 24) -> str:
    """Return a bar of at most ``width`` cells, full at ``top``."""
    if not value or top <= 0:
        return ""
    eighths = max(round(min(value / top, 1) * width * 8), 1)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def spark(values: Sequence[float]) -> str:
    """Return a sparkline; the largest value has full height."""
    top = max(values, default=0)
    if top <= 0:
        return "▁" * len(values)
    return "".join(_LEVELS[min(int(value / top * 7 + 0.5), 7)] for value in values)


def minutes(seconds: float | None) -> str:
    """Format seconds as ``4:05`` (minutes and seconds), rounded half up; empty for ``None``."""
    if seconds is None:
        return ""
    whole = int(seconds + 0.5)
    return f"{whole // 60}:{whole % 60:02d}"
