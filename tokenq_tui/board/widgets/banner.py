"""The calls that are new, beside each other and as big as the screen allows; without any, a notice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.content import Content

from tokenq.board.announcements import Shown
from tokenq.board.picture import Call, DepartmentPicture, Picture
from tokenq.contract.enums import AT_COUNTER
from tokenq.locale import N_
from tokenq.printable import cells, wrapped
from tokenq.zones import local
from tokenq_tui.bigtext import HEIGHT, big
from tokenq_tui.board.layout import tiles_that_fit
from tokenq_tui.board.tile import TileStyle, TileText, carrying, score, tile
from tokenq_tui.board.wording import Wording
from tokenq_tui.panel import Panel, line, padded

_BLINKS_FOR = 3.0
_GAP = 2
_HEADLINE = 8
_LEAST_HEADLINE = 4
_BETWEEN = 3
_LONGEST = 60
"""Columns of the longest number or counter that is still tried in big letters."""

NOW_CALLING, LAST_CALLED = N_("Now calling"), N_("Last called")


@dataclass(frozen=True, slots=True)
class Notice:
    """What stands where nobody is called; ``waits`` are names with what a new customer waits."""

    headline: str = ""
    sentence: str = ""
    waits: tuple[tuple[str, str], ...] = ()
    waits_title: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A call as it is drawn."""

    text: TileText
    is_new: bool
    is_bright: bool
    is_over: bool


class Banner(Panel):
    """Shows calls; new ones blink, then stay inverted while they are fresh."""

    DEFAULT_CSS = """
    Banner { background: $surface; color: $foreground; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._tiles: tuple[Tile, ...] = ()
        self._notice = Notice()

    @property
    def places(self) -> int:
        """How many calls can be shown at once."""
        return tiles_that_fit(*self.content_size)

    @property
    def is_new(self) -> bool:
        """Whether a call is new."""
        return any(each.is_new for each in self._tiles)

    @property
    def is_past(self) -> bool:
        """Whether the call is finished and is shown only for lack of another."""
        return any(each.is_over and not each.is_new for each in self._tiles)

    def show(
        self,
        calls: Sequence[Shown],
        picture: Picture,
        notice: Notice,
        zone: str,
        say: Wording,
        *,
        blinks: bool = False,
        is_outdated: bool = False,
    ) -> None:
        """Show calls; without any, the notice.

        ``blinks`` is the phase of those that blink. Outdated ones, from before the link was lost, are dimmed.
        """
        tiles = tuple(
            Tile(
                _text_of(each.call, picture, zone, say, is_alone=len(calls) == 1),
                each.age is not None,
                not is_outdated and each.age is not None and (each.age > _BLINKS_FOR or not blinks),
                is_outdated or each.call.state not in AT_COUNTER,
            )
            for each in calls
        )
        if (tiles, notice) != (self._tiles, self._notice):
            self._tiles, self._notice = tiles, notice
            self.set_class(any(each.is_bright for each in tiles), "-bright")
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return the calls in the grid in which they are read best."""
        if not self._tiles:
            return _notice_lines(self._notice, width, height)
        across = _columns(self._tiles, width, height)
        bands = [self._tiles[at : at + across] for at in range(0, len(self._tiles), across)]
        rows: list[Content] = []
        for band in bands:
            rows += _band(band, width, height // len(bands), has_gap=len(bands) > 1)
        return rows


def _text_of(call: Call, picture: Picture, zone: str, say: Wording, *, is_alone: bool) -> TileText:
    department = picture.department(call.department_id)
    counter = say.counter(call.counter, department.counter_words if department else {})
    again = f"  ·  {say.gettext('Called again')}" if call.times > 1 else ""
    return TileText(
        say.data(call.number.strip(), _LONGEST),
        counter if cells(counter) <= _LONGEST else say.data(call.counter.strip(), _LONGEST),
        say.data(call.counter.strip(), _LONGEST),
        name_of(department, call.department_id, say),
        f"{local(call.at, zone):%H:%M}{again}",
        is_alone,
    )


def name_of(department: DepartmentPicture | None, department_id: str, say: Wording) -> str:
    """A department's name; its id where it has none."""
    return say.data((department.name if department else "") or department_id, _LONGEST)


def _columns(tiles: Sequence[Tile], width: int, height: int) -> int:
    """How many calls stand beside each other, so that the one that is read worst is read best."""
    shapes = range(1, len(tiles) + 1)
    return max(shapes, key=lambda across: min(score(each.text, *_size(across, tiles, width, height)) for each in tiles))


def _size(across: int, tiles: Sequence[Tile], width: int, height: int) -> tuple[int, int]:
    down = -(-len(tiles) // across)
    return (width - _GAP * (across - 1)) // across, height // down - (down > 1)


def _band(band: Sequence[Tile], width: int, height: int, *, has_gap: bool) -> list[Content]:
    """Calls side by side, over the whole width; a line below each of several bands, so that all are alike."""
    gap = int(has_gap)
    share = (width - _GAP * (len(band) - 1)) // len(band)
    drawn = [tile(each.text, _style(each), share, height - gap) for each in band]
    return [Content(" " * _GAP).join(row) for row in zip(*drawn, strict=True)] + [Content("")] * gap


def _style(each: Tile) -> TileStyle:
    if each.is_bright:
        return TileStyle("$background", "$background", "$background", "on $primary")
    if each.is_over and not each.is_new:
        return TileStyle("$quiet", "$quiet", "$quiet")
    return TileStyle("$primary", "$accent", "$foreground")


def _notice_lines(notice: Notice, width: int, height: int) -> list[Content]:
    sentence = [line((part, "$quiet")) for part in wrapped(notice.sentence, max(width, 1))]
    waits = _wait_lines(notice, width, height - len(sentence) - _LEAST_HEADLINE - 2)
    room = height - len(sentence) - len(waits) - 1
    drawn = big(notice.headline, width, min(max(room, 0), max(_HEADLINE, height // 3)))
    rows = [line((row, "bold $quiet")) for row in drawn or (notice.headline,)]
    rows += [Content(""), *sentence, *waits]
    above = [Content("")] * (max(height - len(rows), 0) // 2)
    return [*above, *(each.pad_left(max(width - each.cell_length, 0) // 2) for each in rows)]


def _wait_lines(notice: Notice, width: int, height: int) -> list[Content]:
    """The expected waits in two columns, in big letters if all of them fit; in as many lines as there are."""
    if not notice.waits or height < 3:
        return []
    title = [Content(""), line((notice.waits_title, "bold $secondary"))]
    room = height - len(title)
    for scale in (2, 1):
        tall = scale * HEIGHT // 2 + 1
        pictures = [big(wait.upper(), width // 2, tall) for _, wait in notice.waits]
        if len(notice.waits) * tall <= room and all(drawn and len(drawn) * 2 // HEIGHT == scale for drawn in pictures):
            return title + _big_waits(
                [name for name, _ in notice.waits], [drawn or () for drawn in pictures], width // 2
            )
    names = max(cells(name) for name, _ in notice.waits)
    waits = max(cells(wait) for _, wait in notice.waits)
    names = min(names, max(width - waits - _BETWEEN, 4))
    return title + [
        line((padded(name, names) + " " * _BETWEEN, "bold"), (padded(wait, waits), "bold $accent"))
        for name, wait in notice.waits[:room]
    ]


def _big_waits(names: Sequence[str], pictures: Sequence[Sequence[str]], width: int) -> list[Content]:
    shown = [carrying(name, width - _BETWEEN) for name in names]
    wide = max(map(cells, shown))
    long = max(len(drawn[0]) for drawn in pictures)
    return [
        line(
            ((name if place == len(drawn) // 2 else "").ljust(wide) + " " * _BETWEEN, "bold"),
            (row.ljust(long), "$accent"),
        )
        for name, drawn in zip(shown, pictures, strict=True)
        for place, row in enumerate(drawn)
    ]
