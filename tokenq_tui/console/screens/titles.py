"""The titles of the console's screen: the department with its hours, and the queue with its length."""

from textual.content import Content

from tokenq.contract import notices
from tokenq.printable import printable
from tokenq_tui.console.state import State, change_of_hours, expected_wait, why_no_estimate


def department_title(state: State) -> Content:
    """The selected department, whether it is closed, and when that changes."""
    queue = state.queue
    is_closed = queue is not None and not queue["opening"]["isOpen"]
    hours = change_of_hours(queue) if queue else ""
    return Content.assemble(
        Content.styled(printable(queue["name"] if queue else state.selected, 40), "bold"),
        Content.styled("  CLOSED", "bold $warning") if is_closed else "",
        Content.styled(f"  {hours}", "$quiet") if hours else "",
    )


def is_cut(state: State) -> bool:
    """Return whether the queue is longer than the page that was fetched."""
    return state.queue is not None and state.queue["counts"]["waiting"] > len(state.queue["waiting"])


def queue_title(state: State) -> Content:
    """How many are waiting, the estimated wait (or why it is unknown), and how many were served."""
    if state.queue is None:
        return Content.styled("WAITING", "bold $secondary")
    counts = state.queue["counts"]
    more = f"  the first {len(state.queue['waiting'])} of" if is_cut(state) else ""
    wait, unknown = expected_wait(state.queue["estimate"]), why_no_estimate(state.queue["estimate"])
    # The column is narrow: why the wait is unknown matters more than how many were served.
    rest = [printable(unknown, 40)] if unknown else [f"wait {wait}" if wait else "", f"served {counts['served']}"]
    alarms = [printable(alarm, 30) for alarm in notices.alarms(state.queue, is_short=True)]
    parts = [str(counts["waiting"]), *rest]
    text = f"{more} {' · '.join(part for part in parts if part)}"
    return Content.assemble(
        Content.styled("WAITING", "bold $secondary"),
        Content.styled(f"  {' · '.join(alarms)} " if alarms else "", "bold $error"),
        Content.styled(text, "$quiet"),
    )
