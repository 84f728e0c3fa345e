"""Ids generated from a department's name, and prefixes that could be misread.

``P22`` could be number 22 of prefix ``P`` or number 2 of ``P2``, so no prefix may be another prefix plus digits;
nor may it be digits alone where another department prints no prefix.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from string import ascii_uppercase

from tokenq.contract.names import DEPARTMENT_ID
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq_server.domain.department import Department

_LONGEST = 8
_LETTERS = str.maketrans(
    {"Ä": "A", "Ö": "O", "Ü": "U", "ß": "SS", "Æ": "AE", "æ": "AE", "Ø": "O", "ø": "O", "Œ": "OE", "œ": "OE"}
    | {"Ł": "L", "ł": "L", "Đ": "D", "đ": "D", "ð": "D", "Þ": "TH", "þ": "TH", "ı": "I"}
)


def are_misread(prefix: str, other: str) -> bool:
    """Whether a number of one prefix could be read as a number of the other; an empty prefix is of plain numbers."""
    longer, shorter = (prefix, other) if len(prefix) > len(other) else (other, prefix)
    return longer.startswith(shorter) and longer[len(shorter) :].isdecimal()


def numbering(department: Department) -> tuple[str, str, str]:
    """Where and how a department numbers. While this is unchanged, a prefix that an earlier release allowed is kept."""
    return department.branch_id, department.prefix, department.number_format


def check_prefix(department: Department, other: Department) -> None:
    """Refuse a prefix that another department of the lobby has, or whose numbers could be misread as that one's.

    Raises:
        Refused: ``exists``.
    """
    if other.department_id == department.department_id or other.branch_id != department.branch_id:
        return
    if other.prefix == department.prefix:
        raise refuse(SetupReason.PREFIX_TAKEN, {"path": "prefix"}, other=other.department_id, prefix=other.prefix)
    if are_misread(_printed_prefix(other), _printed_prefix(department)):
        ids = {"department": department.department_id, "other": other.department_id}
        if not (_printed_prefix(other) and _printed_prefix(department)):
            raise refuse(SetupReason.DIGITS_AMBIGUOUS, {"path": "prefix"}, **ids)
        names = {"prefix": department.prefix, "other": other.department_id, "taken": other.prefix}
        raise refuse(SetupReason.PREFIX_AMBIGUOUS, {"path": "prefix"}, **names)


def _printed_prefix(department: Department) -> str:
    """The prefix on paper; empty where only the number is printed."""
    return department.prefix if "{prefix}" in department.number_format else ""


def made_id(name: str, taken: Collection[str]) -> str | None:
    """Generate an id from a department's name: the name itself if valid, else its initials, else more of its letters.

    ``taken`` are the existing ids and prefixes. Returns ``None`` if the name has no Latin letter, or if every candidate
    is taken.
    """
    if re.fullmatch(DEPARTMENT_ID, name):
        return name
    return next(
        (
            candidate
            for candidate in _candidates(name)
            if not any(candidate == other or are_misread(candidate, other) for other in taken)
        ),
        None,
    )


def _candidates(name: str) -> Iterator[str]:
    words = re.findall(r"[A-Z]+", _latin(name))
    if not words:
        return
    initials, letters = "".join(word[0] for word in words)[:6], "".join(words)
    yield initials
    for length in range(2, _LONGEST + 1):
        yield letters[:length]
    for letter in ascii_uppercase:
        yield initials + letter


def _latin(name: str) -> str:
    """The name in ASCII capitals, with accents removed."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).upper()
