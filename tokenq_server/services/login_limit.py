"""Slows down password guessing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tokenq.contract.problems import ProblemCode, refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq_server.domain.budgets import Budget, Use
from tokenq_server.services.rate_limits import RateLimits

_FORGOTTEN_AFTER = 300.0
"""Seconds after which one wrong password is forgotten, and the longest wait that further ones cost."""
_STRANGERS_WAIT = 60.0
"""The same for one account from new addresses. It is short, since a guesser makes the account's user wait, too."""
_FAMILIAR_SECONDS = 30 * 24 * 3600.0
_WRONG = frozenset({ProblemCode.UNAUTHENTICATED, ProblemCode.FORBIDDEN})


class LoginLimit:
    """Limits wrong passwords: of an account from one address, and of both separately where the account is new.

    From a budget's last free one on, each attempt costs a wait that doubles; one wrong password after the other is
    forgotten, so that an office of people who mistype is not locked out for good.

    An address from which a user has logged in within the last 30 days is familiar: neither what is guessed elsewhere
    nor what is guessed there for other accounts counts. This is the idea of device cookies (OWASP, "Slow Down Online
    Guessing Attacks with Device Cookies") for clients that keep none, so that who guesses a user's password at that
    user's own address does make the user wait. From a new address a user under attack waits a minute at most, and
    competes with the guessers, of whom each address gets one attempt in five minutes by then.

    An attempt counts before its password is checked, so that parallel ones count too.
    """

    def __init__(self, limits: RateLimits, per_address: int, per_source: int, per_account: int) -> None:
        self._limits = limits
        self._at_address = Budget("login", per_address, _FORGOTTEN_AFTER, _FORGOTTEN_AFTER)
        self._from_source = Budget("login source", per_source, _FORGOTTEN_AFTER, _FORGOTTEN_AFTER)
        self._by_strangers = Budget("login account", per_account, _STRANGERS_WAIT, _STRANGERS_WAIT)

    @asynccontextmanager
    async def attempt(self, account: str, source: str) -> AsyncIterator[None]:
        """Guard one check of an account's password; the right one resets what the account used from there.

        What was not checked, because the server is overloaded or has no database, is no attempt.

        Raises:
            Refused: ``rate_limited``, with the seconds to wait.
        """
        here = f"{account}\0{source}"
        at_address, others = Use(self._at_address, here), list[Use]()
        if not await self._limits.remembers(f"login {here}"):
            others = [Use(self._from_source, source), Use(self._by_strangers, account)]
        if exceeded := await self._limits.take([at_address, *others]):
            seconds = exceeded.seconds
            raise refuse(AccountReason.TOO_MANY_LOGINS, {"retryAfter": seconds}, seconds=seconds)
        async with self._limits.checking([at_address, *others], _WRONG):
            yield
        await asyncio.gather(
            self._limits.forget([at_address]),
            self._limits.give_back(others),
            self._limits.remember(f"login {here}", _FAMILIAR_SECONDS),
        )
