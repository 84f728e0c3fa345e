"""What to do next after a refusal, as an action with parameters.

The edge that shows it knows how the action is done there: by a command, by a key, or not at all. ``{how}`` is the place
for that in the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What somebody can do next."""

    LOG_IN = "login"
    CHANGE_PASSWORD = "password.change"
    LIST_BRANCHES = "branch.list"
    LIST_DEPARTMENTS = "department.list"
    LIST_COUNTERS = "counter.list"
    LIST_USERS = "user.list"
    LIST_KEYS = "key.list"
    LIST_DEAD_LETTERS = "deadLetter.list"
    SHOW_QUEUE = "queue.show"
    WAIT_FOR_SOMEBODY = "queue.wait"
    SHOW_TOKEN = "token.show"
    SHOW_HISTORY = "token.history"
    OPEN_DEPARTMENT = "department.open"
    ISSUE_BY_FORCE = "issue.force"
    ISSUE_BEFORE_OPENING = "issue.beforeOpening"
    ISSUE_WITHOUT_HOURS = "issue.withoutHours"
    ISSUE_ANOTHER = "issue.another"
    OPEN_COUNTER = "counter.open"
    TAKE_OVER = "counter.takeOver"
    DECLARE_COUNTER = "counter.declare"
    CALL_NEXT = "call.next"
    RECALL = "recall"
    REQUEUE = "requeue"
    REPEAT_WITH_KEY = "repeat"
    CHECK_PARTS = "doctor"
    SEE_PARTS = "doctor.see"
    MIGRATE = "migrate"
    MIGRATE_AGAIN = "migrate.again"
    REWIND = "rewind"


_SENTENCES: Mapping[Action, str] = {
    Action.LOG_IN: "Log in{how}.",
    Action.CHANGE_PASSWORD: "Change it{how}.",
    Action.LIST_BRANCHES: "List the branches{how}.",
    Action.LIST_DEPARTMENTS: "List the departments{how}.",
    Action.LIST_COUNTERS: "List the counters{how}.",
    Action.LIST_USERS: "List the users{how}.",
    Action.LIST_KEYS: "List the keys{how}.",
    Action.LIST_DEAD_LETTERS: "List the dead letters{how}.",
    Action.SHOW_QUEUE: "See who waits{how}.",
    Action.WAIT_FOR_SOMEBODY: "Wait for somebody to come, or look at the queue{how}.",
    Action.SHOW_TOKEN: "Look at {number}{how}, or cancel it first.",
    Action.SHOW_HISTORY: "See what happened to it{how}.",
    Action.OPEN_DEPARTMENT: "An admin can open it{how}.",
    Action.ISSUE_BY_FORCE: "Staff can still issue one{how}.",
    Action.ISSUE_BEFORE_OPENING: "It opens on {when}; staff can still issue one{how}.",
    Action.ISSUE_WITHOUT_HOURS: "It has no opening hours ahead; staff can still issue one{how}.",
    Action.ISSUE_ANOTHER: "Issue a new number; see who has this one{how}.",
    Action.OPEN_COUNTER: "Open it{how}.",
    Action.TAKE_OVER: "Choose another counter, or take it over{how}.",
    Action.DECLARE_COUNTER: "Open it without departments, or let an admin declare what it serves{how}.",
    Action.CALL_NEXT: "Call the next one{how}, or ask an admin.",
    Action.RECALL: "Call it again{how}.",
    Action.REQUEUE: "Put it back in line instead{how}.",
    Action.REPEAT_WITH_KEY: "Repeat it with the same idempotency key in a few seconds: it will not be done twice.",
    Action.CHECK_PARTS: "Start it and try again; see what is wrong{how}.",
    Action.SEE_PARTS: "See what is wrong{how}.",
    Action.MIGRATE: "Make a back-up and bring the tables up to date{how}.",
    Action.MIGRATE_AGAIN: "End long transactions (see pg_stat_activity) and bring the tables up to date again{how}; "
    "it goes on where it was.",
    Action.REWIND: "If it was restored from a back-up, mend it{how}: that shows what is missing and asks first.",
}


@dataclass(frozen=True)
class Advice:
    """An action, and what it is about."""

    action: Action
    params: Mapping[str, Any] = field(default_factory=dict)

    def text(self, how: str = "") -> str:
        """The sentence in English; ``how`` says in the words of its reader how that is done."""
        return _SENTENCES[self.action].format(**self.params, how=how)

    def to_wire(self) -> dict[str, Any]:
        """The JSON that a client reads."""
        return {"name": str(self.action), "params": dict(self.params)}


def advise(action: Action, **params: Any) -> Advice:
    """Advice for a refusal."""
    return Advice(action, params)


def from_wire(body: Any) -> Advice | None:
    """Read a server's advice; ``None`` if there is none, or one that this release does not know."""
    try:
        advice = Advice(Action(body["name"]), {str(name): value for name, value in body["params"].items()})
        advice.text()
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return None
    return advice
