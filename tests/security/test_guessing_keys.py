"""Guessing keys and sessions is limited by source, costs the database little, and keeps nobody out who is known."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.security.processes import Processes
from tokenq.contract.enums import Role

Start = Callable[..., AbstractAsyncContextManager[Processes]]
HERE, ELSEWHERE = "198.51.100.1", "198.51.100.2"
ASKED = "/api/v1/auth/me"


async def test_a_flood_of_guessed_keys_is_stopped_and_known_callers_notice_nothing(start: Start) -> None:
    """Rows 6 and 31: 429 with Retry-After before the query; also for a desk behind the same address."""
    async with start(number=1, public_requests=20) as one:
        desk = one.client(await one.key(Role.DESK), source=HERE)
        assert (await desk.get(ASKED)).status_code == 200
        queries = 0
        look_up = one.services.people._store.principal

        async def counted(token_hash: bytes) -> object:
            nonlocal queries
            queries += 1
            return await look_up(token_hash)

        one.services.people._store.principal = counted  # type: ignore[method-assign,assignment]
        guessers = [one.client(f"tq_{number}", source=HERE) for number in range(200)]
        answers = await asyncio.gather(*(guesser.get(ASKED) for guesser in guessers))
        codes = [answer.status_code for answer in answers]
        assert codes.count(401) in range(20, 26), "20, and what comes back meanwhile: one every three seconds"
        assert codes.count(401) + codes.count(429) == 200
        assert queries == codes.count(401)
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == str(refused.json()["params"]["seconds"])
        assert {(await desk.get(ASKED)).status_code for _ in range(30)} == {200}
        assert (await one.client("tq_other", source=ELSEWHERE).get(ASKED)).status_code == 401
