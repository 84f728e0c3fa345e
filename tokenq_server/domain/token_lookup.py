"""Resolve a typed number to tokens. Nothing here guesses: a caller that gets two must refuse."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.numbers import means
from tokenq_server.domain.token import Token


@dataclass(frozen=True)
class Printed:
    """A token with what its number depends on in the department that issued it.

    ``prefix`` and ``number_start`` are current, as of the business day ``today``. ``is_archived``: the department has
    been deleted.
    """

    token: Token
    prefix: str
    number_start: int
    today: date
    is_archived: bool = False

    def is_meant(self, typed: str) -> bool:
        """Whether ``typed`` can refer to this token."""
        return means(typed, self.token.display, self.prefix, self.number_start - 1 + self.token.number)


def named(typed: str, candidates: Iterable[Printed], now: datetime) -> list[Token]:
    """Return the tokens that a typed number may refer to.

    Candidates are the live tokens of any day, the final ones that were issued or ended today (or whose last move can
    still be undone), and those that expired when today began. Of the tokens that a department issued, a live one hides
    the others, and any of them an expired one of an earlier day.
    """
    ranked = [(_rank(printed, now), printed.token) for printed in candidates if printed.is_meant(typed)]
    best: dict[str, int] = {}
    for rank, token in ranked:
        best[token.issued_in] = min(rank, best.get(token.issued_in, _NOT_MEANT))
    return [token for rank, token in ranked if rank == best[token.issued_in] < _NOT_MEANT]


def _rank(printed: Printed, now: datetime) -> int:
    """0 for a live token, then what it hides; ``_NOT_MEANT`` if the number no longer refers to it."""
    token = printed.token
    if token.state in LIVE:
        return 0
    if printed.is_archived:
        return _NOT_MEANT
    if token.day >= printed.today or (token.undo is not None and token.undo.until > now):
        return 1
    if token.last_day < printed.today:
        return _NOT_MEANT
    return 2 if token.state is TokenState.EXPIRED else 1


_NOT_MEANT = 3
