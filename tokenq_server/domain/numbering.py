"""Display numbers: how a department's number is written for people."""

import re

from tokenq.contract.problems import ProblemCode, refuse

DEFAULT_FORMAT = "{prefix}-{number:03d}"
_FORMAT = re.compile(r"(?:\{prefix\}[- ]?|)\{number(?::0[1-6]d)?\}")
_PREFIX = re.compile(r"[A-Z0-9]{1,8}")


def display_number(template: str, prefix: str, number: int) -> str:
    """Write ``number`` as people see it, such as ``CW-012``."""
    return template.format(prefix=prefix, number=number)


def check_format(template: str, prefix: str) -> None:
    """Refuse a number format or prefix that could not be read aloud or typed back.

    Raises:
        Refused: ``invalid``.
    """
    if not _FORMAT.fullmatch(template):
        raise refuse(
            ProblemCode.INVALID,
            "A number format holds {prefix} and {number}, with a dash or a space between, and no letters of its own.",
            "Write {prefix}-{number:03d} or {number:03d}, and set letters with --prefix.",
            path="numberFormat",
        )
    if not _PREFIX.fullmatch(prefix):
        raise refuse(
            ProblemCode.INVALID,
            "The prefix is not one to eight capital letters or digits.",
            "Use one such as CW.",
            path="prefix",
        )
