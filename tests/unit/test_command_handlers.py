"""The registry of commands is complete: a command without a row would be silently forgotten."""

from typing import get_args

import pytest

from tests.people import ANN
from tokenq_server.domain.commands import Command, UndoMove
from tokenq_server.services.command_handlers import HANDLERS, departments_of


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert set(HANDLERS) == set(get_args(Command))


@pytest.mark.parametrize(("back_to", "locked"), [(None, ("CW",)), ("LAB", ("CW", "LAB"))])
def test_an_undo_locks_where_it_leads(back_to: str | None, locked: tuple[str, ...]) -> None:
    assert departments_of(UndoMove("CW", ANN, 1, back_to=back_to)) == locked
