"""Everything a person can want of the console, once: keys, footer, buttons, palette and help are made from this."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import AT_COUNTER, TokenState
from tokenq.contract.verbs import VERBS, Row, Verb
from tokenq.contract.views import TokenView
from tokenq_tui.console.state import State


class Needs(StrEnum):
    """What must be there before an action can be carried out."""

    NOTHING = "nothing"
    FREE_COUNTER = "free counter"
    HELD = "held"
    ROW = "row"
    PARKED = "parked"
    LAST = "last"
    OPEN_COUNTER = "open counter"
    SHUT_COUNTER = "shut counter"


@dataclass(frozen=True)
class ConsoleAction:
    """One thing to want. ``verb`` is the API's word when it is a move of a token; ``doubt`` asks before it is done."""

    name: str
    key: str
    label: str
    help: str
    needs: Needs = Needs.NOTHING
    verb: str = ""
    doubt: str = ""
    is_in_footer: bool = True

    @property
    def shown_key(self) -> str:
        """The key as people read it."""
        first = self.key.split(",")[0]
        return _SHOWN.get(first, first)


_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "enter": "⏎",
    "delete": "del",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
}

_HELPS = {
    Verb.SERVE: "The person is done.",
    Verb.PARK: "Set the person aside (asks until when).",
    Verb.CANCEL: "Cancel the token at your counter.",
    Verb.UNDO: "Take back what was done last here.",
}
"""Where the console's own words fit better than the table's."""
_IN_FOOTER = frozenset({Verb.RECALL, Verb.START, Verb.SERVE, Verb.PARK, Verb.TRANSFER, Verb.UNDO})


def _needs(verb: Verb, row: Row) -> Needs:
    if verb is Verb.UNDO:
        return Needs.LAST
    if AT_COUNTER & set(row.sources):
        return Needs.HELD
    if set(row.sources) == {TokenState.WAITING}:
        return Needs.ROW
    return Needs.PARKED if TokenState.PARKED in row.sources else Needs.NOTHING


def _of_table() -> Iterator[ConsoleAction]:
    """The verbs that have a key, about the token that they are possible for."""
    for verb, row in VERBS.items():
        if row.key:
            yield ConsoleAction(
                name=str(verb).replace("-", "_"),
                key=row.key,
                label=row.label,
                help=_HELPS.get(verb, row.help),
                needs=_needs(verb, row),
                verb=str(verb),
                doubt=row.doubt,
                is_in_footer=verb in _IN_FOOTER,
            )


ACTIONS = (
    ConsoleAction("call", "n", "Next", "Call the next person to your counter.", Needs.FREE_COUNTER),
    *_of_table(),
    ConsoleAction(
        "call_row",
        "enter",
        "Call this one",
        "Call the marked person (asks why).",
        Needs.ROW,
        is_in_footer=False,
    ),
    ConsoleAction(
        "cancel_row",
        "delete",
        "Cancel this one",
        "Cancel the marked person who waits.",
        Needs.ROW,
        "cancel",
        "Cancel {number}, who waits?",
        is_in_footer=False,
    ),
    ConsoleAction(
        "class_row", "y", "Class", "Change the class of the marked person.", Needs.ROW, "priority", is_in_footer=False
    ),
    ConsoleAction(
        "transfer_row",
        "T",
        "Transfer this one",
        "Send the marked person to another department.",
        Needs.ROW,
        "transfer",
        is_in_footer=False,
    ),
    ConsoleAction(
        "call_any",
        "N",
        "Next of all",
        "Call the next person of all your departments.",
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction("pause", "z", "Pause", "Pause your counter (asks why).", Needs.OPEN_COUNTER, is_in_footer=False),
    ConsoleAction("open", "o", "Open", "Open your counter again.", Needs.SHUT_COUNTER, is_in_footer=False),
    ConsoleAction(
        "serve_next",
        "V",
        "Serve next at once",
        "Call and serve the next person in one step.",
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction(
        "next_department", "right_square_bracket", "Department", "Look at the next department.", is_in_footer=False
    ),
    ConsoleAction(
        "previous_department",
        "left_square_bracket",
        "Previous department",
        "Look at the previous department.",
        is_in_footer=False,
    ),
    ConsoleAction("counter", "k", "Counter", "Work at another counter.", is_in_footer=False),
    ConsoleAction("refresh", "f5", "Refresh", "Fetch the queues again.", is_in_footer=False),
    ConsoleAction("help", "question_mark,f1", "Help", "Show all keys."),
    ConsoleAction("find", "slash", "Find", "Find somebody in the line by number or name."),
    ConsoleAction("quit", "q", "Quit", "Leave; your counter closes if it is free."),
)

BUTTONS = (
    "call",
    "recall",
    "start",
    "serve",
    "park",
    "transfer",
    "requeue",
    "no_show",
    "cancel",
    "undo",
    "pause",
    "open",
)
"""The actions that also have a button."""


def action_named(name: str) -> ConsoleAction:
    """The action of that name."""
    return next(each for each in ACTIONS if each.name == name)


def is_offered(wanted: ConsoleAction, state: State, row: TokenView | None) -> bool:
    """Whether it can be done now: ``row`` is the marked person who waits."""
    match wanted.needs:
        case Needs.NOTHING:
            return True
        case Needs.FREE_COUNTER:
            return bool(state.departments) and state.held is None and not state.is_paused
        case Needs.HELD:
            return state.held is not None and wanted.verb in state.held["moves"]
        case Needs.PARKED:
            return bool(state.queue and state.queue["parked"])
        case Needs.LAST:
            return state.undoable is not None
        case Needs.OPEN_COUNTER:
            return bool(state.counter) and not state.is_shut
        case Needs.SHUT_COUNTER:
            return bool(state.counter) and state.is_shut
        case Needs.ROW:
            return row is not None and (wanted.verb in row["moves"] if wanted.verb else state.held is None)


ASKING = frozenset(
    {"park", "transfer", "call_row", "class_row", "transfer_row", "resume", "reinstate", "pause", "no_show", "cancel"}
    | {"cancel_row", "undo"}
)
"""The actions that ask something first: what is typed after their keys is meant as the answer."""


def why_not(wanted: ConsoleAction, state: State, row: TokenView | None) -> str:
    """Why it cannot be done now, for one that is not offered."""
    held = state.held
    is_about_us = wanted.needs is Needs.FREE_COUNTER or (wanted.needs is Needs.ROW and not wanted.verb)
    if held and is_about_us:
        return f"{held['displayNumber']} is still at your counter."
    match wanted.needs:
        case Needs.HELD if held:
            return _not_now(wanted, held)
        case Needs.HELD:
            return "Nobody is at your counter."
        case Needs.ROW:
            return _not_now(wanted, row) if row else "Nobody is marked in the list."
        case Needs.PARKED:
            return "Nobody is parked here."
        case Needs.LAST:
            return "There is nothing to take back."
        case Needs.SHUT_COUNTER:
            return "Your counter is open."
        case Needs.FREE_COUNTER if not state.is_paused:
            return "The queue is not known yet."
        case _:
            return "Your counter is not open: press o." if state.counter else "You have no counter yet: press k."


def too_early(state: State, token: TokenView) -> str:
    """Why the person does not count as a no-show yet; empty if nothing is known against it."""
    wanted, calls = state.calls_before_no_show(token), token["calls"]
    if calls >= wanted:
        return ""
    return f"{token['displayNumber']} was called {calls} of {wanted} times. Call again first: press r."


def _not_now(wanted: ConsoleAction, token: TokenView) -> str:
    return f"{token['displayNumber']} is {token['state'].lower()}: '{wanted.label}' is not possible now."
