"""A refusal in the words of the command line: what was typed, and the command that does what is advised."""

import re
from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.advice import Action, Advice
from tokenq.contract.problems import Problem
from tokenq.contract.reasons.system import FieldReason

_TYPED = {
    "counterId": "The counter's name",
    "maxWaitMinutes": "--max-wait",
    "numberFormat": "--number-format",
    "prefix": "--prefix",
    "branchId": "The branch's id",
    "departmentId": "The department's id",
    "untilMinutes": "--for",
    "username": "The user name",
    "name": "The name",
    "label": "The label",
    "email": "The e-mail address",
    "reason": "--reason",
    "userId": "--user",
    "nearTurn": "--near",
    "rolloverHour": "--rollover-hour",
}
_FIELD = frozenset(reason.id for reason in FieldReason)

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
    Action.FIND_TOKEN: "queue DEPT",
    Action.WAIT_FOR_SOMEBODY: "queue {department}",
    Action.SHOW_TOKEN: "status {number}",
    Action.SHOW_HISTORY: "log {number}",
    Action.CHOOSE_DEPARTMENT_ID: "dept create NAME --id CW",
    Action.OPEN_DEPARTMENT: "dept open {department}",
    Action.ISSUE_BY_FORCE: "issue {department} --force",
    Action.ISSUE_BEFORE_OPENING: "issue {department} --force",
    Action.ISSUE_WITHOUT_HOURS: "issue {department} --force",
    Action.ISSUE_ANOTHER: "status TOKEN",
    Action.OPEN_COUNTER: "counter open {counter}",
    Action.TAKE_OVER: "counter open {counter} --take-over",
    Action.DECLARE_COUNTER: "counter declare {counter}",
    Action.CALL_NEXT: "call {department}",
    Action.CALL_FIRST: "call {department}",
    Action.CALL_TOKEN: 'call --token {number} --counter {counter} --reason "why"',
    Action.RECALL: "recall {number}",
    Action.REQUEUE: "requeue {number}",
    Action.RESUME: "resume {number}",
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


def sentence_of(problem: Problem) -> str:
    """What is wrong; a field of the request is called what was typed for it."""
    field = str(problem.extra.get("field") or "")
    if problem.reason not in _FIELD or not field.isalpha():
        return locale.sentence(problem)
    return locale.sentence(problem, field=_TYPED.get(field) or _setting(field))


def hint_of(problem: Problem) -> str:
    """What to do next, in commands."""
    return in_commands(problem.advice) if problem.advice else locale.hint(problem)


def in_commands(advice: Advice) -> str:
    """Advice with the command that does it."""
    if advice.action is Action.REPEAT_WITH_KEY:
        return _LOOK
    return locale.advice(advice, f" with 'tokenq {COMMANDS[advice.action].format_map(advice.params)}'")


def _setting(field: str) -> str:
    """``dailyCap`` is typed ``daily-cap``, and so are all settings of a department; a test holds them to it."""
    return re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", field)
