"""Failpoints: named places in the code at which a test can kill, fail or stall the process.

Random kills rarely hit the moments that matter: right after a commit, a flush or a send. Nothing is armed unless
``TOKENQ_FAILPOINTS`` says so, production refuses to arm anything, and an unarmed point costs one lookup in an empty
mapping.
"""

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

STEPS = {
    "issue": ("locked", "loaded", "line_asked", "before_commit", "after_commit", "after_ack", "line_told"),
    "call": ("locked", "loaded", "line_asked", "before_commit", "after_commit", "after_ack", "line_told"),
    "relay": ("took_over", "read_back", "read", "half_published", "published", "cursor_moved"),
    "erase": ("before_commit",),
    "delete_entries": ("before_commit",),
    "notify": ("taken", "rows_written", "rows_kept", "offsets_committed", "claimed", "sent", "settled"),
}
"""All failpoints by path, in the order of a batch's steps."""

NAMES = frozenset(f"{way}.{step}" for way, steps in STEPS.items() for step in steps)

_RULE = re.compile(
    r"(?P<name>[a-z_.]+)=(?P<action>kill|raise|sleep\((?P<seconds>\d+(\.\d+)?)\))(:(?P<chance>\d*\.?\d+))?"
)
_ANSWERED_SECONDS = 0.01


class InjectedFault(Exception):
    """A failpoint made this operation fail."""


@dataclass
class _Armed:
    action: str
    seconds: float
    chance: float
    dice: random.Random = field(default_factory=random.Random)

    def act(self, name: str) -> None:
        if self.dice.random() >= self.chance:
            return
        _tell(name, self.action)
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.action == "raise":
            raise InjectedFault(name)
        else:
            # Blocks the whole process, like a machine under memory pressure.
            time.sleep(self.seconds)


_armed: dict[str, _Armed] = {}


def parse(text: str) -> Mapping[str, _Armed]:
    """Parse ``name=action[:chance]`` rules, separated by commas; actions are ``kill``, ``raise`` and
    ``sleep(SECONDS)``.

    Raises:
        ValueError: a rule is malformed, or names an unknown failpoint.
    """
    armed: dict[str, _Armed] = {}
    for rule in filter(None, (part.strip() for part in text.split(","))):
        parts = _RULE.fullmatch(rule)
        if parts is None or parts["name"] not in NAMES:
            raise ValueError(f"{rule!r} is not NAME=kill|raise|sleep(SECONDS)[:CHANCE] of a known point")
        action = parts["action"].partition("(")[0]
        armed[parts["name"]] = _Armed(action, float(parts["seconds"] or 0), float(parts["chance"] or 1))
    return armed


def arm(text: str) -> None:
    """Arm the failpoints that the text names, and no others. Raises ValueError as :func:`parse` does."""
    rules = parse(text)
    _armed.clear()
    _armed.update(rules)


def is_any_armed() -> bool:
    """Whether any failpoint is armed, so that reaching one matters."""
    return bool(_armed)


def reach(*names: str) -> None:
    """The code has reached these failpoints. Raises InjectedFault if one is armed to."""
    if not _armed:
        return
    for name in names:
        if (armed := _armed.get(name)) is not None:
            armed.act(name)


async def reach_answered(*names: str) -> None:
    """The same after answers were given: they get a moment to leave the process first."""
    if not any(name in _armed for name in names):
        return
    await asyncio.sleep(_ANSWERED_SECONDS)
    reach(*names)


def _tell(name: str, action: str) -> None:
    """Log it beforehand, unbuffered, since the next step may be the last."""
    line = json.dumps({"level": "warning", "logger": __name__, "message": "failpoint", "point": name, "action": action})
    os.write(sys.stderr.fileno(), line.encode() + b"\n")
