"""Counts of tokens as text, for server and command line."""

from collections.abc import Mapping


def counted(tokens: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts of tokens per department and state as text: ``in CW 3 waiting, 1 parked; in LAB 2 waiting``."""
    return "; ".join(
        f"in {name} " + ", ".join(f"{number} {state.lower()}" for state, number in states.items())
        for name, states in tokens.items()
    )
