"""Refusals as a server might make them, in words that a test can recognise."""

from typing import Any

from tokenq.contract.advice import Advice
from tokenq.contract.problems import Problem, ProblemCode, Refused


def refusal(code: ProblemCode, detail: str, hint: str | Advice = "", **extra: Any) -> Refused:
    """A refusal in these words, of no row of the catalogue."""
    if isinstance(hint, Advice):
        return Refused(Problem(code, detail, hint.text(), extra, hint))
    return Refused(Problem(code, detail, hint, extra))
