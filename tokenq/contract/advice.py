"""What to do next after a refusal, as an action with parameters.

The edge that shows it knows how the action is done there: by a command, by a key, or not at all. ``{how}`` is the place
for that in the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What somebody can do next: its name on the wire, and its sentence in English."""

    sentence: str

    LOG_IN = "login", "Log in{how}."
    CHANGE_PASSWORD = "password.change", "Change it{how}."
    LIST_BRANCHES = "branch.list", "List the branches{how}."
    LIST_DEPARTMENTS = "department.list", "List the departments{how}."
    LIST_COUNTERS = "counter.list", "List the counters{how}."
    LIST_USERS = "user.list", "List the users{how}."
    LIST_KEYS = "key.list", "List the keys{how}."
    LIST_DEAD_LETTERS = "deadLetter.list", "List the dead letters{how}."
    SHOW_QUEUE = "queue.show", "See who is waiting{how}."
    FIND_TOKEN = "token.find", "See who is waiting{how}. For a token of another day, give its id, such as id:101."
    WAIT_FOR_SOMEBODY = "queue.wait", "Wait for the next person, or look at the queue{how}."
    SHOW_TOKEN = "token.show", "Look at {number}{how}, or cancel it first."
    SHOW_HISTORY = "token.history", "See what happened to it{how}."
    CHOOSE_DEPARTMENT_ID = "department.chooseId", "Choose one yourself, such as CW{how}."
    OPEN_DEPARTMENT = "department.open", "An admin can open it{how}."
    ISSUE_BY_FORCE = "issue.force", "Staff can still issue one{how}."
    ISSUE_BEFORE_OPENING = "issue.beforeOpening", "It opens on {when}; staff can still issue one{how}."
    ISSUE_WITHOUT_HOURS = "issue.withoutHours", "It has no opening hours ahead; staff can still issue one{how}."
    ISSUE_ANOTHER = "issue.another", "Issue a new number; see who has this one{how}."
    OPEN_COUNTER = "counter.open", "Open it{how}."
    TAKE_OVER = "counter.takeOver", "Choose another counter, or take it over{how}."
    DECLARE_COUNTER = "counter.declare", "Open it without departments, or let an admin declare what it serves{how}."
    CALL_NEXT = "call.next", "Call the next one{how}, or ask an admin."
    CALL_FIRST = "call.first", "For the token, type id:{id}; for the department, call the next one first{how}."
    CALL_TOKEN = "call.token", "Call one token{how}."
    RECALL = "recall", "Call it again{how}."
    REQUEUE = "requeue", "Put it back in the queue instead{how}."
    RESUME = "resume", "Put it back in the queue{how}."
    REPEAT_WITH_KEY = (
        "repeat",
        "Repeat it with the same idempotency key in a few seconds: it will not be done twice.",
    )
    CHECK_PARTS = "doctor", "Start it and try again; see what is wrong{how}."
    SEE_PARTS = "doctor.see", "See what is wrong{how}."
    MIGRATE = "migrate", "Make a backup and bring the tables up to date{how}."
    MIGRATE_AGAIN = (
        "migrate.again",
        "End long transactions (see pg_stat_activity) and bring the tables up to date again{how}; "
        "it goes on where it was.",
    )
    REWIND = (
        "rewind",
        "If the database was restored from a backup, mend it{how}: that shows what is missing and asks first.",
    )

    def __new__(cls, name: str, sentence: str = "") -> "Action":
        """An action is its name, by which it is found; the sentence is an attribute of it."""
        action = str.__new__(cls, name)
        action._value_ = name
        action.sentence = sentence
        return action


_PARAMS = ("number", "department", "counter", "when", "id")
"""What an action can be about."""


@dataclass(frozen=True)
class Advice:
    """An action, and what it is about."""

    action: Action
    params: Mapping[str, Any] = field(default_factory=dict)

    def text(self, how: str = "") -> str:
        """The sentence in English; ``how`` says in the words of its reader how that is done."""
        return self.fill(self.action.sentence, how)

    def fill(self, template: str, how: str = "") -> str:
        """A sentence for this action in any language, with what it is about."""
        return template.format_map({**self.params, "how": how})

    def to_wire(self) -> dict[str, Any]:
        """The JSON that a client reads."""
        return {"name": str(self.action), "params": dict(self.params)}


def about(action: Action, params: Mapping[str, Any]) -> Advice:
    """The action with those of a refusal's parameters that it can be about."""
    return Advice(action, {name: params[name] for name in _PARAMS if name in params})


def from_wire(body: Any) -> Advice | None:
    """Read a server's advice; ``None`` if there is none, or one that this release does not know."""
    try:
        advice = Advice(Action(body["name"]), {str(name): value for name, value in body["params"].items()})
        advice.text()
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return None
    return advice
