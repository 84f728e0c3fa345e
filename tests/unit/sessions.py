"""Floors to try the verbs on, and the verbs in few words."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests import people
from tokenq.contract.enums import Priority, RequeuePosition
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.domain import calling, editing, issuing, moving, transferring, undoing
from tokenq_server.domain.commands import (
    CallNext,
    CallToken,
    EditToken,
    Issue,
    MoveToken,
    ServeNext,
    TransferToken,
    UndoMove,
)
from tokenq_server.domain.counters import Counters, operator_of
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import CHANGING_FIELDS, TOKEN_FIELDS, Token

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANN, BEN = operator_of(people.ANN), operator_of(people.BEN)


class Room:
    """A branch with some departments, one moment after the other."""

    def __init__(self, *ids: str, rules: Rules | None = None, **settings: Any) -> None:
        self.counters = Counters()
        self.sessions = {
            name: DepartmentSession(
                Department(name, f"Department {name}", prefix=name, rules=rules or Rules(), **settings),
                DepartmentHead(TODAY),
                NOW,
                self.counters,
            )
            for name in ids or ("CW",)
        }
        self._next_id = 100

    @property
    def session(self) -> DepartmentSession:
        """The first department."""
        return next(iter(self.sessions.values()))

    def later(self, **time: float) -> None:
        """Let time pass."""
        for session in self.sessions.values():
            session.now += timedelta(**time)

    def issue(self, to: str = "CW", **more: Any) -> Token:
        self._next_id += 1
        return issuing.issue(self.sessions[to], Issue(to, people.DESK, **more), self._next_id)

    def call(self, counter: str = "1", of: str = "CW", caller: Principal = people.ANN, **more: Any) -> Token:
        return calling.call_next(self.sessions[of], CallNext(of, caller, counter, **more))

    def pick(self, token: Token, counter: str = "1", caller: Principal = people.ANN) -> Token:
        command = CallToken(token.department_id, caller, counter, token.token_id, "asked")
        return _kept(token, calling.call_token(self.sessions[token.department_id], command))

    def serve_next(self, counter: str = "1", of: str = "CW") -> Token:
        return calling.serve_next(self.sessions[of], ServeNext(of, people.ANN, counter))

    def move(self, token: Token, verb: Verb, **more: Any) -> Token:
        if verb is Verb.EDIT:
            return self.edit(token, name="Ada")
        command = MoveToken(token.department_id, people.ANN, token.token_id, verb, token.claim_version, **more)
        return _kept(token, moving.move(self.sessions[token.department_id], command))

    def edit(self, token: Token, **more: Any) -> Token:
        command = EditToken(token.department_id, people.ANN, token.token_id, **more)
        return _kept(token, editing.edit(self.sessions[token.department_id], command))

    def transfer(self, token: Token, to: str, position: RequeuePosition = RequeuePosition.LAST) -> Token:
        command = TransferToken(
            token.department_id, people.ANN, token.token_id, to, token.claim_version, position=position
        )
        earlier = [record.seq for record in self.sessions[to].records if record.at <= token.issued_at]
        place = None if position is RequeuePosition.LAST else max(earlier, default=0)
        source, target = self.sessions[token.department_id], self.sessions[to]
        return _kept(token, transferring.transfer(source, target, command, place))

    def undo(self, token: Token) -> Token:
        command = UndoMove(token.department_id, people.ANN, token.token_id, token.claim_version)
        return _kept(token, undoing.undo(self.sessions, command))

    def waiting(self, of: str = "CW") -> dict[Priority, int]:
        """How many the department's row says wait, per class."""
        return {name: count for name, count in self.sessions[of].head.waiting.items() if count}

    def events(self, of: str = "CW") -> list[str]:
        return [str(record.event_type) for record in self.sessions[of].records]


def _kept(before: Token, after: Token) -> Token:
    """No move changes a field that Postgres writes once."""
    for name in set(TOKEN_FIELDS) - set(CHANGING_FIELDS):
        assert getattr(after, name) == getattr(before, name), name
    return after


def refused(code: ProblemCode, *words: str) -> AbstractContextManager[Any]:
    """The refusal with this code, whose sentence and hint hold these words."""

    def fits(error: Refused) -> bool:
        told = f"{error.problem.detail} {error.problem.hint}"
        return error.problem.code is code and all(word in told for word in words)

    check: Callable[[Refused], bool] = fits
    return pytest.raises(Refused, check=check)


def with_rules(room: Room, **rules: Any) -> Room:
    """The room with other rules from now on."""
    for session in room.sessions.values():
        session.department = replace(session.department, rules=replace(session.department.rules, **rules))
    return room
