"""Which actions are possible now, and why the others are not."""

from tokenq.contract.views import TokenView
from tokenq.locale import N_, texts
from tokenq_tui.console.actions import ConsoleAction, Needs
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.state import State

_STATES = {
    "WAITING": N_("{number} is waiting: '{action}' is not possible now."),
    "CALLED": N_("{number} is called: '{action}' is not possible now."),
    "SERVING": N_("{number} is in service: '{action}' is not possible now."),
    "PARKED": N_("{number} is parked: '{action}' is not possible now."),
}


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
            rows = state.marked if action.is_for_marked and state.marks else (row,)
            return any(each is not None and _is_possible_for(action, state, each) for each in rows)


def _is_possible_for(action: ConsoleAction, state: State, row: TokenView) -> bool:
    if action.verb:
        return action.verb in row["moves"]
    return action.name == "mark" or state.held is None


def why_unavailable(action: ConsoleAction, state: State, row: TokenView | None) -> str:
    """Return why an action is not possible now."""
    held, said = state.held, texts()
    needs_free_counter = action.needs is Needs.FREE_COUNTER or action.name == "call_row"
    if held and needs_free_counter:
        return said.gettext("{number} is still at your counter.", number=held["displayNumber"])
    match action.needs:
        case Needs.HELD if held:
            return _not_now(action, held)
        case Needs.HELD:
            return said.gettext("Nobody is at your counter.")
        case Needs.ROW:
            return _not_now(action, row) if row else said.gettext("No row is selected in the list.")
        case Needs.PARKED:
            return said.gettext("Nobody is parked here.")
        case Needs.LAST:
            return said.gettext("There is nothing to undo.")
        case Needs.SHUT_COUNTER:
            return said.gettext("Your counter is open.")
        case Needs.FREE_COUNTER if not state.is_paused:
            return said.gettext("The queue is not loaded yet.")
        case _:
            if state.counter:
                return said.gettext("Your counter is not open: press {key}.", key=shown_key("open", state.keys))
            return said.gettext("No counter chosen yet: press {key}.", key=shown_key("counter", state.keys))


def too_early(state: State, token: TokenView) -> str:
    """Return why the token cannot be a no-show yet; empty if it can, as far as we know."""
    required, calls = state.calls_before_no_show(token), token["calls"]
    if calls >= required:
        return ""
    return texts().gettext(
        "{number} was called {calls} of {required} times. Call again first: press {key}.",
        number=token["displayNumber"],
        calls=calls,
        required=required,
        key=shown_key("recall", state.keys),
    )


def _not_now(action: ConsoleAction, token: TokenView) -> str:
    sentence = _STATES.get(token["state"], N_("'{action}' is not possible for {number} now."))
    return texts().gettext(sentence, number=token["displayNumber"], action=action.shown_label)
