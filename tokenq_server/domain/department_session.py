"""One department while its row is locked: what was loaded of it, and everything that the batch has changed.

Nothing here reads or writes a store. The caller loads what the commands need, lets them act one after the other (the
verbs are in :mod:`issuing`, :mod:`calling`, :mod:`moving`, :mod:`transferring` and :mod:`undoing`), and writes what
changed, the records and the head of the log in one transaction. A verb checks everything before it changes anything, so
a refused one leaves no trace.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from tokenq.contract.enums import LIVE, Priority, TokenState
from tokenq.contract.events import EventType
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.line import Line
from tokenq_server.domain.numbering import display_number
from tokenq_server.domain.policy import Turn, Waiting, position
from tokenq_server.domain.record import Record
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token, remembering

SYSTEM = "tokenq"
"""The actor of what happens by itself."""


class DepartmentSession:
    """A department, its loaded tokens and everything that the batch has changed so far."""

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
        self.carried: set[str] = set()
        self._freed: set[str] = set()
        self._handed_out: int | None = None
        self._live_of_user: dict[int, Token] = {}
        self._line = Line()

    @property
    def id(self) -> str:
        """The department's id."""
        return self.department.department_id

    def next_numbers(self, count: int) -> list[str]:
        """The next numbers as they would be printed, of today or of the day that is about to begin."""
        last = 0 if self.day_is_over else self.head.last_no
        return [self.printed(number) for number in range(last + 1, last + 1 + count)]

    def printed(self, number: int) -> str:
        """A number of the day as people see it."""
        here = self.department
        return display_number(here.number_format, here.prefix, here.rules.number_start - 1 + number)

    def next_number(self) -> int:
        """The next number of the day that nobody live carries from another one."""
        number = self._handed_out or self.head.last_no + 1
        while self.printed(number) in self.carried:
            number += 1
        return number

    def hand_out_from(self, first: int) -> bool:
        """Take the number that the line's counter handed out, if it is the one that the locked row expects.

        Returns whether it was. If not, the row decides: what it says is durable, and the counter is corrected by it.
        """
        is_expected = first == self.head.last_no + 1
        self._handed_out = first if is_expected else None
        return is_expected

    def know_carried(self, numbers: Iterable[str]) -> None:
        """Take in which printed numbers live tokens carry in the store, but for those that this day's end frees."""
        self.carried |= set(numbers) - self._freed

    def know(self, tokens: Iterable[Token]) -> None:
        """Take in tokens as the store holds them."""
        for token in tokens:
            self.tokens.setdefault(token.token_id, token)
            if token.user_id is not None and token.state in LIVE:
                self._live_of_user.setdefault(token.user_id, token)

    def line_up(self, tokens: Iterable[Token]) -> None:
        """Take in the heads of the waiting line; only tokens that really wait here are kept."""
        for token in tokens:
            known = self.tokens.setdefault(token.token_id, token)
            if known.state is TokenState.WAITING:
                self._line.join(known)

    @property
    def day_is_over(self) -> bool:
        """Whether the branch has reached a later business day than the department's row."""
        return self._today() > self.head.day

    def roll_over(self, leftover: Iterable[Token]) -> None:
        """Begin today: numbers start again, and who was not called on the day before expires."""
        expire = VERBS[Verb.EXPIRE]
        for token in leftover:
            if token.state in expire.sources:
                self.know([token])
                expired = replace(token, state=TokenState.EXPIRED, undo=None)
                self.become(token, expired, expire.event, SYSTEM, {})
                self._freed |= {token.display} if token.issued_in == self.id else set()
        self.head = replace(self.head, day=self._today(), last_no=0, skipped=0, turn=Turn())

    def token(self, token_id: int) -> Token:
        """A token of this department. Raises Refused (``unknown_token``)."""
        token = self.tokens.get(token_id)
        if token is None or token.department_id != self.id:
            raise unknown_token(token_id)
        return token

    def live_token_of(self, user_id: int | None) -> Token | None:
        """The live token that a user holds here."""
        return self._live_of_user.get(user_id) if user_id is not None else None

    def heads(self) -> dict[Priority, Waiting]:
        """The first of each class, as the policy wants them."""
        return self._line.heads(self.tokens)

    def first_place(self, priority: Priority) -> int | None:
        """The least place in a class; ``None`` if nobody of it is loaded."""
        return self._line.first_place(priority)

    @property
    def last_place(self) -> int:
        """A place behind everybody who waits now."""
        return self.head.last_seq + 1

    def next_position(self, priority: Priority) -> int:
        """The place from 1 of somebody who would join a class now."""
        waiting = self.head.waiting
        index = waiting.get(priority, 0) + 1
        return position(priority, index, waiting, self.head.turn, self.department.policy.ratio)

    def turn_after(self, called: Priority) -> None:
        """Remember a call by the policy: the classes take turns."""
        self.head = replace(self.head, turn=self.head.turn.after(called, self.department.policy.ratio))

    def add(self, token: Token, actor: str, data: dict[str, Any]) -> Token:
        """Let a new token into the line under its number; those before it that were left out are noted."""
        if skipped := token.number - self.head.last_no - 1:
            data = {**data, "skipped": skipped}
        self.head = replace(self.head, last_no=token.number, skipped=self.head.skipped + skipped)
        self._handed_out = self._handed_out and token.number + 1
        self.created.add(token.token_id)
        self._keep(token)
        self._enter_line(token)
        self._log(EventType.TOKEN_GENERATED, token, actor, data, joins=True)
        return token

    def move(
        self, old: Token, new: Token, verb: Verb, actor: str, data: dict[str, Any], note: str | None = None
    ) -> Token:
        """Let a token be what a verb made of it, so that it can be taken back."""
        move = VERBS[verb]
        if move.has_undo:
            new = remembering(old, new, str(verb), self.now + self.department.rules.undo_window)
        return self.become(old, new, move.event, actor, data, note)

    def become(
        self, old: Token, new: Token, event: EventType, actor: str, data: dict[str, Any], note: str | None = None
    ) -> Token:
        """Let a token of this department be ``new``, in line and at the counters too, and log that."""
        self._leave(old)
        self._enter(new)
        # The event tells where the customer was: a served or missed token left this counter.
        at = new.counter_id or (old.counter_id if event is not EventType.TOKEN_REVERTED else None)
        self._log(event, replace(new, counter_id=at), actor, data, _joins(old, new), note)
        return new

    def hand_over(
        self,
        old: Token,
        new: Token,
        target: "DepartmentSession",
        event: EventType,
        actor: str,
        data: dict[str, Any],
        note: str | None = None,
    ) -> Token:
        """Let a token go to another department; both logs tell of it."""
        self._leave(old)
        self.tokens.pop(old.token_id)
        self.changed.pop(old.token_id, None)
        gone = replace(new, department_id=self.id, counter_id=old.counter_id if old.is_at_counter else None)
        self._log(event, gone, actor, data, False if old.state is TokenState.WAITING else None, note)
        target._enter(new)
        joins = True if new.state is TokenState.WAITING else None
        target._log(event, new, actor, data, joins, note)
        return new

    def note_near(self, token: Token, place: int) -> None:
        """Keep that a token's owner has been told, and log it; its place in line stays."""
        self._keep(token)
        self._log(EventType.TOKEN_TURN_NEAR, token, SYSTEM, {"position": place}, joins=None)

    def bring_back(self, token: Token) -> None:
        """Take in a token that the store had lost, under the number it was given then."""
        self.created.add(token.token_id)
        self._enter(token)
        if token.state is TokenState.WAITING:
            self._log(EventType.TOKEN_REINSTATED, token, SYSTEM, {"rewound": True}, joins=True)
        else:
            self.tell_again(token)

    def settle(self, old: Token, new: Token) -> None:
        """Let a token be what everybody but the store knows already: nothing is logged."""
        self._leave(old)
        self._enter(new)

    def tell_again(self, token: Token) -> None:
        """Log what a token is, for readers who were told something else; of one that is elsewhere, that it is."""
        data: dict[str, Any] = {"undone": "rewind", "state": str(token.state)}
        if token.department_id != self.id:
            data |= {"from": self.id, "to": token.department_id}
            token = replace(token, department_id=self.id)
        self._log(EventType.TOKEN_REVERTED, token, SYSTEM, data, joins=None)

    def _today(self) -> date:
        return business_day(self.now, self.department.timezone, self.department.rollover_hour, self.head.day)

    def _leave(self, token: Token) -> None:
        if token.state is TokenState.WAITING:
            self._line.leave(token)
            self._count(token.priority, -1)
        if token.is_at_counter:
            self.counters.free(token)
        if token.user_id is not None and self._live_of_user.get(token.user_id) == token:
            self._live_of_user.pop(token.user_id)

    def _enter(self, token: Token) -> None:
        self._keep(token)
        if token.state is TokenState.WAITING:
            self._enter_line(token)
        self.counters.seat(token)

    def _keep(self, token: Token) -> None:
        self.tokens[token.token_id] = self.changed[token.token_id] = token
        if token.user_id is not None and token.state in LIVE:
            self._live_of_user[token.user_id] = token

    def _enter_line(self, token: Token) -> None:
        self._line.join(token)
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


def _joins(old: Token, new: Token) -> bool | None:
    """What a move does to the line: a token joins it (or another class of it), leaves it, or neither."""
    if new.state is TokenState.WAITING:
        return True
    return False if old.state is TokenState.WAITING else None
