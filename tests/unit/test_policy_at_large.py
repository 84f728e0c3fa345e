"""The policy over many random queues that live: people come, time passes, somebody is called, and so on.

The suite plays a few thousand; ``TOKENQ_QUEUES=100000`` plays that many.
"""

import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from tokenq.contract.enums import Priority
from tokenq_server.domain.policy import Choice, Policy, Ratio, Turn, Waiting, choose

QUEUES = int(os.environ.get("TOKENQ_QUEUES", "3000"))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Queue:
    """One department's line, and what was called so far."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        ratio = Ratio(dice.randint(1, 4), dice.randint(1, 3))
        self.policy = Policy(ratio, MINUTE * dice.choice([5, 20, 60, 1440]))
        self.now = NOON
        self.turn = Turn()
        self.waiting: list[Waiting] = []
        self.came = 0
        self.called: list[Waiting] = []
        self.stretch: list[Priority] = []
        self.is_round_begun = False

    def somebody_comes(self) -> None:
        self.came += 1
        priority = self.dice.choices(list(Priority), [6, 4, 1])[0]
        self.waiting.append(Waiting(self.came, priority, self.came, self.now))

    def call(self) -> None:
        heads = self.heads()
        choice = choose(heads, self.turn, self.policy, self.now)
        assert choice is not None
        assert choice == choose(dict(reversed(heads.items())), self.turn, self.policy, self.now), "deterministic"
        assert choice.waiting is heads[choice.waiting.priority], "first come, first served in a class"
        assert choice.rule
        self.nobody_overdue_is_passed(choice)
        self.the_ratio_holds(choice, heads)
        self.waiting.remove(choice.waiting)
        self.called.append(choice.waiting)
        self.turn = self.turn.after(choice.waiting.priority, self.policy.ratio)

    def heads(self) -> dict[Priority, Waiting]:
        found: dict[Priority, Waiting] = {}
        for one in self.waiting:
            found.setdefault(one.priority, one)
        return found

    def nobody_overdue_is_passed(self, choice: Choice) -> None:
        """The bound on starvation: past the maximum, only those go before who came before."""
        for one in self.waiting:
            if self.now - one.since > self.policy.max_wait:
                assert choice.waiting.since <= one.since

    def the_ratio_holds(self, choice: Choice, heads: dict[Priority, Waiting]) -> None:
        """While both wait and nothing else decides, any window as long as a round holds the ratio exactly."""
        if choice.waiting.priority is Priority.URGENT:
            return
        both = Priority.PRIORITY in heads and Priority.NORMAL in heads
        if not both or "maximum" in choice.rule:
            self.stretch, self.is_round_begun = [], False
            return
        if self.turn == Turn() and not self.is_round_begun:
            self.stretch, self.is_round_begun = [], True
        self.stretch.append(choice.waiting.priority)
        size = self.policy.ratio.priority + self.policy.ratio.normal
        if self.is_round_begun and len(self.stretch) >= size:
            assert self.stretch[-size:].count(Priority.NORMAL) == self.policy.ratio.normal


@pytest.mark.timeout(3600)
def test_random_queues_keep_every_promise_of_the_policy() -> None:
    """Nobody lost, nobody twice, nobody starved, nobody passed in their class, the ratio as set."""
    for number in range(QUEUES):
        dice = random.Random(number)
        queue = Queue(dice)
        for _ in range(dice.randint(1, 40)):
            queue.now += MINUTE * dice.expovariate(0.3)
            for _ in range(dice.choice([0, 0, 1, 1, 2, 5])):
                queue.somebody_comes()
            if queue.waiting and dice.random() < 0.7:
                queue.call()
        while queue.waiting:
            queue.now += MINUTE * dice.expovariate(0.3)
            queue.call()

        assert sorted(one.token_id for one in queue.called) == list(range(1, queue.came + 1))
