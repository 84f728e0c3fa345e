"""Guessing passwords is slowed down, by account and by source, and forgotten with time."""

import asyncio

import pytest

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.adapters.passwords import Argon2Passwords
from tokenq_server.services.login_limit import LoginLimit
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.rate_limits import RateLimits

HOME, ELSEWHERE = "10.0.0.1", "203.0.113.7"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Login:
    """A limit, its clock, and people who log in."""

    def __init__(self, per_address: int = 10, per_source: int = 50, per_account: int = 100) -> None:
        self.clock = Clock()
        limits = RateLimits(MemoryCounts(self.clock), self.clock)
        self.limit = LoginLimit(limits, per_address, per_source, per_account)

    async def guess(self, account: str = "ann", source: str = HOME, **fault: Exception) -> int:
        """Try a wrong password; return 0 if it was tried at all, else the seconds to wait."""
        wrong = fault.get("fault") or refuse(AccountReason.WRONG_LOGIN)
        with pytest.raises((Refused, LedgerDown)) as raised:
            async with self.limit.attempt(account, source):
                raise wrong
        if raised.value is wrong:
            return 0
        assert isinstance(raised.value, Refused)
        assert raised.value.problem.code is ProblemCode.RATE_LIMITED
        return int(raised.value.problem.extra["retryAfter"])

    async def guesses(self, number: int, account: str = "ann", source: str = HOME) -> list[bool]:
        """Whether each was tried."""
        return [await self.guess(account, source) == 0 for _ in range(number)]

    async def succeed(self, account: str = "ann", source: str = HOME) -> None:
        """Log in with the right password. Raises Refused if it must wait."""
        async with self.limit.attempt(account, source):
            pass


async def test_from_the_tenth_wrong_password_on_each_costs_a_growing_wait() -> None:
    """Row 22."""
    login, waits = Login(), []
    assert await login.guesses(12) == [True] * 10 + [False] * 2
    for _ in range(18):
        waits.append(await login.guess())
        login.clock.now += waits[-1]
        assert await login.guess() == 0
    assert waits[0] == 2
    assert waits == sorted(waits)
    assert 250 < waits[-1] <= 301


async def test_wrong_passwords_are_forgotten_one_after_the_other() -> None:
    """An office that mistyped in the morning is not slowed down in the afternoon."""
    login = Login()
    await login.guesses(10)
    login.clock.now += 5 * 300
    assert await login.guesses(6) == [True] * 5 + [False]
    login.clock.now += 24 * 3600
    assert await login.guesses(11) == [True] * 10 + [False]


async def test_a_right_password_resets_the_account_there_and_not_the_source() -> None:
    login = Login(per_address=3, per_source=5)
    for account in ("ann", "ann", "ben", "ben"):
        assert await login.guess(account) == 0
    await login.succeed()
    assert await login.guesses(4) == [True] * 3 + [False]
    assert [await login.guess(account) == 0 for account in ("cleo", "dora")] == [True, False], "five came from there"


async def test_guessers_from_many_addresses_are_slowed_down_and_the_user_is_not_locked_out() -> None:
    """Rows 22 and L4: an address from which the user has logged in is not theirs to use up."""
    login = Login()
    await login.succeed(source=HOME)
    tried = [await login.guess(source=f"203.0.113.{number}") == 0 for number in range(120)]
    assert tried == [True] * 100 + [False] * 20
    await login.succeed(source=HOME)
    with pytest.raises(Refused):
        await login.succeed(source=ELSEWHERE)
    login.clock.now += 3600
    assert [await login.guess(source=f"203.0.114.{number}") == 0 for number in range(61)] == [True] * 60 + [False]


async def test_a_guest_of_a_shared_address_keeps_nobody_out_who_logs_in_there_usually() -> None:
    """Row 22: behind one router, many names are guessed without a pause; only theirs at that address is closed."""
    login = Login()
    await login.succeed("ann")
    for number in range(600):
        login.clock.now += 1
        await login.guess(f"name{number}")
        await login.succeed("ann")
    assert await login.guess("ben") > 0, "who has never logged in there waits"
    assert await login.guesses(11, "ann") == [True] * 10 + [False]


async def test_wrong_passwords_at_a_usual_address_do_not_close_it_for_others() -> None:
    login = Login(per_source=5)
    await login.succeed("ann")
    await login.guesses(9, "ann")
    assert await login.guesses(6, "ben") == [True] * 5 + [False]


async def test_from_a_new_address_a_user_under_attack_waits_a_minute_at_most() -> None:
    login = Login()
    for number in range(3000):
        login.clock.now += 0.5
        await login.guess(source=f"10.1.{number // 250}.{number % 250}")
    assert await login.guess(source=ELSEWHERE) <= 61
    login.clock.now += 61
    await login.succeed(source=ELSEWHERE)
    assert await login.guesses(5, source=ELSEWHERE) == [True] * 5, "it is familiar now"


async def test_an_address_becomes_strange_again_after_a_month() -> None:
    login = Login(per_account=1)
    await login.succeed()
    await login.guess(source=ELSEWHERE)
    await login.succeed()
    login.clock.now += 31 * 24 * 3600
    await login.guess(source=ELSEWHERE)
    with pytest.raises(Refused):
        await login.succeed()


@pytest.mark.parametrize("fault", [LedgerDown(), refuse(RequestReason.OVERLOADED, {"retryAfter": 1})])
async def test_what_was_not_checked_is_no_attempt(fault: Exception) -> None:
    """A database that is away must not lock out those who try meanwhile with the right password."""
    login = Login()
    for _ in range(200):
        assert await login.guess(fault=fault) == 0
    assert await login.guesses(11) == [True] * 10 + [False]


async def test_without_a_limit_nothing_is_counted() -> None:
    login = Login(0, 0, 0)
    assert all(await login.guesses(200))


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
