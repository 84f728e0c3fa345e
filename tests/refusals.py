"""Refusals with arbitrary text, for tests."""

from typing import Any

from tokenq.contract.advice import Advice
from tokenq.contract.problems import Problem, ProblemCode, Refused


def refusal(code: ProblemCode, detail: str, hint: str | Advice = "", **extra: Any) -> Refused:
    """A refusal with this text that is not in the catalogue."""
    if isinstance(hint, Advice):
        return Refused(Problem(code, detail, hint.text(), extra, hint))
    return Refused(Problem(code, detail, hint, extra))
