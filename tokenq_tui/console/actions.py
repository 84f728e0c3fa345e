"""The console's actions; keys, footer, buttons, palette and help are generated from them.

Their texts are translated where they are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import AT_COUNTER, TokenState
from tokenq.contract.verbs import VERBS, Row, Verb
from tokenq.locale import N_, texts


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
    """One action, with its usual keys.

    ``verb`` is the API's name if it moves a token; ``confirmation`` is the question asked before it. One that
    ``is_for_marked`` acts on all marked rows, if there are any.
    """

    name: str
    key: str
    label: str
    help: str
    needs: Needs = Needs.NOTHING
    verb: str = ""
    confirmation: str = ""
    is_in_footer: bool = True
    is_for_marked: bool = False

    @property
    def shown_label(self) -> str:
        """The label in the reader's language."""
        return texts().gettext(self.label)

    @property
    def shown_help(self) -> str:
        """The help in the reader's language."""
        return texts().gettext(self.help)


_HELPS = {
    Verb.SERVE: N_("Mark the token as served."),
    Verb.PARK: N_("Set the customer aside (asks until when)."),
    Verb.CANCEL: N_("Cancel the token at your counter."),
    Verb.UNDO: N_("Undo the last action from this console."),
}
"""Help texts that differ from the table of verbs."""
_IN_FOOTER = frozenset({Verb.RECALL, Verb.START, Verb.SERVE, Verb.PARK, Verb.UNDO})


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
    ConsoleAction("call", "n", N_("Next"), N_("Call the next customer to your counter."), Needs.FREE_COUNTER),
    *_verb_actions(),
    ConsoleAction(
        "call_row",
        "enter",
        N_("Call this one"),
        N_("Call the selected customer (asks why)."),
        Needs.ROW,
        is_in_footer=False,
    ),
    ConsoleAction(
        "cancel_row",
        "delete",
        N_("Cancel this one"),
        N_("Cancel the selected or all marked tokens."),
        Needs.ROW,
        "cancel",
        N_("Cancel the waiting {number}?"),
        is_in_footer=False,
        is_for_marked=True,
    ),
    ConsoleAction(
        "class_row",
        "y",
        N_("Class"),
        N_("Change the class of the selected token."),
        Needs.ROW,
        "priority",
        is_in_footer=False,
    ),
    ConsoleAction(
        "transfer_row",
        "T",
        N_("Transfer this one"),
        N_("Send the selected or all marked ones elsewhere."),
        Needs.ROW,
        "transfer",
        is_in_footer=False,
        is_for_marked=True,
    ),
    ConsoleAction(
        "edit_row",
        "E",
        N_("Edit this one"),
        N_("Correct the selected customer's details."),
        Needs.ROW,
        "edit",
        is_in_footer=False,
    ),
    ConsoleAction(
        "call_any",
        "N",
        N_("Next of all"),
        N_("Call the next customer of all your departments."),
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction(
        "pause", "z", N_("Pause"), N_("Pause your counter (asks why)."), Needs.OPEN_COUNTER, is_in_footer=False
    ),
    ConsoleAction("open", "o", N_("Open"), N_("Open your counter again."), Needs.SHUT_COUNTER, is_in_footer=False),
    ConsoleAction(
        "serve_next",
        "V",
        N_("Serve next at once"),
        N_("Call and serve the next customer in one step."),
        Needs.FREE_COUNTER,
        is_in_footer=False,
    ),
    ConsoleAction(
        "next_department", "right_square_bracket", N_("Department"), N_("Show the next department."), is_in_footer=False
    ),
    ConsoleAction(
        "previous_department",
        "left_square_bracket",
        N_("Previous department"),
        N_("Show the previous department."),
        is_in_footer=False,
    ),
    ConsoleAction(
        "mark",
        "space",
        N_("Mark"),
        N_("Mark the selected customer, or remove the mark."),
        Needs.ROW,
        is_in_footer=False,
    ),
    ConsoleAction("unmark", "asterisk", N_("Unmark all"), N_("Remove all marks."), is_in_footer=False),
    ConsoleAction("counter", "k", N_("Counter"), N_("Work at another counter."), is_in_footer=False),
    ConsoleAction("refresh", "f5", N_("Refresh"), N_("Fetch the queues again."), is_in_footer=False),
    ConsoleAction("help", "question_mark,f1", N_("Help"), N_("Show all keys.")),
    ConsoleAction("find", "slash", N_("Find"), N_("Find a customer by number or name.")),
    ConsoleAction("palette", "ctrl+p", N_("Actions"), N_("Search all actions by their names.")),
    ConsoleAction("quit", "q", N_("Quit"), N_("Leave; your counter closes if it is free.")),
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


FOOTER_FIRST = ("help", "find", "palette", "quit")
"""The actions that lead to all others, and out: the footer of the narrowest terminal has room for them."""


def action_named(name: str) -> ConsoleAction:
    """The action of that name."""
    return next(action for action in ACTIONS if action.name == name)


ASKING = frozenset(
    {"park", "transfer", "call_row", "class_row", "transfer_row", "resume", "reinstate", "pause", "no_show", "cancel"}
    | {"cancel_row", "edit_row", "undo"}
)
"""The actions that ask something first, so that keys typed next are meant for the dialog."""
