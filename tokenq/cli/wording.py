"""Refusals in terms of the command line: option names for fields, and commands for advice."""

import re
from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.advice import Action, Advice
from tokenq.contract.names import MAIN_BRANCH
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
    Action.LIST_COUNTERS: "counter list{in_branch}",
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
    Action.CHOOSE_COUNTER: "counter list{in_branch}",
    Action.ADD_COUNTER: "counter open {counter}{in_branch} --new",
    Action.CHOOSE_OR_ADD_COUNTER: "counter open {counter}{in_branch} --new",
    Action.OPEN_COUNTER: "counter open {counter}{in_branch}",
    Action.TAKE_OVER: "counter open {counter}{in_branch} --take-over",
    Action.DECLARE_COUNTER: "counter declare {counter}{in_branch}",
    Action.CALL_NEXT: "call {department}",
    Action.CALL_FIRST: "call {department}",
    Action.CALL_TOKEN: 'call --token {number} --counter {counter} --reason "why"',
    Action.RECALL: "recall {number}",
    Action.REQUEUE: "requeue {number}",
    Action.RESUME: "resume {number}",
    Action.SECURE_API: "up --lan",
    Action.MEND_ALL: "doctor --server",
    Action.CHECK_PARTS: "doctor",
    Action.SEE_PARTS: "doctor",
    Action.MIGRATE: "server migrate",
    Action.MIGRATE_AGAIN: "server migrate",
    Action.REWIND: "server rewind",
}
"""The command for each action, after ``tokenq``; a retry has none, since the idempotency key ended with the command.

``{in_branch}`` names the branch of a counter unless it is the main one.
"""

_LOOK = "Check whether it was done before you retry."


def sentence_of(problem: Problem) -> str:
    """Return what is wrong; fields of the request are named by their options."""
    field = str(problem.extra.get("field") or "")
    if problem.reason not in _FIELD or not field.isalpha():
        return locale.sentence(problem)
    return locale.sentence(problem, field=_TYPED.get(field) or setting_name(field))


def hint_of(problem: Problem) -> str:
    """Return what to do next, as a command."""
    return in_commands(problem.advice) if problem.advice else locale.hint(problem)


def in_commands(advice: Advice) -> str:
    """Return advice with its command, quoted for a shell; without the command if a parameter is missing."""
    if advice.action is Action.REPEAT_WITH_KEY:
        return _LOOK
    import shlex

    params = {name: shlex.quote(str(value)) for name, value in advice.params.items()}
    params["in_branch"] = in_branch(str(advice.params.get("branch") or ""))
    try:
        command = COMMANDS[advice.action].format_map(params)
    except KeyError:  # another release knows the action with fewer parameters
        return locale.advice(advice)
    # For translators: goes on behind a sentence such as "List the counters", which has no space at its end
    return locale.advice(advice, locale.texts().gettext(" with 'tokenq {command}'", command=command))


def in_branch(branch: str) -> str:
    """Return the option that names a branch, with a space before it; empty for the main one, which is the default."""
    import shlex

    return f" --branch {shlex.quote(branch)}" if branch not in ("", MAIN_BRANCH) else ""


def setting_name(field: str) -> str:
    """A department's setting as typed: ``daily-cap`` for ``dailyCap``."""
    return re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", field)
