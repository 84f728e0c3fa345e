"""Who may be called at a given point of the log (S4).

Within a class the check is exact: smallest sort key, then smallest id. Between classes the log names the rule by which
the policy chose, and what that rule claims is checked. The counts of the ratio are not in the log and are not checked.
"""

from tokenq.contract import words
from tokenq.contract.enums import Priority
from tokenq_server.domain.invariants.entries import LogEntry
from tokenq_server.domain.invariants.prefix_queue import PrefixQueue
from tokenq_server.domain.invariants.replayed_token import ReplayedToken
from tokenq_server.domain.invariants.tally import Tally

_BY_HAND = "called out of order"
_OVERDUE = words.OVERDUE.partition(" {")[0]


def check_order(department_id: str, entry: LogEntry, token: ReplayedToken, line: PrefixQueue, tally: Tally) -> None:
    """Check one call, before the called token leaves the queue."""
    reason = str(entry.event.data.get("reason"))
    if reason.startswith(_BY_HAND):
        return
    tally.look("S4")
    call = f"Entry {entry.seq} calls token {token.token_id} ({entry.event.display_number}, {token.priority})"
    head = line.head(token.priority)
    if head != token.token_id:
        tally.blame("S4", department_id, f"{call}, but token {head} was ahead of it.")
    elif not reason.startswith(_OVERDUE):
        others = {name for name in Priority if name is not token.priority and line.head(name) is not None}
        if Priority.URGENT in others:
            tally.blame("S4", department_id, f"{call} while an urgent token waited.")
        elif reason.startswith(words.FIRST_IN_LINE) and others:
            tally.blame("S4", department_id, f"{call} as the only class, while {', '.join(sorted(others))} waited.")
