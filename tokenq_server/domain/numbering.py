"""Display numbers: how a department's numbers are printed."""

import re

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason

DEFAULT_FORMAT = "{prefix}-{number:03d}"
_FORMAT = re.compile(r"(?:\{prefix\}[- ]?|)\{number(?::0[1-6]d)?\}")
_PREFIX = re.compile(r"[A-Z0-9]{1,8}")


def display_number(template: str, prefix: str, number: int) -> str:
    """Format ``number`` for display, such as ``CW-012``."""
    return template.format(prefix=prefix, number=number)


def check_format(template: str, prefix: str) -> None:
    """Refuse a number format or prefix that could not be read aloud or typed.

    Raises:
        Refused: ``invalid``.
    """
    if not _FORMAT.fullmatch(template):
        raise refuse(SetupReason.WRONG_FORMAT, {"path": "numberFormat"})
    if not _PREFIX.fullmatch(prefix):
        raise refuse(SetupReason.WRONG_PREFIX, {"path": "prefix"})
