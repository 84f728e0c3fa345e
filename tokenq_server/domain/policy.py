"""Who is next: one pure policy for live calls, positions and explanations.

Within a class the queue is first in, first out. Urgent goes first. Priority and normal interleave by the department's
ratio: after that many priority calls in a row come as many normal ones as the ratio says. Tokens past the maximum wait
go before any later arrival of another class. This is weighted round robin with a deadline guard (Katevenis,
Sidiropoulos and Courcoubetis 1991 describe the round robin).

There is no starvation. Let X wait in a queue whose classes are each in order of arrival. Once X is past the maximum
wait, every token called before X arrived before X; so X is called after at most as many calls as there were tokens
before X, besides the calls made within the maximum. At each such call the head H of X's class arrived no later than X,
so the earliest of all heads, E, arrived no later than X either and is past the maximum too. If the ratio chooses E's
class, it chooses E; if its choice arrived later than E, the guard takes E; it cannot have arrived before E.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tokenq.contract import words
from tokenq.contract.enums import Priority
from tokenq_server.domain.copies import replace

RANK: dict[Priority, int] = {Priority.URGENT: 0, Priority.PRIORITY: 1, Priority.NORMAL: 2}
"""Classes in order of precedence."""
_FIRST_OF_CLASS = words.FIRST_OF_CLASS.partition(" {")[0]


@dataclass(frozen=True)
class Ratio:
    """The ratio of priority to normal calls while both wait."""

    priority: int = 2
    normal: int = 1

    def __str__(self) -> str:
        return f"{self.priority}:{self.normal}"


@dataclass(frozen=True)
class Policy:
    """A department's calling policy."""

    ratio: Ratio = field(default_factory=Ratio)
    max_wait: timedelta = timedelta(minutes=60)


@dataclass(frozen=True)
class Turn:
    """State of the interleaving: calls per class in the current round."""

    priority: int = 0
    normal: int = 0

    def after(self, called: Priority, ratio: Ratio) -> "Turn":
        """The state after one more call."""
        if called is Priority.URGENT:
            return self
        if called is Priority.PRIORITY:
            turn = replace(self, priority=min(self.priority + 1, ratio.priority))
        else:
            turn = replace(self, normal=min(self.normal + 1, ratio.normal))
        return Turn() if turn.priority >= ratio.priority and turn.normal >= ratio.normal else turn


@dataclass(frozen=True)
class Waiting:
    """A waiting token as input of the policy."""

    token_id: int
    priority: Priority
    place: int
    since: datetime


@dataclass(frozen=True)
class Choice:
    """The next token and the rule that chose it, as a sentence for people."""

    waiting: Waiting
    rule: str


def choose(heads: Mapping[Priority, Waiting], turn: Turn, policy: Policy, now: datetime) -> Choice | None:
    """Choose among the heads of the classes; ``None`` if nobody waits."""
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
        return Choice(overdue, words.OVERDUE.format(minutes=minutes))
    return Choice(first, _why(first.priority, heads, policy.ratio))


def in_order(line: Iterable[Waiting], turn: Turn, policy: Policy, now: datetime) -> Iterator[Choice]:
    """Yield all waiting tokens lazily, in the order in which they would be called if nobody else came."""
    classes: dict[Priority, list[Waiting]] = {}
    for waiting in sorted(line, key=lambda waiting: (waiting.place, waiting.token_id), reverse=True):
        classes.setdefault(waiting.priority, []).append(waiting)
    while choice := choose({name: rest[-1] for name, rest in classes.items() if rest}, turn, policy, now):
        classes[choice.waiting.priority].pop()
        turn = turn.after(choice.waiting.priority, policy.ratio)
        yield choice


def rules_by_place(order: Sequence[Choice], numbers: Mapping[int, str]) -> list[str]:
    """Return the rule of each choice in a calling order, for people who look at the queue as it is now.

    A rule says how it will be when the token is called: only the head of the queue, and of its class, is first already.
    ``numbers`` are the printed numbers by token id.
    """
    rules, classes = [], set[Priority]()
    for place, choice in enumerate(order):
        rule, priority = choice.rule, choice.waiting.priority
        if place and rule == words.FIRST_IN_LINE:
            rule = f"next in line after {numbers[order[place - 1].waiting.token_id]}"
        elif priority in classes:
            rule = rule.replace(_FIRST_OF_CLASS, "next of the", 1)
        classes.add(priority)
        rules.append(rule)
    return rules


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
        return words.FIRST_URGENT
    if len(heads) == 1:
        return words.FIRST_IN_LINE
    return words.FIRST_OF_CLASS.format(priority=called, ratio=ratio)


def position(priority: Priority, index: int, counts: Mapping[Priority, int], turn: Turn, ratio: Ratio) -> int:
    """Return the position in calling order (from 1) of the ``index``-th token of its class, without iterating.

    ``counts`` holds the waiting tokens per class. The deadline guard is ignored: it depends on the future.
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
