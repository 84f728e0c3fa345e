"""The registry of commands is complete: a command without a row would be silently forgotten."""

from typing import get_args

import pytest

from tests.people import ANN
from tests.unit.sessions import Room, refused
from tokenq.contract.enums import Role
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import Verb
from tokenq_server.domain.commands import Command, MoveToken, UndoMove
from tokenq_server.domain.principal import Principal
from tokenq_server.services.command_handlers import HANDLERS, departments_of, handler_of
from tokenq_server.services.work import Work

_STAFF_OF_CW = Principal("session", 1, "ann", Role.STAFF, frozenset({"CW"}), user_id=1)


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert set(HANDLERS) == set(get_args(Command))


@pytest.mark.parametrize(("back_to", "locked"), [(None, ("CW",)), ("LAB", ("CW", "LAB"))])
def test_an_undo_locks_where_it_leads(back_to: str | None, locked: tuple[str, ...]) -> None:
    assert departments_of(UndoMove("CW", ANN, 1, back_to=back_to)) == locked


@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.RECALL])
def test_a_token_that_left_for_another_department_has_moved_on(verb: Verb) -> None:
    room = Room("CW", "LAB")
    token = room.transfer(room.issue(), "LAB")
    command = MoveToken("CW", _STAFF_OF_CW, token.token_id, verb)
    work = Work({"CW": room.sessions["CW"]}, {}, iter(()), tokens={token.token_id: token})
    with refused(ProblemCode.STALE_CLAIM):
        handler_of(command).may_do(work, command)
