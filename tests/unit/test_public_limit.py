"""What nobody has logged in for is limited by its source: public requests, and guesses of keys and sessions."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tokenq.contract.enums import Role
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.domain.principal import Principal
from tokenq_server.services import people as people_module
from tokenq_server.services.audit import BY_SYSTEM
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.people import People
from tokenq_server.services.public_limit import PublicLimit
from tokenq_server.services.rate_limits import RateLimits

HERE, ELSEWHERE = "10.0.0.1", "203.0.113.7"


@dataclass
class Keys:
    """The table of keys; counts the queries."""

    valid: set[str] = field(default_factory=lambda: {"desk", "board"})
    queries: int = 0
    fault: Exception | None = None

    async def principal(self, token_hash: bytes) -> Principal | None:
        self.queries += 1
        if self.fault:
            raise self.fault
        hashes = {hashlib.sha256(secret.encode()).digest() for secret in self.valid}
        return Principal("key", 1, "desk", Role.DESK) if token_hash in hashes else None

    async def delete_key(self, key_id: int, origin: Any) -> bool:
        return True


class Door:
    """A limit of five a minute, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, per_minute: int = 5) -> None:
        self.now, self.keys = 1000.0, Keys()
        monkeypatch.setattr(people_module.time, "monotonic", lambda: self.now)
        self.people = People(cast(Any, self.keys), cast(Any, None), lambda _: None)
        self.limits = RateLimits(MemoryCounts(lambda: self.now), lambda: self.now)
        self.limit = PublicLimit(self.limits, self.people, per_minute)

    async def ask(self, secret: str, source: str = HERE) -> str:
        """Return the caller's name, or the code of the refusal."""
        try:
            return (await self.limit.caller(secret, source)).name
        except Refused as refusal:
            return str(refusal.problem.code)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(monkeypatch)


async def test_guessed_keys_reach_the_database_only_as_often_as_a_source_may_ask(door: Door) -> None:
    answers = [await door.ask(f"tq_{number}") for number in range(500)]
    assert answers == ["unauthenticated"] * 5 + ["rate_limited"] * 495
    assert door.keys.queries == 5
    assert await door.ask("tq_other", ELSEWHERE) == "unauthenticated"
    with pytest.raises(Refused) as raised:
        await door.limit.count(HERE)
    assert raised.value.problem.extra == {"retryAfter": 13}, "public requests count with them"


async def test_whoever_is_known_works_on_behind_the_same_address(door: Door) -> None:
    """Also when the answer must be looked up anew, and after the rights of somebody have changed."""
    assert await door.ask("desk") == "desk"
    for number in range(50):
        await door.ask(f"tq_{number}")
        assert await door.ask("desk") == "desk"
        door.now += 1.1
    for number in range(20):
        await door.ask(f"tq_{number}")
    await door.people.delete_key(2, BY_SYSTEM)
    assert await door.ask("desk") == "desk"
    assert await door.ask("board") == "rate_limited", "it is not known yet"


async def test_valid_credentials_use_nothing(door: Door) -> None:
    for _ in range(20):
        assert await door.ask("desk") == "desk"
        await door.people.delete_key(2, BY_SYSTEM)
        door.people = People(cast(Any, door.keys), cast(Any, None), lambda _: None)
        door.limit = PublicLimit(door.limits, door.people, 5)


async def test_what_has_ended_counts_like_a_guess(door: Door) -> None:
    assert await door.ask("desk") == "desk"
    door.keys.valid.clear()
    door.now += 1.1
    answers = [await door.ask("desk") for _ in range(10)]
    assert answers == ["unauthenticated"] * 6 + ["rate_limited"] * 4, "one to find out, and five"


async def test_without_a_database_nobody_is_a_guesser(door: Door) -> None:
    door.keys.fault = refuse(RequestReason.OVERLOADED, {"retryAfter": 1})
    assert {await door.ask("desk") for _ in range(50)} == {str(ProblemCode.OVERLOADED)}
    door.keys.fault = None
    assert await door.ask("desk") == "desk"


async def test_guesses_do_not_push_anybody_out_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has room for 10,000."""
    door = Door(monkeypatch, per_minute=0)
    assert await door.ask("desk") == "desk"
    for number in range(20_001):
        await door.ask(f"tq_{number}")
    before = door.keys.queries
    assert await door.ask("desk") == "desk"
    assert door.keys.queries == before


async def test_a_full_cache_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_module, "_CACHE_SIZE", 3)
    door = Door(monkeypatch)
    door.keys.valid |= {"c", "d"}
    for secret in ("desk", "board", "c"):
        await door.ask(secret)
    door.now += 1.1
    for secret in ("desk", "d", "desk", "c"):
        await door.ask(secret)
    assert door.keys.queries == 6, "desk, looked up anew, is not the oldest; board is"
