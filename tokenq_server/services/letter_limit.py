"""Limits the e-mails to one address, whoever causes them: nobody's mailbox is flooded with our letters."""

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

    async def suppressed(self, job: Job) -> Attempt | None:
        """Return the result of an e-mail that must not be sent, having too many before it; ``None`` if it may be."""
        if job.channel != EMAIL or job.attempts > 1:
            return None
        if await self._limits.take([Use(self._budget, job.recipient.lower())]) is None:
            return None
        return Attempt(Verdict.SUPPRESSED, f"This address gets at most {self._budget.free} e-mails an hour.")
