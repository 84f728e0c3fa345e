"""What is read from Redis: anybody with a login there can have stored anything."""

import re
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from tokenq.contract.enums import Priority
from tokenq_server.domain.invariants.department_head import LineCopy, Place
from tokenq_server.domain.policy import RANK
from tokenq_server.services.ports import LineDown

WIDTH = 1 << 48
"""Places of a class."""
MIDDLE = 1 << 40
"""Sort keys may fall below zero (after many requeues to the front); the offset keeps scores inside their class."""
DAMAGED = -2
"""The seq of a queue that cannot be read, as in ``tokenq.lua``."""

_CLASSES = {rank: priority for priority, rank in RANK.items()}
_NUMBER = re.compile(r"[0-9]{1,15}")
_MEMBER = re.compile(r"[0-9]{19}")
_LARGEST_ID = (1 << 63) - 1
_MOST_SHOWN = 60
_MOST_DESCRIBED = 5


def number_of(value: Any) -> int | None:
    """Return a seq or a token number as we write it; ``None`` is anything else."""
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def token_id_of(member: str) -> int | None:
    """Return the token id of a member as we write it; ``None`` is anything else."""
    token_id = int(member) if _MEMBER.fullmatch(member) else 0
    return token_id if 0 < token_id <= _LARGEST_ID else None


def place_of(score: int) -> tuple[Priority, int]:
    """Return the class and sort key of a score."""
    rank, place = divmod(score, WIDTH)
    return _CLASSES[rank], place - MIDDLE


def copy_of(keys: Sequence[str], seq: Any, last_no: Any, members: Any) -> LineCopy | None:
    """Return a queue as found under these keys, with a sentence about each value that cannot be read.

    ``None`` is a queue that does not exist. Errors stand in the place of values. Raises LineDown for those that say
    nothing of the values.
    """
    meta, counter, line = keys
    damage: list[str] = []
    for key, kind, value in ((meta, "hash", seq), (counter, "string", last_no), (line, "sorted set", members)):
        if isinstance(value, Exception):
            if not (isinstance(value, ResponseError) and str(value).startswith("WRONGTYPE")):
                raise LineDown from value
            damage.append(f"The key {key} is no {kind}.")
    read = number_of(seq), number_of("0" if last_no is None else last_no)
    for key, value, number in ((f"{meta} seq", seq, read[0]), (counter, last_no, read[1])):
        if isinstance(value, str) and number is None:
            damage.append(f"{key} is {_shown(value)}, which is no number.")
    places: dict[int, Place] = {}
    strangers = []
    for member, score in () if isinstance(members, Exception) else members:
        if (token_id := token_id_of(member)) is None:
            strangers.append(f"{line} has the member {_shown(member)}, which is no token's id.")
        else:
            places[token_id] = _place_as_found(score)
    more = len(strangers) - _MOST_DESCRIBED
    damage += strangers[:_MOST_DESCRIBED] + [f"{line} has {more} more members that are no token's id."] * (more > 0)
    if seq is None and not damage:
        return None
    return LineCopy(read[0], read[1], places, tuple(damage))


def _shown(value: Any) -> str:
    """Return a value for people: ASCII, quoted, and short."""
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _place_as_found(score: float) -> Place:
    if score.is_integer() and int(score) // WIDTH in _CLASSES:
        return place_of(int(score))
    return "outside every class", score
