"""What the front desk shows, computed without drawing or requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tokenq.contract.enums import LIVE
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import DepartmentView, QueueView, TokenView
from tokenq.locale import Texts
from tokenq.locale.counters import counter_in
from tokenq.locale.waits import estimated
from tokenq.zones import local

ACTION_KEYS = "npqu/"
"""Keys of actions, which no department gets."""
_KEYS = "123456789" + "".join(letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in ACTION_KEYS)


@dataclass(frozen=True)
class Details:
    """What is optionally known of a customer."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name, self.email)))


@dataclass(frozen=True)
class DeskState:
    """What the desk knows. ``languages`` are those of the branch, ``language`` is the one chosen."""

    departments: tuple[DepartmentView, ...] = ()
    queues: Mapping[str, QueueView] = field(default_factory=dict)
    branch: str = ""
    zone: str = ""
    languages: tuple[str, ...] = ()
    language: str = ""
    counter_words: Mapping[str, str] = field(default_factory=dict)
    details: Details = Details()
    last: TokenView | None = None
    """The latest number issued here that is not taken back."""

    def with_queue(self, queue: QueueView) -> "DeskState":
        """Return the state with a queue as fetched now; an older one changes nothing."""
        known = self.queues.get(queue["departmentId"])
        if known and known["seq"] > queue["seq"]:
            return self
        return replace(self, queues={**self.queues, queue["departmentId"]: queue}, zone=queue["timezone"])

    @property
    def keys(self) -> dict[str, str]:
        """Departments by their key."""
        return dict(zip(_KEYS, (each["departmentId"] for each in self.departments), strict=False))

    def key_of(self, department: str) -> str:
        """Return a department's key; empty if there are more departments than keys."""
        return next((key for key, each in self.keys.items() if each == department), "")

    def name_of(self, department: str) -> str:
        """Return a department's name."""
        named = (each["name"] for each in self.departments if each["departmentId"] == department)
        return next(named, department)

    def is_open(self, department: str) -> bool:
        """Whether it issues numbers now, as far as is known."""
        queue = self.queues.get(department)
        return queue is None or queue["opening"]["isOpen"]


def chosen(views: Sequence[DepartmentView], wanted: Sequence[str], own: Sequence[str]) -> tuple[DepartmentView, ...]:
    """Return the departments to show, in the wanted order: of those of the user, or of all."""
    allowed = {view["departmentId"]: view for view in views if not own or view["departmentId"] in own}
    return tuple(allowed[each] for each in wanted if each in allowed) if wanted else tuple(allowed.values())


def situation(state: DeskState, department: str, own: Texts) -> str:
    """Return how many wait, and how long: ``3 waiting · 10–20 min``; or that it is closed."""
    queue = state.queues.get(department)
    if queue is None:
        return "…"
    if not queue["opening"]["isOpen"]:
        opens_at = queue["opening"]["opensAt"]
        if not opens_at:
            return own.gettext("Closed")
        return own.gettext("Closed until {time}", time=_clock(opens_at, queue["timezone"]))
    count = queue["counts"]["waiting"]
    parts = [own.ngettext("{number} waiting", "{number} waiting", count), estimated(queue["estimate"], own)]
    return " · ".join(filter(None, parts))


def token_lines(token: TokenView, state: DeskState, own: Texts) -> list[str]:
    """Return what the desk says about a token: its department, its state, and what to expect."""
    lines = [state.name_of(token["departmentId"]), state_sentence(token, state, own)]
    if token["state"] == "WAITING" and token["position"]:
        lines.append(own.gettext("Your position in the queue: {position}", position=token["position"]))
        if wait := estimated(token["estimate"], own):
            lines.append(own.gettext("Expected wait: {wait}", wait=wait))
    lines.append(own.gettext("Issued at {time}", time=_clock(token["issuedAt"], state.zone)))
    if token["name"]:
        lines.append(token["name"])
    return lines


def state_sentence(token: TokenView, state: DeskState, own: Texts) -> str:
    """Return where a token is, as a sentence."""
    counter = counter_in(state.language, token["counterId"] or "", state.counter_words)
    sentences = {
        "WAITING": own.gettext("Waiting."),
        "CALLED": own.gettext("Called: {counter}", counter=counter),
        "SERVING": own.gettext("Being served: {counter}", counter=counter),
        "PARKED": own.gettext("On hold."),
        "SERVED": own.gettext("Served."),
        "NO_SHOW": own.gettext("Called, and nobody came."),
        "CANCELLED": own.gettext("Cancelled."),
        "EXPIRED": own.gettext("Expired at the end of the day."),
    }
    return sentences.get(token["state"], token["state"])


def is_printable_again(token: TokenView) -> bool:
    """Whether its ticket is still valid."""
    return token["state"] in LIVE


def can_take_back(token: TokenView | None) -> bool:
    """Whether a token that was issued here may still be cancelled."""
    return token is not None and token["state"] in VERBS[Verb.CANCEL].sources


def _clock(instant: str, zone: str) -> str:
    try:
        return local(datetime.fromisoformat(instant), zone).strftime("%H:%M")
    except ValueError:
        return instant
