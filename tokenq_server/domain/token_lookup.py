"""Resolve a typed number to tokens. Nothing here guesses: a caller that gets two must refuse."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from tokenq.contract.enums import LIVE
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

    Candidates are the live tokens of any day and the final ones of today (or whose last move can still be undone); a
    live token hides the final ones that its department issued.
    """
    matches = [printed for printed in candidates if printed.is_meant(typed) and _is_current(printed, now)]
    hiding = {printed.token.issued_in for printed in matches if printed.token.state in LIVE}
    return [
        printed.token for printed in matches if printed.token.state in LIVE or printed.token.issued_in not in hiding
    ]


def _is_current(printed: Printed, now: datetime) -> bool:
    undo = printed.token.undo
    if printed.token.state in LIVE:
        return True
    return not printed.is_archived and (printed.token.day >= printed.today or (undo is not None and undo.until > now))
