"""The texts of the pages, by language; a browser gets those that it needs and fills them in."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenq.locale import N_, texts

_BOARD = {
    "nowCalling": N_("Now calling"),
    "lastCalled": N_("Last called"),
    "lastCalls": N_("Last calls"),
    "welcome": N_("Welcome"),
    "nobody": N_("No number is being called. Called numbers appear here."),
    "waiting": N_("Waiting"),
    "expectedWait": N_("Expected wait"),
    # For translators: a range of minutes, such as 10–20 min
    "minutes": N_("{low}–{high} min"),
    "closed": N_("Closed"),
    "paused": N_("Paused: {counters}"),
    "old": N_("This display may be out of date. Please ask at the desk."),
    "since": N_("Last updated at {time}"),
    "soundOn": N_("Turn sound on"),
    "soundOff": N_("Turn sound off"),
    "fullScreen": N_("Full screen"),
    "again": N_("Called again"),
    # For translators: read aloud; {counter} is "counter 3"
    "spoken": N_("Number {number}, {counter}"),
}
_COUNTER = N_("Counter {counter}")


def board_texts(languages: Sequence[str]) -> list[dict[str, Any]]:
    """Return the texts of a board, one object per language."""
    return [
        {
            "language": language,
            "direction": "rtl" if texts(language).is_right_to_left else "ltr",
            **{name: texts(language).gettext(source) for name, source in _BOARD.items()},
        }
        for language in languages
    ]


def counter_in(language: str, counter: str, words: Mapping[str, str]) -> str:
    """Return a counter as people say it: its id behind the branch's word for one; an id that is a word stays whole."""
    if not counter or any(len(part) > 2 and not part.isdecimal() for part in counter.split()):
        return counter
    if word := words.get(language):
        return f"{word} {counter}"
    return texts(language).gettext(_COUNTER, counter=counter)
