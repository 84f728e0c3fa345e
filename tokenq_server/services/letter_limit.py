"""Limits the e-mails to one address, whoever causes them: nobody's mailbox is flooded with our letters."""

from collections.abc import Sequence

from tokenq.contract.notifications import EMAIL
from tokenq_server.domain.budgets import Budget, Use
from tokenq_server.services.notifications import Attempt, Job, Verdict
from tokenq_server.services.rate_limits import RateLimits

_HOUR = 3600.0


class LetterLimit:
    """Counts each e-mail once, by the address that it really goes to; retries are the same e-mail."""

    def __init__(self, limits: RateLimits, per_hour: int) -> None:
        self._limits = limits
        self._budget = Budget("letter", per_hour, _HOUR / max(per_hour, 1))

    async def suppressed(self, jobs: Sequence[Job]) -> list[Attempt | None]:
        """Return, for each, the result of an e-mail that must not be sent, or ``None``: it is counted, and may be.

        All are asked about in one request.
        """
        counted = [job for job in jobs if _is_counted(job)]
        exceeded = iter(await self._limits.take_each([self._use(job) for job in counted]))
        why = f"This address gets at most {self._budget.free} e-mails an hour."
        return [
            Attempt(Verdict.SUPPRESSED, why) if _is_counted(job) and next(exceeded) is not None else None
            for job in jobs
        ]

    async def give_back(self, jobs: Sequence[Job]) -> None:
        """Count these no more: they were allowed, and are not sent."""
        await self._limits.give_back([self._use(job) for job in jobs if _is_counted(job)])

    def _use(self, job: Job) -> Use:
        return Use(self._budget, job.recipient.lower())


def _is_counted(job: Job) -> bool:
    return job.channel == EMAIL and job.attempts <= 1
