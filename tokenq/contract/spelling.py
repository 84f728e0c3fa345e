"""Suggestions for a name that nobody knows."""

from collections.abc import Iterable

_SIMILAR = 0.65
"""The least ratio of :mod:`difflib`: ``ulr`` is similar to ``url``, ``colour`` not to ``counter``."""


def similar(name: str, known: Iterable[str]) -> str:
    """Return the most similar known name; empty if none is similar."""
    from difflib import get_close_matches  # rarely needed

    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=_SIMILAR)), "")
