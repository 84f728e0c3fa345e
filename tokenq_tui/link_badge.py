"""The badge that shows whether the screen is up to date."""

from enum import StrEnum

from textual.content import Content
from textual.widgets import Static

from tokenq_tui.error_boundary import ErrorBoundary


class Health(StrEnum):
    """Whether the screen is up to date."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    OFFLINE = "offline"


_LOOKS = {
    Health.CONNECTING: ("◌", "$quiet"),
    Health.LIVE: ("●", "$success"),
    Health.STALE: ("◐", "$warning"),
    Health.OFFLINE: ("○", "bold $error"),
}


def badge(health: Health, detail: str = "") -> Content:
    """Return the badge: a sign with its own shape, the word, and since when or for how long."""
    sign, style = _LOOKS[health]
    return Content.styled(f"{sign} {health.upper()}{' ' + detail if detail else ''}", style)


class LinkBadge(ErrorBoundary, Static):
    """Shows a :class:`Health`."""

    DEFAULT_CSS = """
    LinkBadge { width: auto; height: 1; }
    """

    def show(self, health: Health, detail: str = "") -> None:
        """Change the badge; redraw only on a change."""
        content = badge(health, detail)
        if content.plain != str(self.content):
            self.update(content)
