"""The title of the console's screen: the department with its hours."""

from textual.content import Content

from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.state import State
from tokenq_tui.console.times import change_of_hours


def department_title(state: State) -> Content:
    """The selected department, whether it is closed, and when that changes."""
    queue = state.queue
    is_closed = queue is not None and not queue["opening"]["isOpen"]
    hours = change_of_hours(queue) if queue else ""
    return Content.assemble(
        Content.styled(printable(queue["name"] if queue else state.selected, 40), "bold"),
        Content.styled("  " + texts().gettext("CLOSED"), "bold $warning") if is_closed else "",
        Content.styled(f"  {hours}", "$quiet") if hours else "",
    )
