"""Advice after a refusal, as keys of the console."""

from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.advice import Action
from tokenq.contract.problems import Problem
from tokenq_tui.console.actions import action_named

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
    Action.CHOOSE_COUNTER: "Did you mean {similar}?",
    Action.ADD_COUNTER: "Type one of these, or ask an admin to declare it.",
    Action.CHOOSE_OR_ADD_COUNTER: "Did you mean {similar}? If not, ask an admin to declare {counter}.",
}
"""What the console says where an action's own sentence speaks of what only a command does."""


def hint_of(problem: Problem) -> str:
    """Return a refusal's hint, with the key to press."""
    advice = problem.advice
    if advice is None:
        return locale.hint(problem)
    if advice.action in _ACTIONS:
        return locale.advice(advice, f" (press {action_named(_ACTIONS[advice.action]).shown_key})")
    if advice.action in _HERE:
        return _HERE[advice.action].format_map(advice.params)
    return locale.advice(advice) if advice.action in _AS_IT_IS else ""
