"""What ``tokenq board`` is told about sound and languages, checked before the screen is there."""

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenq.cli.exits import WrongUse

_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_is_interval = re.compile(f"{_CLOCK}-{_CLOCK}").fullmatch


def hearing(on_call: str | None, chime: Path | None, player: str, quiet_hours: str | None) -> dict[str, Any]:
    """Return the commands as lists of words, for the board.

    Raises:
        WrongUse: a command cannot be run, the file is not there, or the hours are none.
    """
    if quiet_hours is not None and not _is_interval(quiet_hours):
        raise WrongUse(f"'{quiet_hours}' is not a time span.", "Write it as 22:00-06:00.")
    if chime is not None and not chime.is_file():
        raise WrongUse(f"There is no sound file {chime}.", "Name a file that the player can play.")
    return {
        "on_call": _words("--on-call", on_call) if on_call is not None else [],
        "chime": [*_words("--player", player), str(chime.absolute())] if chime is not None else [],
        "quiet_hours": quiet_hours or "",
    }


def known_languages(typed: Sequence[str]) -> list[str]:
    """Return the tags as they are written here. Raises WrongUse."""
    from tokenq.locale import languages

    known = {tag.casefold(): tag for tag in languages()}
    for tag in typed:
        if tag.casefold() not in known:
            raise WrongUse(f"There are no texts in the language '{tag}'.", f"Choose from {', '.join(known.values())}.")
    return list(dict.fromkeys(known[tag.casefold()] for tag in typed))


def _words(option: str, command: str) -> list[str]:
    """Split a command as a shell would, without running one."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise WrongUse(f"{option} is not a command: '{command}'.", "Quotes must be closed, as in a shell.")
    if shutil.which(words[0]) is None:
        raise WrongUse(f"{option}: there is no program '{words[0]}'.", "Install it, or name it with its folder.")
    return words
