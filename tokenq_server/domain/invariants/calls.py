"""Who may be called at a prefix of the log (S4).

Inside a class that is exact: the least place, then the least id. Between classes the log tells the rule by which the
policy chose; what that rule claims is checked. The ratio's count is not in the log, so it is not.
"""

from tokenq.contract.enums import Priority
from tokenq_server.domain.invariants.entries import LogEntry
from tokenq_server.domain.invariants.line import PrefixLine
from tokenq_server.domain.invariants.lives import Life
from tokenq_server.domain.invariants.tally import Tally

_BY_HAND = "called out of order"
_OVERDUE = "waited longer than"
_ALONE = "first in line"


def check_order(department_id: str, entry: LogEntry, life: Life, line: PrefixLine, tally: Tally) -> None:
    """Look at one call, before the called one leaves the line."""
    reason = str(entry.event.data.get("reason"))
    if reason.startswith(_BY_HAND):
        return
    tally.look("S4")
    who = f"Entry {entry.seq} calls token {life.token_id} ({entry.event.display_number}, {life.priority})"
    head = line.head(life.priority)
    if head != life.token_id:
        tally.blame("S4", department_id, f"{who}, but token {head} was before it.")
    elif not reason.startswith(_OVERDUE):
        others = {name for name in Priority if name is not life.priority and line.head(name) is not None}
        if Priority.URGENT in others:
            tally.blame("S4", department_id, f"{who} while somebody urgent waited.")
        elif reason.startswith(_ALONE) and others:
            tally.blame("S4", department_id, f"{who} as the only class, while {', '.join(sorted(others))} waited.")
