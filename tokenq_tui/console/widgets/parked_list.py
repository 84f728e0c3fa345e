"""The parked tokens; hidden if there are none."""

from collections.abc import Iterable, Sequence

from textual.content import Content
from typing_extensions import override

from tokenq.contract.views import TokenView
from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.times import parked_until
from tokenq_tui.panel import Panel, padded, spread

_MOST = 4


class ParkedList(Panel):
    """One line per token, the first to resume first."""

    DEFAULT_CSS = """
    ParkedList { display: none; height: auto; max-height: 6; padding: 0 1; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._tokens: Sequence[TokenView] = ()
        self._zone = self._key = ""

    def show(self, tokens: Sequence[TokenView], zone: str, key: str) -> None:
        """Show these tokens, with times in a time zone, and the key that resumes one."""
        self._key = key
        ordered = sorted(tokens, key=lambda token: (token["parkedUntil"] or "9", token["tokenId"]))
        if (ordered, zone) != (list(self._tokens), self._zone):
            self._tokens, self._zone = ordered, zone
            self.styles.height = min(len(ordered), _MOST) + 1
            self.display = bool(ordered)
            self.draw()

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title and the tokens."""
        said, more = texts(), len(self._tokens) - _MOST
        yield spread(
            width,
            [(said.gettext("PARKED"), "bold $secondary"), (said.gettext("  {key} resumes", key=self._key), "$quiet")],
            [(f"+{more}" * (more > 0), "$quiet")],
        )
        for token in self._tokens[:_MOST]:
            number = padded(printable(token["displayNumber"], 10), 11)
            name = printable(token["name"] or "", max(width - 26, 4))
            until = parked_until(token, self._zone)
            yield spread(
                width,
                [(number, "$accent"), (name, "")],
                [(said.gettext("until {time}", time=until) if until else "", "$quiet")],
            )
