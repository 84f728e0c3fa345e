"""Replay a department's log by the table of verbs that live code uses: S1 to S5, N8, L2 and L3."""

from collections.abc import Iterator
from datetime import date

from tokenq.contract.enums import TokenState
from tokenq.contract.events import EventType
from tokenq.contract.verbs import VERBS, Row, Verb
from tokenq_server.domain.invariants.calls import check_order
from tokenq_server.domain.invariants.entries import LogEntry
from tokenq_server.domain.invariants.prefix_queue import PrefixQueue
from tokenq_server.domain.invariants.replayed_token import ReplayedToken
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.principal import SYSTEM

_VERBS = {str(move.event): (verb, move) for verb, move in VERBS.items() if verb not in (Verb.TRANSFER, Verb.UNDO)}


class Replay:
    """One department's log, entry by entry. Keeps one day's tokens, live tokens and transferred ones in memory.

    ``is_partial``: the log does not start with the first entry, so unknown tokens are ignored. ``is_cut``: its
    beginning is deleted, so tokens that neither begin nor arrive in the rest are ignored; all of them are final by now.
    Up to ``old_seq``, entries may come from a release in which the end of a day also expired called tokens.
    """

    def __init__(
        self, department_id: str, tally: Tally, *, is_partial: bool = False, is_cut: bool = False, old_seq: int = 0
    ) -> None:
        self._id = department_id
        self._tally = tally
        self._is_partial = is_partial
        self._is_cut = is_cut
        self._old_seq = old_seq
        self.line = PrefixQueue()
        self._tokens: dict[int, ReplayedToken] = {}
        self._counters: dict[str, int] = {}
        self._users: dict[int, int] = {}

    def take(self, entry: LogEntry) -> None:
        """Replay the next entry."""
        event = entry.event
        if not event.token_id:
            return
        token = self._tokens.get(event.token_id)
        was_waiting = token is not None and token.state is TokenState.WAITING
        arrives, goes = event.data.get("to") == self._id, event.data.get("from") == self._id
        kind = event.event_type
        if token is None and self._is_unknown(kind, arrives=arrives):
            return
        if kind == EventType.TOKEN_GENERATED:
            token = self._begin(entry, token)
        elif kind == EventType.TOKEN_TURN_NEAR:
            self._expect(entry, was_waiting, "has a near turn, but is not waiting")
        elif kind in (EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED) and arrives:
            token = self._arrive(entry, token)
        elif kind in (EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED) and goes:
            self._go(entry, token)
        elif kind == EventType.TOKEN_REVERTED:
            self._revert(entry, token)
        else:
            self._move(entry, token)
        if token is not None:
            self._check_line(entry, token, was_waiting=was_waiting)

    def over(self, today: date) -> list[ReplayedToken]:
        """Remove and return the tokens to which nothing can happen any more, now that ``today`` has begun.

        A move of the day's last minutes may still be undone, so they are kept for one more day.
        """
        ended = [token for token in self._tokens.values() if token.is_over(today)]
        gone = [token for token in ended if token.is_given_up]
        for token in ended:
            token.is_given_up = True
        for token in gone:
            del self._tokens[token.token_id]
        return gone

    def rest(self) -> Iterator[ReplayedToken]:
        """The remaining tokens."""
        return iter(self._tokens.values())

    def _is_unknown(self, kind: str, *, arrives: bool) -> bool:
        """Whether the history of a token that is seen for the first time began before what is replayed."""
        if kind == EventType.TOKEN_GENERATED:
            return False
        return self._is_partial or (self._is_cut and not (arrives and kind == EventType.TOKEN_TRANSFERRED))

    def _begin(self, entry: LogEntry, existing: ReplayedToken | None) -> ReplayedToken:
        event, stored = entry.event, entry.stored
        self._expect(entry, existing is None, "is issued again")
        token = ReplayedToken(
            event.token_id, entry.day, event.user_id, TokenState.WAITING, stored.priority, stored.place
        )
        self._tokens[token.token_id] = token
        self._settle(entry, token)
        return token

    def _arrive(self, entry: LogEntry, token: ReplayedToken | None) -> ReplayedToken:
        event, stored = entry.event, entry.stored
        self._expect(entry, token is None or token.state is None, "arrives although it is already here")
        if token is None:
            token = ReplayedToken(event.token_id, entry.day, event.user_id, None, stored.priority, stored.place)
            self._tokens[token.token_id] = token
        token.others |= {str(event.data.get("from"))}
        token.priority, token.place, token.counter_id = stored.priority, stored.place, event.counter_id
        if event.event_type == EventType.TOKEN_TRANSFERRED:
            token.state, token.last = TokenState.WAITING, (Verb.TRANSFER, None)
        else:
            token.claims += 1
            token.state = _state(event.data.get("state"))
            before = token.last[1] if token.last else None
            self._expect(entry, before == token.position, "returns in a state that it was never in")
            token.last = None
        self._settle(entry, token)
        return token

    def _go(self, entry: LogEntry, token: ReplayedToken | None) -> None:
        self._expect(entry, token is not None and token.is_live, "leaves although it is not here")
        if token is None or token.state is None:
            return
        if entry.event.event_type == EventType.TOKEN_REVERTED:
            is_fresh = token.last is not None and token.last[0] is Verb.TRANSFER
            self._expect(entry, is_fresh, "goes back although it did not just arrive")
        self._take_away(token)
        token.last = (Verb.TRANSFER, token.position)
        token.others |= {str(entry.event.data.get("to"))}
        token.state = None

    def _revert(self, entry: LogEntry, token: ReplayedToken | None) -> None:
        self._expect(entry, token is not None and token.state is not None, "has a move undone although it is not here")
        if token is None or token.state is None:
            return
        self._take_away(token)
        undone, last = entry.event.data.get("undone"), token.last
        token.state = _state(entry.event.data.get("state"))
        token.counter_id, token.last = entry.event.counter_id, None
        token.priority, token.place = entry.stored.priority, entry.stored.place
        token.claims += 1
        is_last = last is not None and last[0] == undone and last[1] == token.position
        self._expect(entry, is_last, f"has '{undone}' undone, which was not its last move or led from another state")
        self._settle(entry, token)

    def _move(self, entry: LogEntry, token: ReplayedToken | None) -> None:
        verb, move = _VERBS.get(entry.event.event_type, (None, None))
        if verb is None or move is None or token is None or token.state is None:
            self._expect(entry, False, f"has {entry.event.event_type}, but is not here")
            return
        self._check_table(entry, token, verb, move)
        if verb is Verb.CALL:
            check_order(self._id, entry, token, self.line, self._tally)
        self._take_away(token)
        if move.has_undo:
            token.last = (verb, token.position)
        if verb is Verb.EXPIRE or (verb is Verb.RESUME and entry.event.actor == SYSTEM):
            token.last = None
        token.claims += verb is Verb.CALL
        token.state = move.target or token.state  # an edit keeps it
        token.priority, token.place = entry.stored.priority, entry.stored.place
        if move.target is TokenState.CALLED:
            token.counter_id = entry.event.counter_id
        elif move.target in (TokenState.WAITING, TokenState.PARKED):
            token.counter_id = None
        self._settle(entry, token)

    def _check_table(self, entry: LogEntry, token: ReplayedToken, verb: Verb, move: Row) -> None:
        is_old_end = verb is Verb.EXPIRE and token.state is TokenState.CALLED and entry.seq <= self._old_seq
        is_legal = token.state in move.sources or is_old_end
        if verb is Verb.CALL:
            self._tally.check("S1", self._id, not token.is_at_counter, self._say(entry, "is called while at a counter"))
        if verb is Verb.SERVE:
            was_served = token.state is TokenState.SERVED
            self._tally.check("S2", self._id, not was_served, self._say(entry, "is served a second time"))
        self._expect(entry, is_legal, f"is {token.state}: '{verb}' is not possible")

    def _settle(self, entry: LogEntry, token: ReplayedToken) -> None:
        """Put a token in the queue, at its counter and with its user."""
        if token.state is TokenState.WAITING:
            self.line.join(token.token_id, token.priority, token.place)
        if token.is_at_counter and token.counter_id is not None:
            held = self._counters.setdefault(token.counter_id, token.token_id)
            what = f"is at counter {token.counter_id}, which holds token {held}"
            self._tally.check("S5", self._id, held == token.token_id, self._say(entry, what))
            self._counters[token.counter_id] = token.token_id
        if token.is_live and token.user_id is not None:
            held = self._users.setdefault(token.user_id, token.token_id)
            what = f"belongs to user {token.user_id}, who already holds token {held}"
            self._tally.check("N8", self._id, held == token.token_id, self._say(entry, what))
            self._users[token.user_id] = token.token_id

    def _take_away(self, token: ReplayedToken) -> None:
        self.line.leave(token.token_id)
        if token.counter_id is not None and self._counters.get(token.counter_id) == token.token_id:
            del self._counters[token.counter_id]
        if token.user_id is not None and self._users.get(token.user_id) == token.token_id:
            del self._users[token.user_id]

    def _check_line(self, entry: LogEntry, token: ReplayedToken, *, was_waiting: bool) -> None:
        is_waiting = token.state is TokenState.WAITING
        effect: bool | None = True if is_waiting else (False if was_waiting else None)
        if entry.event.event_type == EventType.TOKEN_TURN_NEAR:
            effect = None
        recorded = entry.stored.joins
        self._tally.check("L3", self._id, recorded is effect, f"Entry {entry.seq} has joins={recorded}, not {effect}.")

    def _expect(self, entry: LogEntry, holds: bool, otherwise: str) -> None:
        self._tally.check("S3", self._id, holds, self._say(entry, otherwise))

    def _say(self, entry: LogEntry, what: str) -> str:
        return f"Entry {entry.seq}: token {entry.event.token_id} ({entry.event.display_number}) {what}."


def _state(text: object) -> TokenState:
    try:
        return TokenState(str(text))
    except ValueError:
        return TokenState.EXPIRED
