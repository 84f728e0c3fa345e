"""The server's words about a field, in the words of who typed."""

import pytest

from tokenq.cli.department_settings import NAMES
from tokenq.cli.wording import in_commands, sentence_of
from tokenq.contract.advice import Action, Advice
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.reasons.system import FieldReason


def said(field: str) -> str:
    return sentence_of(refuse(FieldReason.TOO_GREAT, {"field": field}, field=field, limit=9).problem)


# A near turn is --near at the front desk, and a setting of a department.
@pytest.mark.parametrize(("name", "key"), [(name, key) for name, key in NAMES.items() if key != "nearTurn"])
def test_every_setting_is_named_as_it_is_typed(name: str, key: str) -> None:
    assert said(key) == f"{name} must be at most 9."


def test_options_have_their_dashes_and_other_problems_their_own_words() -> None:
    assert said("maxWaitMinutes") == "--max-wait must be at most 9."
    other = refuse(SetupReason.NO_ID_IN_NAME, {"field": "departmentId"}, name="'?'").problem
    assert sentence_of(other) == "No id can be derived from the name '?'."
    assert said("departments.CW.dailyCap") == "departments.CW.dailyCap must be at most 9."


def test_parameters_of_a_command_are_quoted_for_a_shell() -> None:
    advice = Advice(Action.CALL_TOKEN, {"number": "CW-012", "counter": "Window 7"})
    assert "tokenq call --token CW-012 --counter 'Window 7' --reason" in in_commands(advice)
    assert "tokenq counter open 'Bo'\"'\"'s'" in in_commands(Advice(Action.OPEN_COUNTER, {"counter": "Bo's"}))


def test_advice_without_what_its_command_needs_names_no_command() -> None:
    """Another release may send an action with fewer parameters; the sentence is good without the command."""
    assert in_commands(Advice(Action.OPEN_DEPARTMENT)) == "An admin can open it."
