"""The console's actions; keys, footer, buttons, palette and help are generated from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import AT_COUNTER, TokenState
from tokenq.contract.verbs import VERBS, Row, Verb
from tokenq.contract.views import TokenView
from tokenq_tui.console.state import State


class Needs(StrEnum):
    """The precondition of an action."""

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
    """One action. ``verb`` is the API's name if it moves a token; ``confirmation`` is the question asked before it."""

    name: str
    key: str
    label: str
    help: str
    needs: Needs = Needs.NOTHING
    verb: str = ""
    confirmation: str = ""
    is_in_footer: bool = True

    @property
    def shown_key(self) -> str:
        """The key as displayed."""
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
    Verb.SERVE: "Mark the token as served.",
    Verb.PARK: "Set the customer aside (asks until when).",
    Verb.CANCEL: "Cancel the token at your counter.",
    Verb.UNDO: "Undo the last action from this console.",
}
"""Help texts that differ from the table of verbs."""
_IN_FOOTER = frozenset({Verb.RECALL, Verb.START, Verb.SERVE, Verb.PARK, Verb.TRANSFER, Verb.UNDO})


def _needs(verb: Verb, row: Row) -> Needs:
    if verb is Verb.UNDO:
        return Needs.LAST
    if AT_COUNTER & set(row.sources):
        return Needs.HELD
    if set(row.sources) == {TokenState.WAITING}:
        return Needs.ROW
    return Needs.PARKED if TokenState.PARKED in row.sources else Needs.NOTHING


def _verb_actions() -> Iterator[ConsoleAction]:
    """The verbs that have a key."""
    for verb, row in VERBS.items():
        if row.key:
            yield ConsoleAction(
                name=str(verb).replace("-", "_"),
                key=row.key,
                label=row.label,
                help=_HELPS.get(verb, row.help),
                needs=_needs(verb, row),
                verb=str(verb),
                confirmation=row.confirmation,
                is_in_footer=verb in _IN_FOOTER,
            )


ACTIONS = (
    ConsoleAction("call", "n", "Next", "Call the next customer to your counter.", Needs.FREE_COUNTER),
    *_verb_actions(),
    ConsoleAction(
        "call_row",
        "enter",
        "Call this one",
        "Call the selected customer (asks why).",
        Needs.ROW,
        is_in_footer=False,
    ),
    ConsoleAction(
        "cancel_row",
        "delete",
        "Cancel this one",
        "Cancel the selected token.",
        Needs.ROW,
        "cancel",
        "Cancel the waiting {number}?",
        is_in_footer=False,
    ),
    ConsoleAction(
        "class_row", "y", "Class", "Change the class of the selected token.", Needs.ROW, "priority", is_in_footer=False
    ),
    ConsoleAction(
        "transfer_row",
        "T",
        "Transfer this one",
        "Send the selected customer to another department.",
        Needs.ROW,
        "transfer",
        is_in_footer=False,
    ),
    ConsoleAction(
        "edit_row",
        "E",
        "Edit this one",
        "Correct the selected customer's details.",
        Needs.ROW,
        "edit",
        is_in_footer=False,
    ),
    ConsoleAction(
        "call_any",
        "N",
        "Next of all",
        "Call the next customer of all your departments.",
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction("pause", "z", "Pause", "Pause your counter (asks why).", Needs.OPEN_COUNTER, is_in_footer=False),
    ConsoleAction("open", "o", "Open", "Open your counter again.", Needs.SHUT_COUNTER, is_in_footer=False),
    ConsoleAction(
        "serve_next",
        "V",
        "Serve next at once",
        "Call and serve the next customer in one step.",
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction(
        "next_department", "right_square_bracket", "Department", "Show the next department.", is_in_footer=False
    ),
    ConsoleAction(
        "previous_department",
        "left_square_bracket",
        "Previous department",
        "Show the previous department.",
        is_in_footer=False,
    ),
    ConsoleAction("counter", "k", "Counter", "Work at another counter.", is_in_footer=False),
    ConsoleAction("refresh", "f5", "Refresh", "Fetch the queues again.", is_in_footer=False),
    ConsoleAction("help", "question_mark,f1", "Help", "Show all keys."),
    ConsoleAction("find", "slash", "Find", "Find a customer by number or name."),
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
    return next(action for action in ACTIONS if action.name == name)


def is_available(action: ConsoleAction, state: State, row: TokenView | None) -> bool:
    """Return whether an action is possible now; ``row`` is the selected waiting token."""
    match action.needs:
        case Needs.NOTHING:
            return True
        case Needs.FREE_COUNTER:
            return bool(state.departments) and state.held is None and not state.is_paused
        case Needs.HELD:
            return state.held is not None and action.verb in state.held["moves"]
        case Needs.PARKED:
            return bool(state.queue and state.queue["parked"])
        case Needs.LAST:
            return state.undoable is not None
        case Needs.OPEN_COUNTER:
            return bool(state.counter) and not state.is_shut
        case Needs.SHUT_COUNTER:
            return bool(state.counter) and state.is_shut
        case Needs.ROW:
            return row is not None and (action.verb in row["moves"] if action.verb else state.held is None)


ASKING = frozenset(
    {"park", "transfer", "call_row", "class_row", "transfer_row", "resume", "reinstate", "pause", "no_show", "cancel"}
    | {"cancel_row", "edit_row", "undo"}
)
"""The actions that ask something first, so that keys typed next are meant for the dialog."""


def why_unavailable(action: ConsoleAction, state: State, row: TokenView | None) -> str:
    """Return why an action is not possible now."""
    held = state.held
    needs_free_counter = action.needs is Needs.FREE_COUNTER or (action.needs is Needs.ROW and not action.verb)
    if held and needs_free_counter:
        return f"{held['displayNumber']} is still at your counter."
    match action.needs:
        case Needs.HELD if held:
            return _not_now(action, held)
        case Needs.HELD:
            return "Nobody is at your counter."
        case Needs.ROW:
            return _not_now(action, row) if row else "No row is selected in the list."
        case Needs.PARKED:
            return "Nobody is parked here."
        case Needs.LAST:
            return "There is nothing to undo."
        case Needs.SHUT_COUNTER:
            return "Your counter is open."
        case Needs.FREE_COUNTER if not state.is_paused:
            return "The queue is not loaded yet."
        case _:
            return "Your counter is not open: press o." if state.counter else "No counter chosen yet: press k."


def too_early(state: State, token: TokenView) -> str:
    """Return why the token cannot be a no-show yet; empty if it can, as far as we know."""
    required, calls = state.calls_before_no_show(token), token["calls"]
    if calls >= required:
        return ""
    return f"{token['displayNumber']} was called {calls} of {required} times. Call again first: press r."


def _not_now(action: ConsoleAction, token: TokenView) -> str:
    return f"{token['displayNumber']} is {token['state'].lower()}: '{action.label}' is not possible now."
