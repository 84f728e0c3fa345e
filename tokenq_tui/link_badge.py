"""The badge that shows whether the screen is up to date."""

from collections.abc import Callable
from enum import StrEnum

from textual.content import Content
from textual.widgets import Static

from tokenq.locale import N_, texts
from tokenq_tui.error_boundary import ErrorBoundary


class Health(StrEnum):
    """Whether the screen is up to date."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    OFFLINE = "offline"


_LOOKS = {
    Health.CONNECTING: ("◌", N_("CONNECTING"), "$quiet"),
    Health.LIVE: ("●", N_("LIVE"), "$success"),
    Health.STALE: ("◐", N_("STALE"), "$warning"),
    Health.OFFLINE: ("○", N_("OFFLINE"), "bold $error"),
}


def badge(health: Health, detail: str, said: Callable[[str], str]) -> Content:
    """Return the badge: a sign with its own shape, the word as ``said`` says it, and since when or for how long."""
    sign, word, style = _LOOKS[health]
    return Content.styled(f"{sign} {said(word)}{' ' + detail if detail else ''}", style)


class LinkBadge(ErrorBoundary, Static):
    """Shows a :class:`Health`."""

    DEFAULT_CSS = """
    LinkBadge { width: auto; height: 1; }
    """

    def show(self, health: Health, detail: str = "") -> None:
        """Change the badge; redraw only on a change."""
        content = badge(health, detail, texts().gettext)
        if content.plain != str(self.content):
            self.update(content)
