"""The top of the board: the site, what is shown, whether it is up to date, and the time."""

from collections.abc import Iterable

from textual.content import Content

from tokenq_tui.bigtext import big
from tokenq_tui.board.tile import carrying
from tokenq_tui.board.wording import Wording
from tokenq_tui.link_badge import Health, badge
from tokenq_tui.panel import Panel, line

_GAP = 3
_BIG_SITE = 7


class Header(Panel):
    """Shows everything in one row, or the time in big letters beside the rest."""

    DEFAULT_CSS = """
    Header { height: 1; padding: 0 2; background: $panel; color: $foreground; }
    Header.-tall { padding: 1 2; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._site = self._title = self._clock = self._player = ""
        self._health, self._detail, self._say = Health.CONNECTING, "", Wording()

    def show(
        self, site: str, title: str, clock: str, health: Health, detail: str, say: Wording, *, player: str = ""
    ) -> None:
        """Show these; ``player`` takes the place of the link in a replay."""
        shown = (site, title, clock, health, detail, player, say)
        if shown != (self._site, self._title, self._clock, self._health, self._detail, self._player, self._say):
            self._site, self._title, self._clock, self._health, self._detail, self._player, self._say = shown
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return as many rows as there are."""
        clock = big(self._clock, width // 2, height) if height > 1 else None
        if clock is None:
            return [self._in_one_row(width)]
        room = width - len(clock[0]) - _GAP
        left = self._words(room, height)
        rows = zip(left, clock, strict=False)
        return [Content.assemble(_cut(words, room), " " * _GAP, line((row, "bold"))) for words, row in rows]

    def _status(self) -> Content:
        if self._player:
            return line((self._player, "$accent"))
        return badge(self._health, self._detail, self._say.gettext)

    def _in_one_row(self, width: int) -> Content:
        status = self._status()
        right = Content.assemble(status, "   ", line((self._clock, "bold")))
        room = max(width - right.cell_length - 1, 0)
        between = "   " if self._title and self._site else ""
        left = line((self._title + between, "bold"), (self._site, "$secondary")).truncate(room, ellipsis=True)
        return Content.assemble(left, " " * max(width - left.cell_length - right.cell_length, 1), right)

    def _words(self, width: int, height: int) -> list[Content]:
        drawn = big(self._site, width, height - 3) if height >= _BIG_SITE else None
        site = [line((row, "$secondary")) for row in drawn or (carrying(self._site, width),)]
        status = self._status()
        title = line((carrying(self._title, width) if drawn else self._title, "bold"))
        above = [*(site if self._site else []), *([Content("")] if drawn else []), title][: height - 1]
        return [*above, *[Content("")] * (height - 1 - len(above)), status]


def _cut(content: Content, width: int) -> Content:
    content = content.truncate(width, ellipsis=True)
    return content.pad_right(max(width - content.cell_length, 0))
