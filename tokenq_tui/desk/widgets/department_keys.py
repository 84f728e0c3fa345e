"""The departments as large keys, for fingers, mouse and keyboard."""

from math import ceil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tokenq.locale import Texts
from tokenq.printable import printable, wrapped
from tokenq_tui.desk.messages import DepartmentChosen
from tokenq_tui.desk.state import DeskState, situation
from tokenq_tui.error_boundary import ErrorBoundary

ARROWS = (
    Binding("left,up", "app.focus_previous", show=False),
    Binding("right,down", "app.focus_next", show=False),
)
"""From one key to the next."""
_NARROWEST = 26
_LOWEST, _HIGHEST = 3, 14
_GAP = 1


class DepartmentKey(ErrorBoundary, Static, can_focus=True):
    """One department."""

    DEFAULT_CSS = """
    DepartmentKey { width: 1fr; height: 1fr; background: $panel; color: $foreground; padding: 0 1;
                    content-align: center middle; text-align: center; }
    DepartmentKey:hover { background: $line; }
    DepartmentKey:focus { background: $line; text-style: bold; }
    DepartmentKey.-closed { color: $quiet; background: $surface; }
    """

    def __init__(self, department: str) -> None:
        super().__init__("", markup=False)
        self.department = department

    def on_click(self) -> None:
        """Choose it."""
        self.post_message(DepartmentChosen(self.department))

    def show(self, state: DeskState, own: Texts) -> None:
        """Draw the key, the name and who waits."""
        width, height = self.content_size
        if width <= 0:
            return
        key = state.key_of(self.department)
        room = max(width - 4, 1)
        name = wrapped(state.name_of(self.department), room)
        if len(name) > max(height - 1, 1):
            name = [printable(state.name_of(self.department), room)]
        sign = Content.styled(f" {key} " if key else "", "bold $background on $accent")
        lines = [Content.assemble(sign, Content.styled(f" {name[0]}", "bold"))]
        lines += [Content.styled(line, "bold") for line in name[1:]]
        self.set_class(not state.is_open(self.department), "-closed")
        lines.append(Content.styled(printable(situation(state, self.department, own), width), "$quiet"))
        self.update(Content("\n").join(lines))


class DepartmentKeys(ErrorBoundary, VerticalScroll, can_focus=False):
    """All departments, as large as there is room."""

    DEFAULT_CSS = """
    DepartmentKeys { layout: grid; grid-gutter: 1 2; padding: 1 2; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*ARROWS]

    def __init__(self, state: DeskState, own: Texts) -> None:
        super().__init__()
        self._state, self._own = state, own

    def compose(self) -> ComposeResult:
        """Yield a key per department."""
        for each in self._state.departments:
            yield DepartmentKey(each["departmentId"])

    def show(self, state: DeskState, own: Texts) -> None:
        """Show the departments, with new ones and without old ones."""
        is_same = [each["departmentId"] for each in state.departments] == [key.department for key in self._all]
        self._state, self._own = state, own
        if not is_same:
            self.call_later(self._rebuild)
        else:
            self._draw()

    async def _rebuild(self) -> None:
        await self.recompose()
        self._arrange()

    def on_resize(self) -> None:
        """Fit the keys into the new size."""
        self._arrange()

    @property
    def _all(self) -> list[DepartmentKey]:
        return list(self.query(DepartmentKey))

    def _arrange(self) -> None:
        count = len(self._all)
        if not count:
            return
        columns, height = arrangement(count, self.size.width, self.size.height)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = f"{height}"
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        for key in self._all:
            key.show(self._state, self._own)


def arrangement(count: int, width: int, height: int) -> tuple[int, int]:
    """Return in how many columns to put keys, and how high: as large as possible, nearly as wide as three heights."""
    most = max(1, min(count, width // _NARROWEST))

    def height_in(columns: int) -> int:
        rows = ceil(count / columns)
        return min((height - _GAP * (rows - 1)) // rows, _HIGHEST)

    best = max(range(1, most + 1), key=lambda columns: (min(height_in(columns), width // columns // 5), columns))
    return (most, _LOWEST) if height_in(best) < _LOWEST else (best, height_in(best))
