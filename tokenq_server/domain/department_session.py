"""One department while its row is locked: what was loaded, and what the batch has changed.

Nothing here accesses a store. The caller loads what the commands need, runs them in turn (the verbs are in
:mod:`issuing`, :mod:`calling`, :mod:`moving`, :mod:`transferring` and :mod:`undoing`), and writes the changes, the
records and the log's head in one transaction. A verb checks everything before it changes anything, so a refused command
leaves no trace.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from tokenq.contract.enums import LIVE, Priority, TokenState
from tokenq.contract.events import EventType
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.copies import replace
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.numbering import display_number
from tokenq_server.domain.policy import Turn, Waiting, position
from tokenq_server.domain.principal import SYSTEM, Principal
from tokenq_server.domain.queue_heads import QueueHeads
from tokenq_server.domain.record import Record, queue_effect
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token, with_undo


class DepartmentSession:
    """A department, its loaded tokens and all changes of the batch so far."""

    def __init__(
        self,
        department: Department,
        head: DepartmentHead,
        now: datetime,
        counters: Counters,
        forecast: Forecast | None = None,
    ) -> None:
        self.department = department
        self.head = head
        self.now = now
        self.counters = counters
        self.forecast = forecast
        self.tokens: dict[int, Token] = {}
        self.created: set[int] = set()
        self.changed: dict[int, Token] = {}
        self.records: list[Record] = []
        self.taken_numbers: set[str] = set()
        self.freed_numbers: set[str] = set()
        """Printed numbers of tokens that expired in this session."""
        self._handed_out: int | None = None
        self._live_of_user: dict[int, Token] = {}
        self._heads = QueueHeads()

    @property
    def id(self) -> str:
        """The department's id."""
        return self.department.department_id

    def next_numbers(self, count: int) -> list[str]:
        """The next printed numbers of today, or of the day about to start."""
        last = 0 if self.day_is_over else self.head.last_no
        return [self.printed(number) for number in range(last + 1, last + 1 + count)]

    def printed(self, number: int) -> str:
        """A number of the day in its printed form."""
        department = self.department
        return display_number(department.number_format, department.prefix, department.rules.number_start - 1 + number)

    def next_number(self) -> int:
        """The day's next number that no live token of another day carries."""
        number = self._handed_out or self.head.last_no + 1
        while self.printed(number) in self.taken_numbers:
            number += 1
        return number

    def accept_number(self, first: int) -> bool:
        """Use the number that the Redis counter handed out, if the locked row expects it. Return whether it does.

        If not, the row decides, since it is durable, and the counter is corrected.
        """
        is_expected = first == self.head.last_no + 1
        self._handed_out = first if is_expected else None
        return is_expected

    def load_taken_numbers(self, numbers: Iterable[str]) -> None:
        """Load the printed numbers that live tokens carry, except those that this day's end has freed."""
        self.taken_numbers |= set(numbers) - self.freed_numbers

    def load(self, tokens: Iterable[Token]) -> None:
        """Load tokens as stored."""
        for token in tokens:
            self.tokens.setdefault(token.token_id, token)
            if token.user_id is not None and token.state in LIVE:
                self._live_of_user.setdefault(token.user_id, token)

    def load_heads(self, tokens: Iterable[Token]) -> None:
        """Load the heads of the queue; tokens that are not waiting here are ignored."""
        for token in tokens:
            loaded = self.tokens.setdefault(token.token_id, token)
            if loaded.state is TokenState.WAITING:
                self._heads.join(loaded)

    @property
    def day_is_over(self) -> bool:
        """Whether the branch has reached a later business day than the department's row."""
        return self._today() > self.head.day

    def roll_over(self, leftover: Iterable[Token]) -> None:
        """Start today: numbering restarts, and tokens left waiting or parked expire unless they are kept."""
        expire = VERBS[Verb.EXPIRE]
        for token in leftover:
            if token.state in expire.sources and not self.department.rules.keeps_waiting:
                self.load([token])
                expired = replace(token, state=TokenState.EXPIRED, undo=None, ended_on=self._today())
                self.apply(token, expired, expire.event, SYSTEM, {})
                self.freed_numbers |= {token.display} if token.issued_in == self.id else set()
        self.head = replace(self.head, day=self._today(), last_no=0, skipped=0, turn=Turn())

    def token(self, token_id: int) -> Token:
        """Return a token of this department. Raises Refused (``unknown_token``)."""
        token = self.tokens.get(token_id)
        if token is None or token.department_id != self.id:
            raise unknown_token(token_id)
        return token

    def live_token_of(self, user_id: int | None) -> Token | None:
        """Return the user's live token in this department."""
        return self._live_of_user.get(user_id) if user_id is not None else None

    def heads(self) -> dict[Priority, Waiting]:
        """The first waiting token of each class, as the policy needs them."""
        return self._heads.heads(self.tokens)

    def first_place(self, priority: Priority) -> int | None:
        """The smallest sort key in a class; ``None`` if none of it is loaded."""
        return self._heads.first_place(priority)

    @property
    def last_place(self) -> int:
        """A sort key after everyone waiting now."""
        return self.head.last_seq + 1

    def next_position(self, priority: Priority) -> int:
        """The position (from 1) of a token that joins a class now."""
        waiting = self.head.waiting
        index = waiting.get(priority, 0) + 1
        return position(priority, index, waiting, self.head.turn, self.department.policy.ratio)

    def count_call(self, called: Priority) -> None:
        """Count a call by policy in the interleaving of the classes."""
        self.head = replace(self.head, turn=self.head.turn.after(called, self.department.policy.ratio))

    def add(self, token: Token, actor: str, data: dict[str, Any]) -> Token:
        """Add a new token to the queue; numbers skipped before it are recorded in its event."""
        if skipped := token.number - self.head.last_no - 1:
            data = {**data, "skipped": skipped}
        self.head = replace(self.head, last_no=token.number, skipped=self.head.skipped + skipped)
        self._handed_out = self._handed_out and token.number + 1
        self.created.add(token.token_id)
        self._keep(token)
        self._enter_line(token)
        self._log(EventType.TOKEN_GENERATED, token, actor, data, joins=True)
        return token

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Take back the tokens added within, if one of them is refused."""
        head, handed_out, count = self.head, self._handed_out, len(self.records)
        try:
            yield
        except Refused:
            for record in self.records[count:]:
                token_id = record.token.token_id
                self._leave(self.tokens.pop(token_id))
                self.changed.pop(token_id)
                self.created.discard(token_id)
            del self.records[count:]
            self.head, self._handed_out = head, handed_out
            raise

    def move(
        self, old: Token, new: Token, verb: Verb, caller: Principal, data: dict[str, Any], note: str | None = None
    ) -> Token:
        """Apply a verb's result, with undo information where the verb has an undo."""
        move = VERBS[verb]
        if new.state not in LIVE:
            new = replace(new, ended_on=self.head.day)
        if move.has_undo:
            until = self.now + self.department.rules.undo_window
            new = with_undo(old, new, str(verb), until, caller.identity)
        return self.apply(old, new, move.event, caller.actor, data, note)

    def apply(
        self, old: Token, new: Token, event: EventType, actor: str, data: dict[str, Any], note: str | None = None
    ) -> Token:
        """Replace ``old`` by ``new`` within this department, update queue and counters, and log the event."""
        self._leave(old)
        self._enter(new)
        # The event names the counter where the customer was: a served or missed token left this counter.
        at = new.counter_id or (old.counter_id if event is not EventType.TOKEN_REVERTED else None)
        self._log(event, replace(new, counter_id=at), actor, data, queue_effect(old, new), note)
        return new

    def hand_over_to(
        self,
        old: Token,
        new: Token,
        target: "DepartmentSession",
        event: EventType,
        actor: str,
        data: dict[str, Any],
        note: str | None = None,
    ) -> Token:
        """Hand the token over to another department; the event is logged in both."""
        self._leave(old)
        self.tokens.pop(old.token_id)
        self.changed.pop(old.token_id, None)
        gone = replace(new, department_id=self.id, counter_id=old.counter_id if old.is_at_counter else None)
        self._log(event, gone, actor, data, False if old.state is TokenState.WAITING else None, note)
        target._enter(new)
        joins = True if new.state is TokenState.WAITING else None
        target._log(event, new, actor, data, joins, note)
        return new

    def log_near_turn(self, token: Token, place: int) -> None:
        """Record that the token's owner has been notified; its position does not change."""
        self._keep(token)
        self._log(EventType.TOKEN_TURN_NEAR, token, SYSTEM, {"position": place}, joins=None)

    def restore(self, token: Token) -> None:
        """Restore a token that the store has lost, under its original number."""
        self.created.add(token.token_id)
        self._enter(token)
        if token.state is TokenState.WAITING:
            self._log(EventType.TOKEN_REINSTATED, token, SYSTEM, {"rewound": True}, joins=True)
        else:
            self.log_state(token)

    def replace_unlogged(self, old: Token, new: Token) -> None:
        """Replace a token without logging: only the store was out of date."""
        self._leave(old)
        self._enter(new)

    def log_state(self, token: Token) -> None:
        """Log a token's state, or that it is in another department, for readers who have seen a different one."""
        data: dict[str, Any] = {"undone": "rewind", "state": str(token.state)}
        if token.department_id != self.id:
            data |= {"from": self.id, "to": token.department_id}
            token = replace(token, department_id=self.id)
        self._log(EventType.TOKEN_REVERTED, token, SYSTEM, data, joins=None)

    def _today(self) -> date:
        return business_day(self.now, self.department.timezone, self.department.rollover_hour, self.head.day)

    def _leave(self, token: Token) -> None:
        if token.state is TokenState.WAITING:
            self._heads.leave(token)
            self._count(token.priority, -1)
        if token.is_at_counter:
            self.counters.vacate(token)
        if token.user_id is not None and self._live_of_user.get(token.user_id) == token:
            self._live_of_user.pop(token.user_id)

    def _enter(self, token: Token) -> None:
        self._keep(token)
        if token.state is TokenState.WAITING:
            self._enter_line(token)
        self.counters.occupy(token)

    def _keep(self, token: Token) -> None:
        self.tokens[token.token_id] = self.changed[token.token_id] = token
        if token.user_id is not None and token.state in LIVE:
            self._live_of_user[token.user_id] = token

    def _enter_line(self, token: Token) -> None:
        self._heads.join(token)
        self._count(token.priority, 1)

    def _count(self, priority: Priority, change: int) -> None:
        waiting = dict(self.head.waiting)
        waiting[priority] = waiting.get(priority, 0) + change
        self.head = replace(self.head, waiting=waiting)

    def _log(
        self,
        kind: EventType,
        token: Token,
        actor: str,
        data: dict[str, Any],
        joins: bool | None,
        note: str | None = None,
    ) -> None:
        seq = self.head.last_seq + 1
        self.head = replace(self.head, last_seq=seq)
        self.records.append(Record(seq, kind, token, actor, self.now, data, joins, note))
