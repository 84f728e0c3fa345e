"""Names compared as people spell them, and suggestions for one that nobody knows."""

import re
import unicodedata
from collections.abc import Iterable

_SIMILAR = 0.65
"""The least ratio of :mod:`difflib`: ``ulr`` is similar to ``url``, ``colour`` not to ``counter``."""

_MOST = 4
_DROPPED = frozenset({"Mn", "Me", "Cf"})
"""Accents and invisible joiners."""
_NUMBERED = re.compile(r"(.*?)(\d{1,9})", re.DOTALL)


def similar(name: str, known: Iterable[str]) -> str:
    """Return the most similar known name; empty if none is similar."""
    return next(iter(all_similar(name, known, 1)), "")


def all_similar(name: str, known: Iterable[str], count: int) -> list[str]:
    """Return up to ``count`` similar known names, the most similar first."""
    from difflib import get_close_matches  # rarely needed

    return get_close_matches(name, sorted(known), n=count, cutoff=_SIMILAR)


def similar_numbered(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that ``name`` may stand for, most similar first; in any case the numbers next to it.

    For names that are numbers or end in one: ``14`` may stand for ``4``, ``13`` and ``15``, ``window 2`` and ``2`` for
    ``Window 2``.
    """
    scores = {each: _similarity(folded(name), folded(each)) for each in known}
    likely = (each for each, score in scores.items() if score >= _SIMILAR)
    return sorted(likely, key=lambda each: (-scores[each], len(each), each))[:_MOST]


def folded(name: str) -> str:
    """Return a name without case, accents, invisible joiners and repeated spaces, for comparison."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return " ".join("".join(letter for letter in letters if unicodedata.category(letter) not in _DROPPED).split())


def letters_of(name: str) -> str:
    """Return a name without case, spaces and invisible joiners: two names with the same letters look alike."""
    return "".join(
        letter for letter in name.casefold() if not letter.isspace() and unicodedata.category(letter) != "Cf"
    )


def _similarity(name: str, other: str) -> float:
    from difflib import SequenceMatcher  # rarely needed

    ratio = SequenceMatcher(None, name, other).ratio()
    return max(ratio, _SIMILAR) if _have_related_numbers(name, other) else ratio


def _have_related_numbers(name: str, other: str) -> bool:
    """Whether they are numbers next to each other, or the same number, of which only one has a word before it."""
    first, second = _NUMBERED.fullmatch(name), _NUMBERED.fullmatch(other)
    if not first or not second:
        return False
    distance = abs(int(first[2]) - int(second[2]))
    return distance <= 1 if first[1] == second[1] else distance == 0 and "" in (first[1], second[1])
