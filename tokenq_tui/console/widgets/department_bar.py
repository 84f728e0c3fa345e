"""The departments in one row: how many wait in each, and which one is looked at."""

from textual.containers import HorizontalScroll
from textual.content import Content
from textual.widgets import Static

from tokenq.printable import printable
from tokenq_tui.console.messages import DepartmentChosen
from tokenq_tui.console.state import State


class DepartmentTab(Static):
    """One department; a click looks at it."""

    DEFAULT_CSS = """
    DepartmentTab { height: 1; padding: 0 2; color: $quiet; }
    DepartmentTab:hover { background: $panel; }
    DepartmentTab.-selected { background: $background; color: $foreground; text-style: bold; }
    """

    def __init__(self, department_id: str) -> None:
        super().__init__(markup=False)
        self.department_id = department_id

    def show(self, waiting: int | None) -> None:
        """Show how many wait."""
        count = "…" if waiting is None else str(waiting)
        content = Content.assemble(printable(self.department_id), " ", Content.styled(count, "$accent"))
        if content.plain != str(self.content):
            self.styles.width = content.cell_length + 4
            self.update(content)

    def on_click(self) -> None:
        """Look at this department."""
        self.post_message(DepartmentChosen(self.department_id))


class DepartmentBar(HorizontalScroll):
    """All departments; it scrolls to the chosen one."""

    DEFAULT_CSS = """
    DepartmentBar { height: 1; background: $surface; scrollbar-size: 0 0; }
    """
    can_focus = False

    async def show(self, state: State) -> None:
        """Show the departments of ``state``."""
        tabs = list(self.query(DepartmentTab))
        if [tab.department_id for tab in tabs] != list(state.departments):
            await self.remove_children()
            tabs = [DepartmentTab(department) for department in state.departments]
            await self.mount(*tabs)
        for tab in tabs:
            tab.show(state.waiting_in(tab.department_id))
            is_selected = tab.department_id == state.selected
            if is_selected and not tab.has_class("-selected"):
                tab.scroll_visible(animate=False)
            tab.set_class(is_selected, "-selected")
