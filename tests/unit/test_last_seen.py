"""Moves begin where a token was last seen, and look again if it is not there."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.people import ANN
from tests.unit.sessions import Room
from tokenq.contract.enums import TokenState
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import Verb
from tokenq_server.api.auth import Repeat
from tokenq_server.api.routes.moves import _move
from tokenq_server.domain.copies import replace
from tokenq_server.domain.token import Whereabouts
from tokenq_server.services.last_seen import LastSeen
from tokenq_server.services.requests import Answer, Request

KEY = Repeat("k1", b"f")
CALLED = replace(Room().issue(), token_id=1, state=TokenState.CALLED, counter_id="1")


class Desk:
    """Services for one move: where tokens were seen, where they are, and the commands that were tried."""

    def __init__(self, *, is_at: str) -> None:
        self.last_seen, self.tried, self.looked_up = LastSeen(), [], 0
        self.is_at = is_at
        self.issuing = SimpleNamespace(submit=self._submit)
        self.reading = SimpleNamespace(whereabouts=self._look_up)

    async def _submit(self, request: Request) -> Answer:
        command: Any = request.command
        self.tried.append((command.department_id, request.key))
        if command.department_id != self.is_at:
            raise refuse(TokenReason.MOVED_ON, number="CW-001")
        return Answer({"tokenId": command.token_id})  # type: ignore[arg-type]

    async def _look_up(self, token_id: int, caller: object) -> Whereabouts:
        self.looked_up += 1
        return Whereabouts(self.is_at, None, ("CW", "CW-001"), None, None)

    async def start(self) -> None:
        await _move(self, ANN, 1, Verb.START, KEY, claim_version=1)  # type: ignore[arg-type]


async def test_a_token_that_was_seen_here_is_not_looked_up() -> None:
    desk = Desk(is_at="CW")
    desk.last_seen.note([CALLED])
    await desk.start()
    assert (desk.tried, desk.looked_up) == ([("CW", "k1")], 0)


async def test_a_token_that_another_process_transferred_is_looked_up_and_moved() -> None:
    desk = Desk(is_at="LAB")
    desk.last_seen.note([CALLED])
    await desk.start()
    assert (desk.tried, desk.looked_up) == ([("CW", "k1"), ("LAB", "k1")], 1)


async def test_a_token_that_was_not_seen_here_is_looked_up() -> None:
    desk = Desk(is_at="LAB")
    await desk.start()
    assert (desk.tried, desk.looked_up) == ([("LAB", "k1")], 1)


async def test_another_refusal_is_the_answer() -> None:
    desk = Desk(is_at="CW")
    desk.last_seen.note([CALLED])

    async def refuse_it(_: Request) -> Answer:
        raise refuse(TokenReason.CALLED_SINCE, number="CW-001")

    desk.issuing = SimpleNamespace(submit=refuse_it)
    with pytest.raises(Refused, match="called"):
        await desk.start()
    assert desk.looked_up == 0


def test_only_so_many_are_remembered_the_latest() -> None:
    seen = LastSeen(size=2)
    for token_id in (1, 2, 3):
        seen.note([replace(CALLED, token_id=token_id)])
    seen.note([replace(CALLED, token_id=2, department_id="LAB")])
    seen.note([replace(CALLED, token_id=4)])
    found = {token_id: at.department_id for token_id in range(1, 5) if (at := seen.whereabouts(token_id))}
    assert found == {2: "LAB", 4: "CW"}


def test_a_token_that_left_its_counter_is_not_remembered() -> None:
    seen = LastSeen()
    seen.note([CALLED])
    seen.note([replace(CALLED, state=TokenState.SERVED)])
    assert seen.whereabouts(1) is None
