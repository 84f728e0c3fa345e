"""The keys at the bottom."""

from collections.abc import Iterator

from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey
from typing_extensions import override

from tokenq.printable import cells
from tokenq_tui.error_boundary import ErrorBoundary

_GAP = 1


class KeyFooter(ErrorBoundary, Footer):
    """As many keys as fit whole, the most important ones first; the help has all of them."""

    @override
    def compose(self) -> Iterator[Widget]:
        """Yield the keys."""
        room = self.app.size.width + _GAP
        for each in super().compose():
            if isinstance(each, FooterKey):
                room -= cells(f"{each.key_display} {each.description}") + _GAP
            if room < 0:
                return
            yield each

    async def on_resize(self) -> None:
        """Show more or fewer."""
        await self.recompose()
