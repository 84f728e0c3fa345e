"""What a replay of the log knows of a token."""

from dataclasses import dataclass
from datetime import date

from tokenq.contract.enums import AT_COUNTER, LIVE, Priority, TokenState
from tokenq.contract.verbs import Verb
from tokenq_server.domain.invariants.entries import TokenRow
from tokenq_server.domain.invariants.tally import Tally

_FINAL = frozenset(TokenState) - LIVE

LifePosition = tuple[TokenState, str | None, Priority, int]
"""State, counter, class and place."""


@dataclass(slots=True)
class Life:
    """A token in one department, as its log tells it. ``state`` is ``None`` while it is in another department.

    ``claims`` counts what its claim version grew by here. ``last`` is the move that can be taken back, with what the
    token was before it (``None``: that is in another department's log). ``others`` are the departments that it
    came from or went to. ``is_given_up`` says that a day has begun since it ended.
    """

    token_id: int
    day: date
    user_id: int | None
    state: TokenState | None
    priority: Priority
    place: int
    counter_id: str | None = None
    claims: int = 0
    last: tuple[Verb, LifePosition | None] | None = None
    others: frozenset[str] = frozenset()
    is_given_up: bool = False

    @property
    def position(self) -> LifePosition:
        """What an undo would give back."""
        assert self.state is not None
        return self.state, self.counter_id, self.priority, self.place

    @property
    def is_at_counter(self) -> bool:
        """Whether it occupies a counter here."""
        return self.state in AT_COUNTER

    @property
    def is_live(self) -> bool:
        """Whether somebody must still attend to it here."""
        return self.state in LIVE

    def is_over(self, today: date) -> bool:
        """Whether nothing can happen to it any more."""
        return self.day < today and self.state in _FINAL and not self.others


class Travels:
    """Tokens that were in several departments: their logs together must tell what the token is."""

    def __init__(self) -> None:
        self._legs: dict[int, list[tuple[str, Life]]] = {}

    def add(self, department_id: str, life: Life) -> None:
        """What one department's log tells of a token."""
        self._legs.setdefault(life.token_id, []).append((department_id, life))

    @property
    def token_ids(self) -> list[int]:
        """The tokens that travelled."""
        return list(self._legs)

    def compare(self, token_id: int, row: TokenRow | None, tally: Tally) -> None:
        """Hold the legs of one token against its row; legs in logs that were not read make that impossible."""
        legs = self._legs[token_id]
        if not {other for _, life in legs for other in life.others} <= {name for name, _ in legs}:
            return
        here = [(name, life) for name, life in legs if life.state is not None]
        first = legs[0][0]
        if len(here) != 1:
            where = ", ".join(name for name, _ in here) or "nowhere"
            tally.check("L2", first, False, f"Token {token_id} is in {where} by the logs.")
            return
        name, life = here[0]
        compare(name, life, row, tally, claims=sum(leg.claims for _, leg in legs))


def compare(department_id: str, life: Life, row: TokenRow | None, tally: Tally, *, claims: int | None = None) -> None:
    """Hold what the log tells of a token against its row (L2)."""
    tally.look("L2")
    if row is None:
        tally.blame("L2", department_id, f"Token {life.token_id} is in the log, but there is no such token.")
        return
    told = {
        "department": department_id,
        "state": life.state,
        "class": life.priority,
        "place": life.place,
        "counter": life.counter_id,
        "claim version": life.claims if claims is None else claims,
        "user": life.user_id,
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
    wrong = [f"{name} {held[name]} instead of {told[name]}" for name in told if told[name] != held[name]]
    if wrong:
        tally.blame("L2", department_id, f"Token {life.token_id} has {', '.join(wrong)} by its log.")
