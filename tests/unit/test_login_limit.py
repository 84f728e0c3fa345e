"""Guessing passwords is slowed down, by name and by source, and forgotten with time."""

import asyncio

import pytest

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.passwords import Argon2Passwords
from tokenq_server.api.limits import LoginLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def guess(limit: LoginLimit, name: str = "ann", source: str = "10.0.0.1") -> bool:
    """A wrong password; whether it was tried at all."""
    with pytest.raises((LookupError, Refused)) as raised, limit.attempt(name, source):
        raise LookupError
    return not isinstance(raised.value, Refused)


def test_from_the_tenth_wrong_password_on_each_costs_a_wait() -> None:
    clock = Clock()
    limit = LoginLimit(clock=clock)
    assert [guess(limit) for _ in range(12)] == [True] * 10 + [False] * 2
    with pytest.raises(Refused) as refused, limit.attempt("ann", "10.0.0.1"):
        pass
    assert refused.value.problem.code is ProblemCode.RATE_LIMITED
    assert refused.value.problem.extra["retryAfter"] == 2
    assert guess(limit, source="10.0.0.2"), "nobody locks another out"
    clock.now += 2
    assert guess(limit)
    assert not guess(limit)


def test_wrong_passwords_are_forgotten_one_after_the_other() -> None:
    """An office that mistyped in the morning is not slowed down in the afternoon."""
    clock = Clock()
    limit = LoginLimit(clock=clock)
    for _ in range(10):
        guess(limit)
    clock.now += 5 * 300
    assert [guess(limit) for _ in range(6)] == [True] * 5 + [False]
    clock.now += 24 * 3600
    assert [guess(limit) for _ in range(11)] == [True] * 10 + [False]


def test_a_right_password_resets_the_name_and_not_the_source() -> None:
    limit = LoginLimit(per_name=3, per_source=5, clock=Clock())
    for name in ("ann", "ann", "ben", "ben"):
        assert guess(limit, name)
    with limit.attempt("ann", "10.0.0.1"):
        pass
    assert guess(limit, "ann")
    assert not guess(limit, "cleo"), "five wrong ones came from there"


async def test_more_passwords_than_can_be_checked_soon_are_refused_at_once() -> None:
    """Each check takes a tenth of a second of a core; a thousand at once would make everybody wait for minutes."""
    passwords = Argon2Passwords()
    stored = await passwords.hash("correct horse")
    done = await asyncio.gather(*(passwords.matches(stored, "wrong") for _ in range(40)), return_exceptions=True)
    refused = [each for each in done if isinstance(each, Refused)]
    assert len(refused) == 22
    assert {each.problem.code for each in refused} == {ProblemCode.OVERLOADED}
    assert [each for each in done if not isinstance(each, Refused)] == [False] * 18
    assert await passwords.matches(stored, "correct horse")
