"""A token's state as reconstructed by replaying the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tokenq.contract.enums import AT_COUNTER, LIVE, Priority, TokenState
from tokenq.contract.verbs import Verb
from tokenq_server.domain.invariants.entries import TokenRow
from tokenq_server.domain.invariants.tally import Tally

_FINAL = frozenset(TokenState) - LIVE

UndoState = tuple[TokenState, str | None, Priority, int]
"""State, counter, class and sort key: what an undo restores."""


@dataclass(slots=True)
class ReplayedToken:
    """A token in one department, according to its log. ``state`` is ``None`` while it is in another department.

    ``claims`` counts the increments of its claim version here. ``last`` is the move that can be undone and the state
    before it (``None``: that is in another department's log). ``others`` are the departments it came from or went to.
    ``is_given_up``: another day has begun since it ended.
    """

    token_id: int
    day: date
    user_id: int | None
    state: TokenState | None
    priority: Priority
    place: int
    counter_id: str | None = None
    claims: int = 0
    last: tuple[Verb, UndoState | None] | None = None
    others: frozenset[str] = frozenset()
    is_given_up: bool = False

    @property
    def position(self) -> UndoState:
        """What an undo of the next move would restore."""
        assert self.state is not None
        return self.state, self.counter_id, self.priority, self.place

    @property
    def is_at_counter(self) -> bool:
        """Whether it is at a counter here."""
        return self.state in AT_COUNTER

    @property
    def is_live(self) -> bool:
        """Whether it is live here."""
        return self.state in LIVE

    def is_over(self, today: date) -> bool:
        """Whether nothing can happen to it any more."""
        return self.day < today and self.state in _FINAL and not self.others


class TransferredTokens:
    """Tokens that were in several departments: only their logs together determine their state.

    ``floor_days`` are the last days of which a department's log lacks deleted entries.
    """

    def __init__(self, floor_days: Mapping[str, date]) -> None:
        self._floor_days = floor_days
        self._legs: dict[int, list[tuple[str, ReplayedToken]]] = {}

    def add(self, department_id: str, token: ReplayedToken) -> None:
        """Add a token's state according to one department's log."""
        self._legs.setdefault(token.token_id, []).append((department_id, token))

    @property
    def token_ids(self) -> list[int]:
        """The ids of these tokens."""
        return list(self._legs)

    def compare(self, token_id: int, row: TokenRow | None, tally: Tally) -> None:
        """Compare a token's legs with its row; skipped if one of them was not read, or may be partly deleted."""
        legs = self._legs[token_id]
        names = {name for name, _ in legs}
        if not {other for _, token in legs for other in token.others} <= names:
            return
        if row is not None and any(row.day <= self._floor_days.get(name, date.min) for name in names):
            return
        present = [(name, token) for name, token in legs if token.state is not None]
        first = legs[0][0]
        if len(present) != 1:
            where = ", ".join(name for name, _ in present) or "nowhere"
            tally.check("L2", first, False, f"Token {token_id} is in {where} according to the logs.")
            return
        name, token = present[0]
        compare(name, token, row, tally, claims=sum(leg.claims for _, leg in legs))


def compare(
    department_id: str, token: ReplayedToken, row: TokenRow | None, tally: Tally, *, claims: int | None = None
) -> None:
    """Compare a replayed token with its row (L2)."""
    tally.look("L2")
    if row is None:
        tally.blame("L2", department_id, f"Token {token.token_id} is in the log, but not in the table of tokens.")
        return
    expected = {
        "department": department_id,
        "state": token.state,
        "class": token.priority,
        "place": token.place,
        "counter": token.counter_id,
        "claim version": token.claims if claims is None else claims,
        "user": token.user_id,
    }
    held = {
        "department": row.department_id,
        "state": row.state,
        "class": row.priority,
        "place": row.place,
        "counter": row.counter_id,
        "claim version": row.claim_version,
        "user": row.user_id,
    }
    wrong = [f"{name} {held[name]} instead of {expected[name]}" for name in expected if expected[name] != held[name]]
    if wrong:
        tally.blame("L2", department_id, f"Token {token.token_id} has {', '.join(wrong)}, according to its log.")
