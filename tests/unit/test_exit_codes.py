"""What a script learns from the exit code."""

from tokenq.cli.exits import EXIT_CODES
from tokenq.contract.problems import ProblemCode


def test_every_problem_has_an_exit_code() -> None:
    """A refusal without one would end as a bug report."""
    assert set(EXIT_CODES) == set(ProblemCode)
