"""Limits by source what nobody has logged in for: public requests, and guesses of keys and sessions."""

from tokenq.contract.problems import ProblemCode, refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.domain.budgets import Budget, Use
from tokenq_server.domain.principal import Principal
from tokenq_server.services.people import People, hash_of
from tokenq_server.services.rate_limits import RateLimits

_MINUTE = 60.0


class PublicLimit:
    """A budget per minute of each source. It is counted later, so that no request waits for Redis."""

    def __init__(self, limits: RateLimits, people: People, per_minute: int) -> None:
        self._limits, self._people = limits, people
        self._budget = Budget("public", per_minute, _MINUTE / max(per_minute, 1), is_counted_later=True)

    async def count(self, source: str) -> None:
        """Count a request. Raises Refused (``rate_limited``)."""
        if exceeded := await self._limits.take([Use(self._budget, source)]):
            raise refuse(RequestReason.TOO_MANY, {"retryAfter": exceeded.seconds}, seconds=exceeded.seconds)

    async def caller(self, bearer: str, source: str) -> Principal:
        """Return the owner of a bearer token; one that is not known here counts, unless it turns out to be valid.

        Without a limit each guess would be a query. It counts before the query, so that parallel guesses count too.

        Raises:
            Refused: ``unauthenticated``, or ``rate_limited`` for what is not known.
        """
        token_hash = hash_of(bearer)
        if self._people.knows(token_hash):
            return await self._people.who(token_hash)
        await self.count(source)
        uses = [Use(self._budget, source)]
        async with self._limits.checking(uses, {ProblemCode.UNAUTHENTICATED}):
            principal = await self._people.who(token_hash)
        await self._limits.give_back(uses)
        return principal
