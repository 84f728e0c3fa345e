"""Near turns: logs which tokens have reached the position at which their owner is to be notified.

Runs beside the batches, so as not to delay calls. The batch then decides under its lock, so two processes that look at
the same time notify nobody twice.
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
    """A department where customers want a near-turn notification; ``furthest`` is the largest position requested."""

    department_id: str
    furthest: int


class NearTurnStore(Protocol):
    """Read access to near-turn requests."""

    async def near_turn_requests(self) -> list[NearTurnRequest]:
        """Return the departments in which a waiting customer is still to be notified."""

    async def snapshot(self, department_id: str, heads: int, *, is_counted: bool = False) -> Snapshot | None:
        """Return a department's current state, with the first ``heads`` of each class."""


def near_turns(commit: GroupCommit, store: NearTurnStore) -> Periodic:
    """Every second, check the queues of departments where customers are to be notified."""

    async def round_() -> None:
        for request in await store.near_turn_requests():
            snapshot = await store.snapshot(request.department_id, request.furthest)
            if snapshot and (places := near(snapshot)):
                await commit.submit(Request(MarkNearTurn(request.department_id, places)))

    return Periodic("near turns", round_, lambda: _EVERY_SECONDS)


def near(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """Return tokens at or before the position at which their owner is to be notified, with that position."""
    tokens = {token.token_id: token for token in snapshot.line}
    line = (Waiting(token.token_id, token.priority, token.place, token.waiting_since) for token in snapshot.line)
    order = in_order(line, snapshot.head.turn, snapshot.department.policy, snapshot.now)
    near_tokens = []
    for place, choice in enumerate(order, 1):
        token = tokens[choice.waiting.token_id]
        if place <= token.near_turn and not token.is_near_told:
            near_tokens.append((token.token_id, place))
    return tuple(near_tokens)
