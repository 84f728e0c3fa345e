"""One department while its row is locked: commands go in, changed tokens and events come out.

Nothing here reads or writes a store. The caller loads what the commands need, lets them act one after the
other, and writes :attr:`Floor.changed`, :attr:`Floor.records` and :attr:`Floor.standing` in one transaction.
A command checks everything before it changes anything, so a refused one leaves no trace.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq.contract.problems import ProblemCode, refuse
from tokenq.contract.words import LIVE, Priority, RequeuePosition, TokenState
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.commands import CallNext, CallToken, Issue, MoveToken, ServeNext
from tokenq_server.domain.department import Department, Standing
from tokenq_server.domain.lifecycle import MOVES, Verb, moves_from
from tokenq_server.domain.line import Line
from tokenq_server.domain.numbering import display_number
from tokenq_server.domain.policy import Turn, choose, position
from tokenq_server.domain.record import Record
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token

Counters = dict[tuple[str, str], Token]
"""Who is at which (branch, counter) now; shared by the floors of one batch."""


class Floor:
    """A department, its loaded tokens and everything that the batch has changed so far."""

    def __init__(self, department: Department, standing: Standing, now: datetime, counters: Counters) -> None:
        self.department = department
        self.standing = standing
        self.now = now
        self.counters = counters
        self.tokens: dict[int, Token] = {}
        self.created: set[int] = set()
        self.changed: dict[int, Token] = {}
        self.records: list[Record] = []
        self._live_of_user: dict[int, Token] = {}
        self._line = Line()

    def know(self, tokens: Iterable[Token]) -> None:
        """Take in tokens as the store holds them."""
        for token in tokens:
            self.tokens.setdefault(token.token_id, token)
            if token.user_id is not None and token.state in LIVE:
                self._live_of_user.setdefault(token.user_id, token)

    def line_up(self, tokens: Iterable[Token]) -> None:
        """Take in the heads of the waiting line; only tokens that really wait are kept."""
        for token in tokens:
            known = self.tokens.setdefault(token.token_id, token)
            if known.state is TokenState.WAITING:
                self._line.join(known)

    @property
    def day_is_over(self) -> bool:
        """Whether the branch has reached a later business day than the department's row."""
        return self._today() > self.standing.day

    def turn_day(self, leftover: Iterable[Token]) -> None:
        """Begin today: numbers start again, and who is left over from the day before expires."""
        for token in leftover:
            if token.state in MOVES[Verb.EXPIRE].sources:
                self.know([token])
                self._move(token, Verb.EXPIRE, "tokenq")
        self.standing = replace(self.standing, day=self._today(), last_no=0, turn=Turn())

    def issue(self, command: Issue, token_id: int) -> Token:
        """Put somebody in line under the day's next number."""
        if not self.department.is_open:
            raise refuse(
                ProblemCode.DEPARTMENT_CLOSED,
                f"{self.department.name} ({self.department.department_id}) is closed.",
                f"An admin opens it with 'tokenq dept open {self.department.department_id}'.",
            )
        if command.user_id is not None and (live := self._live_of_user.get(command.user_id)):
            raise refuse(
                ProblemCode.ALREADY_WAITING,
                f"User {command.user_id} already holds {live.display} in {self.department.department_id}.",
                f"See 'tokenq status {live.token_id}', or cancel it first.",
                tokenId=live.token_id,
                displayNumber=live.display,
            )
        number, place = self.standing.last_no + 1, self.standing.last_seq + 1
        token = Token(
            token_id=token_id,
            department_id=self.department.department_id,
            branch_id=self.department.branch_id,
            day=self.standing.day,
            number=number,
            display=display_number(self.department.number_format, self.department.prefix, number),
            state=TokenState.WAITING,
            priority=command.priority,
            place=place,
            original_place=place,
            issued_at=self.now,
            waiting_since=self.now,
            user_id=command.user_id,
            name=command.name,
            email=command.email,
        )
        self.standing = replace(self.standing, last_no=number)
        self.created.add(token_id)
        if token.user_id is not None:
            self._live_of_user[token.user_id] = token
        self._keep(token)
        self._enter_line(token)
        self._log(EventType.TOKEN_GENERATED, token, command.actor, {}, joins=True)
        return token

    def call_next(self, command: CallNext | ServeNext) -> Token:
        """Call whoever is next; if the counter holds somebody of this department, that one is the answer."""
        if held := self._held_here(command.counter_id):
            return held
        choice = choose(self._line.heads(self.tokens), self.standing.turn, self.department.policy, self.now)
        if choice is None:
            raise refuse(
                ProblemCode.QUEUE_EMPTY,
                f"Nobody is waiting in {self.department.department_id}.",
                "The next one shows with 'tokenq queue DEPT --watch'.",
            )
        token = self.tokens[choice.waiting.token_id]
        turn = self.standing.turn.after(token.priority, self.department.policy.ratio)
        called = self._call(token, command.counter_id, choice.rule, command.actor)
        self.standing = replace(self.standing, turn=turn)
        return called

    def call_token(self, command: CallToken) -> Token:
        """Call one token out of order; the reason is kept with the call."""
        token = self._token(command.token_id)
        held = self._held_here(command.counter_id)
        if held and held.token_id == token.token_id:
            return held
        if held:
            raise _busy(command.counter_id, held)
        self._check(token, Verb.CALL)
        return self._call(token, command.counter_id, f"called out of order: {command.reason}", command.actor)

    def serve_next(self, command: ServeNext) -> Token:
        """Serve the one the counter holds, else the next one, straight to SERVED; leaves both events."""
        return self._move(self.call_next(command), Verb.SERVE, command.actor)

    def move(self, command: MoveToken) -> Token:
        """Move one token along the table; the same move made twice by the same claim is answered, not repeated."""
        token = self._token(command.token_id)
        if command.claim_version is not None and command.claim_version != token.claim_version:
            raise refuse(
                ProblemCode.STALE_CLAIM,
                f"{token.display} was called again since you last saw it.",
                "Look at the queue once more before you go on.",
                claimVersion=token.claim_version,
            )
        if token.state is MOVES[command.verb].target and command.verb is not Verb.RECALL:
            return token
        self._check(token, command.verb)
        return self._move(token, command.verb, command.actor, command.position, command.reason)

    def position_of(self, token: Token) -> int | None:
        """The place from 1 of a token that is the last of its class; ``None`` unless it waits."""
        if token.state is not TokenState.WAITING:
            return None
        waiting = self.standing.waiting
        ratio = self.department.policy.ratio
        return position(token.priority, waiting.get(token.priority, 0), waiting, self.standing.turn, ratio)

    def _today(self) -> date:
        return business_day(self.now, self.department.timezone, self.department.rollover_hour, self.standing.day)

    def _token(self, token_id: int) -> Token:
        token = self.tokens.get(token_id)
        if token is None or token.department_id != self.department.department_id:
            raise unknown_token(token_id)
        return token

    def _check(self, token: Token, verb: Verb) -> None:
        if token.state in MOVES[verb].sources:
            return
        allowed = ", ".join(moves_from(token.state))
        raise refuse(
            ProblemCode.WRONG_STATE,
            f"{token.display} is {token.state}: '{verb}' is not possible.",
            f"Possible now: {allowed}." if allowed else "Nothing more can be done with it; issue a new one.",
            state=str(token.state),
        )

    def _held_here(self, counter_id: str) -> Token | None:
        held = self.counters.get((self.department.branch_id, counter_id))
        if held and held.department_id != self.department.department_id:
            raise _busy(counter_id, held)
        return held

    def _call(self, token: Token, counter_id: str, rule: str, actor: str) -> Token:
        self._leave_line(token)
        called = replace(
            token,
            state=TokenState.CALLED,
            counter_id=counter_id,
            claim_version=token.claim_version + 1,
            calls=token.calls + 1,
            reason=rule,
            called_at=self.now,
        )
        self._keep(called)
        self._log(EventType.TOKEN_CALLED, called, actor, {"reason": rule, "call": called.calls}, joins=False)
        return called

    def _move(
        self,
        token: Token,
        verb: Verb,
        actor: str,
        to: RequeuePosition = RequeuePosition.ORIGINAL,
        reason: str | None = None,
    ) -> Token:
        move = MOVES[verb]
        data: dict[str, Any] = {"reason": reason} if reason else {}
        moved = replace(token, state=move.target)
        if verb is Verb.RECALL:
            moved = replace(moved, calls=token.calls + 1)
            data["call"] = moved.calls
        elif verb is Verb.START:
            moved = replace(moved, started_at=self.now)
        elif verb is Verb.SERVE:
            moved = replace(moved, served_at=self.now, started_at=token.started_at or token.called_at)
        elif verb is Verb.REQUEUE:
            moved = self._put_back(moved, to)
            data["position"] = str(to)
        joins = None
        if token.state is TokenState.WAITING:
            self._leave_line(token)
            joins = False
        if moved.state is TokenState.WAITING:
            joins = True
        self._keep(moved)
        if joins:
            self._enter_line(moved)
        # The event tells where the customer was: a served or missed token left this counter.
        self._log(move.event, replace(moved, counter_id=token.counter_id), actor, data, joins)
        return moved

    def _put_back(self, token: Token, to: RequeuePosition) -> Token:
        first = self._line.first_place(token.priority)
        place, since = token.original_place, token.issued_at
        if to is RequeuePosition.LAST:
            place, since = self.standing.last_seq + 1, self.now
        elif to is RequeuePosition.FIRST and first is not None:
            place = min(first - 1, place)
        return replace(token, counter_id=None, place=place, waiting_since=since, started_at=None)

    def _keep(self, token: Token) -> None:
        before = self.tokens.get(token.token_id)
        self.tokens[token.token_id] = self.changed[token.token_id] = token
        if before and before.is_at_counter and before.counter_id and not token.is_at_counter:
            self.counters.pop((before.branch_id, before.counter_id), None)
        if token.is_at_counter and token.counter_id:
            self.counters[token.branch_id, token.counter_id] = token
        if token.user_id is not None and token.state not in LIVE:
            self._live_of_user.pop(token.user_id, None)

    def _enter_line(self, token: Token) -> None:
        self._line.join(token)
        self._count(token.priority, 1)

    def _leave_line(self, token: Token) -> None:
        self._line.leave(token)
        self._count(token.priority, -1)

    def _count(self, priority: Priority, change: int) -> None:
        waiting = dict(self.standing.waiting)
        waiting[priority] = waiting.get(priority, 0) + change
        self.standing = replace(self.standing, waiting=waiting)

    def _log(self, kind: EventType, token: Token, actor: str, data: dict[str, Any], joins: bool | None) -> None:
        seq = self.standing.last_seq + 1
        self.standing = replace(self.standing, last_seq=seq)
        self.records.append(Record(seq, kind, token, actor, self.now, data, joins))


def _busy(counter_id: str, held: Token) -> Exception:
    return refuse(
        ProblemCode.COUNTER_BUSY,
        f"Counter {counter_id} still holds {held.display}.",
        "Serve it, mark it as no-show or put it back first.",
        tokenId=held.token_id,
        displayNumber=held.display,
    )
