"""Who is next: one pure policy for live calls, positions and explanations.

Inside a class the line is first in, first out. Urgent goes first. Priority and normal interleave by the
department's ratio: after so many priority calls in a row, as many normal ones as the ratio says. Whoever
has waited past the maximum goes before any later arrival of another class. This is weighted round robin
with a deadline guard (Katevenis, Sidiropoulos and Courcoubetis 1991 give the round robin).

Nobody starves. Let X wait in a line whose classes are each in order of arrival. Once X has waited past the maximum,
whoever is called before X came before X; so X is called after at most as many calls as there were people
before X, besides the calls made within the maximum. For at each such call the head H of X's class came no
later than X, so the earliest of all heads, E, came no later than X either and is past the maximum too. If the ratio's
choice is of E's class it is E; if it came later than E, the guard takes E; it cannot have come before E.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tokenq.contract.enums import Priority

RANK: dict[Priority, int] = {Priority.URGENT: 0, Priority.PRIORITY: 1, Priority.NORMAL: 2}
"""Classes in their order of precedence."""


@dataclass(frozen=True)
class Ratio:
    """The ratio of priority to normal calls while both wait."""

    priority: int = 2
    normal: int = 1

    def __str__(self) -> str:
        return f"{self.priority}:{self.normal}"


@dataclass(frozen=True)
class Policy:
    """A department's rule of order."""

    ratio: Ratio = field(default_factory=Ratio)
    max_wait: timedelta = timedelta(minutes=60)


@dataclass(frozen=True)
class Turn:
    """Where the interleaving stands: how many calls of the running round each class has had."""

    priority: int = 0
    normal: int = 0

    def after(self, called: Priority, ratio: Ratio) -> "Turn":
        """The head after one more call."""
        if called is Priority.URGENT:
            return self
        if called is Priority.PRIORITY:
            turn = replace(self, priority=min(self.priority + 1, ratio.priority))
        else:
            turn = replace(self, normal=min(self.normal + 1, ratio.normal))
        return Turn() if turn.priority >= ratio.priority and turn.normal >= ratio.normal else turn


@dataclass(frozen=True)
class Waiting:
    """What the policy needs to know of somebody in line."""

    token_id: int
    priority: Priority
    place: int
    since: datetime


@dataclass(frozen=True)
class Choice:
    """Who is next and the rule that says so, as a sentence for people."""

    waiting: Waiting
    rule: str


def choose(heads: Mapping[Priority, Waiting], turn: Turn, policy: Policy, now: datetime) -> Choice | None:
    """Choose among the first of each class; ``None`` if nobody waits."""
    if not heads:
        return None
    first = heads[_by_ratio(heads, turn, policy.ratio)]
    overdue = min(heads.values(), key=_arrival)
    if (
        overdue.priority is not first.priority
        and now - overdue.since > policy.max_wait
        and _arrival(overdue) < _arrival(first)
    ):
        minutes = int(policy.max_wait.total_seconds() // 60)
        return Choice(overdue, f"waited longer than {minutes} minutes, the department's maximum")
    return Choice(first, _why(first.priority, heads, policy.ratio))


def in_order(line: Iterable[Waiting], turn: Turn, policy: Policy, now: datetime) -> Iterator[Choice]:
    """Everybody in the order in which they would be called if nobody else came, lazily."""
    classes: dict[Priority, list[Waiting]] = {}
    for waiting in sorted(line, key=lambda one: (one.place, one.token_id), reverse=True):
        classes.setdefault(waiting.priority, []).append(waiting)
    while choice := choose({name: rest[-1] for name, rest in classes.items() if rest}, turn, policy, now):
        classes[choice.waiting.priority].pop()
        turn = turn.after(choice.waiting.priority, policy.ratio)
        yield choice


def _arrival(waiting: Waiting) -> tuple[datetime, int]:
    return waiting.since, waiting.token_id


def _by_ratio(heads: Mapping[Priority, Waiting], turn: Turn, ratio: Ratio) -> Priority:
    if Priority.URGENT in heads:
        return Priority.URGENT
    if Priority.PRIORITY in heads and Priority.NORMAL in heads:
        return Priority.PRIORITY if turn.priority < ratio.priority else Priority.NORMAL
    return min(heads, key=RANK.__getitem__)


def _why(called: Priority, heads: Mapping[Priority, Waiting], ratio: Ratio) -> str:
    if called is Priority.URGENT:
        return "urgent goes first"
    if len(heads) == 1:
        return "first in line"
    return f"first of the {called} class, by the ratio {ratio} of priority to normal"


def position(priority: Priority, index: int, counts: Mapping[Priority, int], turn: Turn, ratio: Ratio) -> int:
    """The place in the order of calling, from 1, of the ``index``-th of its class, without walking the line.

    ``counts`` says how many of each class wait. The deadline guard is left out: it depends on the future.
    """
    urgent = counts.get(Priority.URGENT, 0)
    if priority is Priority.URGENT:
        return index
    left_priority, left_normal = ratio.priority - turn.priority, ratio.normal - turn.normal
    if priority is Priority.NORMAL:
        rounds = -(-max(index - left_normal, 0) // ratio.normal)
        ahead = min(counts.get(Priority.PRIORITY, 0), left_priority + rounds * ratio.priority)
    else:
        rounds = -(-max(index - left_priority, 0) // ratio.priority)
        ahead = min(counts.get(Priority.NORMAL, 0), left_normal + (rounds - 1) * ratio.normal if rounds else 0)
    return urgent + index + ahead
