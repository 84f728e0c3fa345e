"""Which token a number means that somebody reads off paper. Nothing here guesses: who gets two answers must refuse."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from tokenq.contract.enums import LIVE
from tokenq.contract.numbers import means
from tokenq_server.domain.token import Token


@dataclass(frozen=True)
class Printed:
    """A token with what its number depends on in the department that issued it.

    ``prefix`` and ``number_start`` are those of today, which is the business day ``today``. ``is_archived``: there is
    no such department any more.
    """

    token: Token
    prefix: str
    number_start: int
    today: date
    is_archived: bool = False

    def is_meant(self, typed: str) -> bool:
        """Whether somebody who types that can mean this token."""
        return means(typed, self.token.display, self.prefix, self.number_start - 1 + self.token.number)


def named(typed: str, among: Iterable[Printed], now: datetime) -> list[Token]:
    """The tokens that a typed number may mean.

    Candidates are the live tokens of any day and the final ones of today (and one whose last move can still be taken
    back); a live token hides the final ones that its department issued.
    """
    fitting = [one for one in among if one.is_meant(typed) and _is_current(one, now)]
    hiding = {one.token.issued_in for one in fitting if one.token.state in LIVE}
    return [one.token for one in fitting if one.token.state in LIVE or one.token.issued_in not in hiding]


def _is_current(one: Printed, now: datetime) -> bool:
    undo = one.token.undo
    if one.token.state in LIVE:
        return True
    return not one.is_archived and (one.token.day >= one.today or (undo is not None and undo.until > now))
