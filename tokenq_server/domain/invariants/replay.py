"""A department's log folded by the table of moves, the same one that live code uses: S1 to S5, N8, L2 and L3."""

from collections.abc import Iterator
from datetime import date

from tokenq.contract.enums import TokenState
from tokenq.contract.events import EventType
from tokenq.contract.verbs import VERBS, Row, Verb
from tokenq_server.domain.department_session import SYSTEM
from tokenq_server.domain.invariants.calls import check_order
from tokenq_server.domain.invariants.entries import LogEntry
from tokenq_server.domain.invariants.line import PrefixLine
from tokenq_server.domain.invariants.lives import Life
from tokenq_server.domain.invariants.tally import Tally

_VERBS = {str(move.event): (verb, move) for verb, move in VERBS.items() if verb not in (Verb.TRANSFER, Verb.UNDO)}


class Replay:
    """One department's log, entry by entry. Memory holds the tokens of one day, those that live, and travellers.

    ``is_partial``: it does not begin with the first entry, so tokens that it does not know are left alone. Up to
    ``old_seq`` the entries may be of a release in which the end of a day ended those who were called, too.
    """

    def __init__(self, department_id: str, tally: Tally, *, is_partial: bool = False, old_seq: int = 0) -> None:
        self._id = department_id
        self._tally = tally
        self._is_partial = is_partial
        self._old_seq = old_seq
        self.line = PrefixLine()
        self._lives: dict[int, Life] = {}
        self._counters: dict[str, int] = {}
        self._users: dict[int, int] = {}

    def take(self, entry: LogEntry) -> None:
        """Fold the next entry."""
        event = entry.event
        if not event.token_id:
            return
        life = self._lives.get(event.token_id)
        was_waiting = life is not None and life.state is TokenState.WAITING
        arrives, goes = event.data.get("to") == self._id, event.data.get("from") == self._id
        kind = event.event_type
        if self._is_partial and life is None and kind != EventType.TOKEN_GENERATED:
            return
        if kind == EventType.TOKEN_GENERATED:
            life = self._begin(entry, life)
        elif kind == EventType.TOKEN_TURN_NEAR:
            self._expect(entry, was_waiting, "is told that their turn is near")
        elif kind in (EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED) and arrives:
            life = self._arrive(entry, life)
        elif kind in (EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED) and goes:
            self._go(entry, life)
        elif kind == EventType.TOKEN_REVERTED:
            self._revert(entry, life)
        else:
            self._move(entry, life)
        if life is not None:
            self._check_line(entry, life, was_waiting=was_waiting)

    def over(self, today: date) -> list[Life]:
        """Give up the tokens to which nothing can happen any more, since ``today`` has begun.

        A move of the day's last minutes may still be taken back, so they are kept for one more day.
        """
        ended = [life for life in self._lives.values() if life.is_over(today)]
        gone = [life for life in ended if life.is_given_up]
        for life in ended:
            life.is_given_up = True
        for life in gone:
            del self._lives[life.token_id]
        return gone

    def rest(self) -> Iterator[Life]:
        """The tokens that are left."""
        return iter(self._lives.values())

    def _begin(self, entry: LogEntry, known: Life | None) -> Life:
        event, stored = entry.event, entry.stored
        self._expect(entry, known is None, "is issued again")
        life = Life(event.token_id, entry.day, event.user_id, TokenState.WAITING, stored.priority, stored.place)
        self._lives[life.token_id] = life
        self._settle(entry, life)
        return life

    def _arrive(self, entry: LogEntry, life: Life | None) -> Life:
        event, stored = entry.event, entry.stored
        self._expect(entry, life is None or life.state is None, "comes from elsewhere while it is here")
        if life is None:
            life = Life(event.token_id, entry.day, event.user_id, None, stored.priority, stored.place)
            self._lives[life.token_id] = life
        life.others |= {str(event.data.get("from"))}
        life.priority, life.place, life.counter_id = stored.priority, stored.place, event.counter_id
        if event.event_type == EventType.TOKEN_TRANSFERRED:
            life.state, life.last = TokenState.WAITING, (Verb.TRANSFER, None)
        else:
            life.claims += 1
            life.state = _state(event.data.get("state"))
            before = life.last[1] if life.last else None
            self._expect(entry, before == life.position, "comes back as it never was")
            life.last = None
        self._settle(entry, life)
        return life

    def _go(self, entry: LogEntry, life: Life | None) -> None:
        self._expect(entry, life is not None and life.is_live, "goes elsewhere while it is not here")
        if life is None or life.state is None:
            return
        if entry.event.event_type == EventType.TOKEN_REVERTED:
            is_fresh = life.last is not None and life.last[0] is Verb.TRANSFER
            self._expect(entry, is_fresh, "goes back although it did not just come")
        self._unsettle(life)
        life.last = (Verb.TRANSFER, life.position)
        life.others |= {str(entry.event.data.get("to"))}
        life.state = None

    def _revert(self, entry: LogEntry, life: Life | None) -> None:
        self._expect(entry, life is not None and life.state is not None, "is taken back while it is not here")
        if life is None or life.state is None:
            return
        self._unsettle(life)
        undone, last = entry.event.data.get("undone"), life.last
        life.state = _state(entry.event.data.get("state"))
        life.counter_id, life.last = entry.event.counter_id, None
        life.priority, life.place = entry.stored.priority, entry.stored.place
        life.claims += 1
        is_last = last is not None and last[0] == undone and last[1] == life.position
        self._expect(entry, is_last, f"has '{undone}' taken back, which was not its last move, or not to this")
        self._settle(entry, life)

    def _move(self, entry: LogEntry, life: Life | None) -> None:
        verb, move = _VERBS.get(entry.event.event_type, (None, None))
        if verb is None or move is None or life is None or life.state is None:
            self._expect(entry, False, f"has {entry.event.event_type}, but is not here")
            return
        self._check_table(entry, life, verb, move)
        if verb is Verb.CALL:
            check_order(self._id, entry, life, self.line, self._tally)
        self._unsettle(life)
        if move.has_undo:
            life.last = (verb, life.position)
        if verb is Verb.EXPIRE or (verb is Verb.RESUME and entry.event.actor == SYSTEM):
            life.last = None
        life.claims += verb is Verb.CALL
        assert move.target is not None
        life.state, life.priority, life.place = move.target, entry.stored.priority, entry.stored.place
        if move.target is TokenState.CALLED:
            life.counter_id = entry.event.counter_id
        elif move.target in (TokenState.WAITING, TokenState.PARKED):
            life.counter_id = None
        self._settle(entry, life)

    def _check_table(self, entry: LogEntry, life: Life, verb: Verb, move: Row) -> None:
        is_old_end = verb is Verb.EXPIRE and life.state is TokenState.CALLED and entry.seq <= self._old_seq
        is_legal = life.state in move.sources or is_old_end
        if verb is Verb.CALL:
            self._tally.check("S1", self._id, not life.is_at_counter, self._say(entry, "is called while at a counter"))
        if verb is Verb.SERVE:
            was_served = life.state is TokenState.SERVED
            self._tally.check("S2", self._id, not was_served, self._say(entry, "is served a second time"))
        self._expect(entry, is_legal, f"is {life.state}: '{verb}' is not possible")

    def _settle(self, entry: LogEntry, life: Life) -> None:
        """Let a token take its place in line, at its counter and as its user's."""
        if life.state is TokenState.WAITING:
            self.line.join(life.token_id, life.priority, life.place)
        if life.is_at_counter and life.counter_id is not None:
            held = self._counters.setdefault(life.counter_id, life.token_id)
            what = f"is at counter {life.counter_id}, where token {held} is"
            self._tally.check("S5", self._id, held == life.token_id, self._say(entry, what))
            self._counters[life.counter_id] = life.token_id
        if life.is_live and life.user_id is not None:
            held = self._users.setdefault(life.user_id, life.token_id)
            what = f"is of user {life.user_id}, who holds token {held}"
            self._tally.check("N8", self._id, held == life.token_id, self._say(entry, what))
            self._users[life.user_id] = life.token_id

    def _unsettle(self, life: Life) -> None:
        self.line.leave(life.token_id)
        if life.counter_id is not None and self._counters.get(life.counter_id) == life.token_id:
            del self._counters[life.counter_id]
        if life.user_id is not None and self._users.get(life.user_id) == life.token_id:
            del self._users[life.user_id]

    def _check_line(self, entry: LogEntry, life: Life, *, was_waiting: bool) -> None:
        is_waiting = life.state is TokenState.WAITING
        effect: bool | None = True if is_waiting else (False if was_waiting else None)
        if entry.event.event_type == EventType.TOKEN_TURN_NEAR:
            effect = None
        told = entry.stored.joins
        self._tally.check("L3", self._id, told is effect, f"Entry {entry.seq} says {told} of the line, not {effect}.")

    def _expect(self, entry: LogEntry, holds: bool, otherwise: str) -> None:
        self._tally.check("S3", self._id, holds, self._say(entry, otherwise))

    def _say(self, entry: LogEntry, what: str) -> str:
        return f"Entry {entry.seq}: token {entry.event.token_id} ({entry.event.display_number}) {what}."


def _state(text: object) -> TokenState:
    try:
        return TokenState(str(text))
    except ValueError:
        return TokenState.EXPIRED
