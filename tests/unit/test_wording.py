"""The server's words about a field, in the words of who typed."""

import pytest

from tokenq.cli.department_settings import NAMES
from tokenq.cli.wording import as_typed
from tokenq.contract.problems import Problem, ProblemCode


def said(field: str, code: ProblemCode = ProblemCode.INVALID) -> str:
    return as_typed(Problem(code, f"{field} must be at most 9.", "", {"field": field}))


# A near turn is --near at the front desk, and a setting of a department.
@pytest.mark.parametrize(("name", "key"), [(name, key) for name, key in NAMES.items() if key != "nearTurn"])
def test_every_setting_is_named_as_it_is_typed(name: str, key: str) -> None:
    assert said(key) == f"{name} must be at most 9."


def test_options_have_their_dashes_and_other_problems_their_own_words() -> None:
    assert said("maxWaitMinutes") == "--max-wait must be at most 9."
    assert said("maxWaitMinutes", ProblemCode.EXISTS) == "maxWaitMinutes must be at most 9."
