"""Advice after a refusal, as keys of the console."""

from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.advice import Action
from tokenq.contract.problems import Problem
from tokenq.contract.verbs import VERBS
from tokenq.locale import N_, texts
from tokenq_tui.console.keys import shown_key

_ACTIONS: Mapping[Action, str] = {
    Action.OPEN_COUNTER: "open",
    Action.TAKE_OVER: "counter",
    Action.CALL_NEXT: "call",
    Action.RECALL: "recall",
    Action.REQUEUE: "requeue",
}
"""The console action for each advice that has a key."""
_AS_IT_IS = frozenset(
    {
        Action.WAIT_FOR_SOMEBODY,
        Action.OPEN_DEPARTMENT,
        Action.DECLARE_COUNTER,
        Action.ISSUE_ANOTHER,
    }
)
"""Advice that is useful without a key. The rest is for the shell and is not shown here."""
_HERE: Mapping[Action, str] = {
    Action.CHOOSE_COUNTER: N_("Did you mean {similar}?"),
    Action.ADD_COUNTER: N_("Type one of these, or ask an admin to declare it."),
    Action.CHOOSE_OR_ADD_COUNTER: N_("Did you mean {similar}? If not, ask an admin to declare {counter}."),
}
"""What the console says where an action's own sentence speaks of what only a command does."""


def hint_of(problem: Problem, keys: Mapping[str, str]) -> str:
    """Return a refusal's hint, with the key to press."""
    advice = problem.advice
    if advice is None:
        return locale.hint(problem, **verbs_of(problem))
    if advice.action in _ACTIONS:
        key = shown_key(_ACTIONS[advice.action], keys)
        return locale.advice(advice, texts().gettext(" (press {key})", key=key))
    if advice.action in _HERE:
        return texts().gettext(_HERE[advice.action], **advice.params)
    return locale.advice(advice) if advice.action in _AS_IT_IS else ""


def verbs_of(problem: Problem) -> dict[str, str]:
    """Return the parameters of a refusal that are verbs, as the console calls them."""
    named = {name: problem.params[name] for name in ("verb", "allowed") if name in problem.params}
    return {name: ", ".join(map(_label, said if isinstance(said, list) else [said])) for name, said in named.items()}


def _label(verb: object) -> str:
    row = next((row for known, row in VERBS.items() if known == verb), None)
    return texts().gettext(row.label) if row and row.label else str(verb)
