"""The titles of the console's screen: the place and its hours, the line and its length."""

from textual.content import Content

from tokenq.printable import printable
from tokenq_tui.console.state import State, change_of_hours, expected_wait, why_no_estimate


def place_title(state: State) -> Content:
    """The chosen department, whether it is closed, and when that changes."""
    queue = state.queue
    is_closed = queue is not None and not queue["opening"]["isOpen"]
    hours = change_of_hours(queue) if queue else ""
    return Content.assemble(
        Content.styled(printable(queue["name"] if queue else state.selected, 40), "bold"),
        Content.styled("  CLOSED", "bold $warning") if is_closed else "",
        Content.styled(f"  {hours}", "$quiet") if hours else "",
    )


def is_cut(state: State) -> bool:
    """Whether more people wait than are told of one by one."""
    return state.queue is not None and state.queue["counts"]["waiting"] > len(state.queue["waiting"])


def line_title(state: State) -> Content:
    """How many wait and for how long (or why that is unknown), and how many were served."""
    if state.queue is None:
        return Content.styled("WAITING", "bold $secondary")
    counts = state.queue["counts"]
    more = f"  the first {len(state.queue['waiting'])} of" if is_cut(state) else ""
    wait, unknown = expected_wait(state.queue["estimate"]), why_no_estimate(state.queue["estimate"])
    # The column is narrow: why nobody knows the wait is worth more than how many were served.
    rest = [printable(unknown, 40)] if unknown else [f"wait {wait}" if wait else "", f"served {counts['served']}"]
    parts = [str(counts["waiting"]), *rest]
    told = f"{more} {' · '.join(part for part in parts if part)}"
    return Content.assemble(Content.styled("WAITING", "bold $secondary"), Content.styled(told, "$quiet"))
