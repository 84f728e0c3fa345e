"""Near turns: tells the log who has come so near the head of the line as its owner wants to know.

Looked at beside the batches, not in them: a call must not wait for it. The batch then decides under its lock,
so that two processes that look at once tell nobody twice.
"""

from dataclasses import dataclass
from typing import Protocol

from tokenq_server.domain.commands import MarkNearTurn
from tokenq_server.domain.policy import Waiting, in_order
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.queries import Snapshot
from tokenq_server.services.requests import Request

_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class NearTurnRequest:
    """A department in which somebody wants to be told; ``furthest`` is the largest place asked for."""

    department_id: str
    furthest: int


class NearTurnStore(Protocol):
    """Where it is known who wants to be told."""

    async def near_turn_wishes(self) -> list[NearTurnRequest]:
        """The departments in which somebody who waits wants to be told and was not yet."""

    async def snapshot(self, department_id: str, heads: int) -> Snapshot | None:
        """A department now, with the first ``heads`` of each class in line."""


def near_turns(commit: GroupCommit, store: NearTurnStore) -> Periodic:
    """The work: every second, look at the lines in which somebody wants to be told."""

    async def round_() -> None:
        for wish in await store.near_turn_wishes():
            snapshot = await store.snapshot(wish.department_id, wish.furthest)
            if snapshot and (places := near(snapshot)):
                await commit.submit(Request(MarkNearTurn(wish.department_id, places)))

    return Periodic("near turns", round_, lambda: _EVERY_SECONDS)


def near(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """Who stands at or before the place at which they want to be told, with that place."""
    tokens = {token.token_id: token for token in snapshot.line}
    line = (Waiting(one.token_id, one.priority, one.place, one.waiting_since) for one in snapshot.line)
    order = in_order(line, snapshot.head.turn, snapshot.department.policy, snapshot.now)
    found = []
    for place, choice in enumerate(order, 1):
        token = tokens[choice.waiting.token_id]
        if place <= token.near_turn and not token.is_near_told:
            found.append((token.token_id, place))
    return tuple(found)
