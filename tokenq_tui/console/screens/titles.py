"""The title of the console's screen: the department with its hours."""

from textual.content import Content

from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.state import State
from tokenq_tui.console.times import change_of_hours

_LEAST_NAME = 16


def department_title(state: State, width: int) -> Content:
    """The selected department, whether it is closed, and when that changes; a long name is cut to ``width`` columns."""
    queue = state.queue
    is_closed = queue is not None and not queue["opening"]["isOpen"]
    hours = change_of_hours(queue) if queue else ""
    after = Content.assemble(
        Content.styled("  " + texts().gettext("CLOSED"), "bold $warning") if is_closed else "",
        Content.styled(f"  {hours}", "$quiet") if hours else "",
    )
    name = printable(queue["name"] if queue else state.selected, max(width - after.cell_length, _LEAST_NAME))
    return Content.assemble(Content.styled(name, "bold"), after)
