"""How the command line does what a refusal advises."""

from collections.abc import Mapping

from tokenq.contract.advice import Action, Advice
from tokenq.contract.problems import Problem

COMMANDS: Mapping[Action, str] = {
    Action.LOG_IN: "login",
    Action.CHANGE_PASSWORD: "passwd",
    Action.LIST_BRANCHES: "branch list",
    Action.LIST_DEPARTMENTS: "dept list",
    Action.LIST_COUNTERS: "counter list",
    Action.LIST_USERS: "user list",
    Action.LIST_KEYS: "key list",
    Action.LIST_DEAD_LETTERS: "notify dlq list",
    Action.SHOW_QUEUE: "queue DEPT",
    Action.WAIT_FOR_SOMEBODY: "queue {department}",
    Action.SHOW_TOKEN: "status {number}",
    Action.SHOW_HISTORY: "log {number}",
    Action.OPEN_DEPARTMENT: "dept open {department}",
    Action.ISSUE_BY_FORCE: "issue {department} --force",
    Action.ISSUE_BEFORE_OPENING: "issue {department} --force",
    Action.ISSUE_WITHOUT_HOURS: "issue {department} --force",
    Action.ISSUE_ANOTHER: "status TOKEN",
    Action.OPEN_COUNTER: "counter open {counter}",
    Action.TAKE_OVER: "counter open {counter} --take-over",
    Action.DECLARE_COUNTER: "counter declare {counter}",
    Action.CALL_NEXT: "call {department}",
    Action.RECALL: "recall {number}",
    Action.REQUEUE: "requeue {number}",
    Action.CHECK_PARTS: "doctor",
    Action.SEE_PARTS: "doctor",
    Action.MIGRATE: "server migrate",
    Action.MIGRATE_AGAIN: "server migrate",
    Action.REWIND: "server rewind",
}
"""The command of each action, after ``tokenq``; a repeat has none, since the command's key died with it."""

_LOOK = (
    "Look with 'tokenq queue DEPT' whether it was done before you repeat it. "
    "Only 'tokenq issue' with the same --idempotency-key is never done twice."
)


def hint_of(problem: Problem) -> str:
    """The hint of a refusal, in commands."""
    return in_commands(problem.advice) if problem.advice else problem.hint


def in_commands(advice: Advice) -> str:
    """Advice with the command that does it."""
    if advice.action is Action.REPEAT_WITH_KEY:
        return _LOOK
    return advice.text(f" with 'tokenq {COMMANDS[advice.action].format(**advice.params)}'")
