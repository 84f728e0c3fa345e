"""The departments in one row, each with its queue length."""

from textual.containers import HorizontalScroll
from textual.content import Content
from textual.widgets import Static

from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.messages import DepartmentChosen
from tokenq_tui.console.state import State
from tokenq_tui.error_boundary import ErrorBoundary


class DepartmentTab(ErrorBoundary, Static):
    """One department; a click selects it."""

    DEFAULT_CSS = """
    DepartmentTab { height: 1; padding: 0 2; color: $quiet; }
    DepartmentTab:hover { background: $panel; }
    DepartmentTab.-selected { background: $background; color: $foreground; text-style: bold; }
    """

    def __init__(self, department_id: str) -> None:
        super().__init__(markup=False)
        self.department_id = department_id

    def show(self, waiting: int | None, *, has_alarm: bool) -> None:
        """Show how many are waiting, and whether they wait too long."""
        count = "…" if waiting is None else f"{waiting}!" if has_alarm else str(waiting)
        colour = "bold $error" if has_alarm else "$accent"
        content = Content.assemble(printable(self.department_id), " ", Content.styled(count, colour))
        if content.plain != str(self.content):
            self.styles.width = content.cell_length + 4
            self.update(content)

    def on_click(self) -> None:
        """Select this department."""
        self.post_message(DepartmentChosen(self.department_id))


class MoreDepartments(ErrorBoundary, Static):
    """How many departments are out of view, and the keys to reach them."""

    DEFAULT_CSS = """
    MoreDepartments { display: none; width: auto; height: 1; padding: 0 1; background: $surface; color: $quiet; }
    """

    def show(self, count: int, keys: str) -> None:
        """Show that ``count`` are out of view, and the keys to them; hidden if none are."""
        self.display = count > 0
        self.update(Content(texts().gettext("… {number} more {keys}", number=count, keys=keys)))


class DepartmentBar(ErrorBoundary, HorizontalScroll):
    """All departments; scrolls to the selected one."""

    DEFAULT_CSS = """
    DepartmentBar { width: 1fr; height: 1; background: $surface; scrollbar-size: 0 0; }
    """
    can_focus = False
    _keys = ""

    async def show(self, state: State) -> None:
        """Show the departments of ``state``."""
        self._keys = " ".join(shown_key(name, state.keys) for name in ("previous_department", "next_department"))
        tabs = list(self.query(DepartmentTab))
        if [tab.department_id for tab in tabs] != list(state.departments):
            await self.remove_children()
            tabs = [DepartmentTab(department) for department in state.departments]
            await self.mount(*tabs)
        for tab in tabs:
            tab.show(state.waiting_in(tab.department_id), has_alarm=state.has_alarm(tab.department_id))
            is_selected = tab.department_id == state.selected
            if is_selected and not tab.has_class("-selected"):
                tab.scroll_visible(animate=False)
            tab.set_class(is_selected, "-selected")
        self.call_after_refresh(self._count)

    def on_resize(self) -> None:
        """Count again after a resize."""
        self._count()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Count again after scrolling."""
        super().watch_scroll_x(old_value, new_value)
        self.call_after_refresh(self._count)

    def _count(self) -> None:
        """Count the tabs out of view; none if all would fit into the full width."""
        if not self.is_attached:
            return
        tabs = list(self.query(DepartmentTab))
        left, right = self.scroll_x, self.scroll_x + self.size.width
        spans = [(tab.virtual_region.x, tab.virtual_region.right) for tab in tabs]
        fits = not spans or max(end for _, end in spans) <= self.screen.size.width
        hidden = 0 if fits else sum(start < left or end > right for start, end in spans)
        self.screen.query_one(MoreDepartments).show(hidden, self._keys)
