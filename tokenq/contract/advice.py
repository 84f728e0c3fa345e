"""What to do next after a refusal, as an action with parameters.

The edge that shows it knows how the action is done there: by a command, by a key, or not at all. That text replaces
``{how}`` in the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """A next step: its name on the wire and its sentence in English."""

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
    FIND_TOKEN = "token.find", "See who is waiting{how}. For a token of another day, use its id, such as id:101."
    WAIT_FOR_SOMEBODY = "queue.wait", "Wait for the next customer, or check the queue{how}."
    SHOW_TOKEN = "token.show", "Check {number}{how}, or cancel it first."
    SHOW_HISTORY = "token.history", "See its history{how}."
    CHOOSE_DEPARTMENT_ID = "department.chooseId", "Choose an id yourself, such as CW{how}."
    OPEN_DEPARTMENT = "department.open", "An admin can open it{how}."
    ISSUE_BY_FORCE = "issue.force", "Staff can still issue one{how}."
    ISSUE_BEFORE_OPENING = "issue.beforeOpening", "It opens on {when}; staff can still issue one{how}."
    ISSUE_WITHOUT_HOURS = "issue.withoutHours", "No opening hours are scheduled; staff can still issue one{how}."
    ISSUE_ANOTHER = "issue.another", "Issue a new number, or see who holds this one{how}."
    CHOOSE_COUNTER = "counter.choose", "Did you mean {similar}? List the counters{how}."
    ADD_COUNTER = "counter.add", "An admin can declare it; staff can open it as a new counter{how}."
    CHOOSE_OR_ADD_COUNTER = (
        "counter.chooseOrAdd",
        "Did you mean {similar}? If not, an admin can declare {counter}; staff can open it as a new counter{how}.",
    )
    OPEN_COUNTER = "counter.open", "Open it{how}."
    TAKE_OVER = "counter.takeOver", "Choose another counter, or take it over{how}."
    DECLARE_COUNTER = "counter.declare", "Open it without departments, or ask an admin to change what it serves{how}."
    CALL_NEXT = "call.next", "Call the next customer{how}, or ask an admin."
    CALL_FIRST = "call.first", "For the token, type id:{id}; for the department, call the next customer first{how}."
    CALL_TOKEN = "call.token", "Call a specific token{how}."
    RECALL = "recall", "Call it again{how}."
    REQUEUE = "requeue", "Put it back in the queue instead{how}."
    RESUME = "resume", "Put it back in the queue{how}."
    REPEAT_WITH_KEY = (
        "repeat",
        "Retry in a few seconds with the same idempotency key; it will not be done twice.",
    )
    SECURE_API = (
        "api.secure",
        "Set TOKENQ_TLS_CERT, or listen on 127.0.0.1 behind a proxy and name it in TOKENQ_TRUSTED_PROXIES. "
        "A system on one machine can make its own certificate{how}.",
    )
    MEND_ALL = (
        "production.mend",
        "Mend all of them, check{how}, and start again; or set TOKENQ_ENV=development on a test system.",
    )
    CHECK_PARTS = "doctor", "Start it and try again; check all components{how}."
    SEE_PARTS = "doctor.see", "Check all components{how}."
    MIGRATE = "migrate", "Make a backup, then migrate the database{how}."
    MIGRATE_AGAIN = (
        "migrate.again",
        "End long transactions (see pg_stat_activity) and migrate again{how}; it continues where it stopped.",
    )
    REWIND = (
        "rewind",
        "If the database was restored from a backup, recover it{how}: that shows what is missing and asks first.",
    )

    def __new__(cls, name: str, sentence: str = "") -> "Action":
        """The value is the name alone; the sentence becomes an attribute."""
        action = str.__new__(cls, name)
        action._value_ = name
        action.sentence = sentence
        return action


_PARAMS = ("number", "department", "counter", "when", "id", "similar", "branch")
"""The parameters an action can have."""


@dataclass(frozen=True)
class Advice:
    """An action and its parameters."""

    action: Action
    params: Mapping[str, Any] = field(default_factory=dict)

    def text(self, how: str = "") -> str:
        """The sentence in English; ``how`` says how to do it at this edge."""
        return self.fill(self.action.sentence, how)

    def fill(self, template: str, how: str = "") -> str:
        """Fill a sentence for this action, in any language, with its parameters."""
        return template.format_map({**self.params, "how": how})

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object for the wire."""
        return {"name": str(self.action), "params": dict(self.params)}


def about(action: Action, params: Mapping[str, Any]) -> Advice:
    """Return the action with those of a refusal's parameters that it can use."""
    return Advice(action, {name: params[name] for name in _PARAMS if name in params})


def from_wire(body: Any) -> Advice | None:
    """Read a server's advice; ``None`` if there is none or this release does not know it."""
    try:
        advice = Advice(Action(body["name"]), {str(name): value for name, value in body["params"].items()})
        advice.text()
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return None
    return advice
