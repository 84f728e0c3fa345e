"""The table of moves."""

from tokenq.contract.words import LIVE, TokenState
from tokenq_server.domain import lifecycle
from tokenq_server.domain.lifecycle import MOVES, Verb, moves_from


def test_the_diagram_names_every_move() -> None:
    """The drawing in the module's docstring must not rot."""
    drawing = lifecycle.__doc__ or ""

    for verb, move in MOVES.items():
        if verb is not Verb.RECALL:
            assert str(verb) in drawing
            assert str(move.target) in drawing


def test_only_live_tokens_move() -> None:
    """What is over stays as it is."""
    for state in set(TokenState) - LIVE:
        assert moves_from(state) == []


def test_every_move_leaves_its_own_event() -> None:
    """Readers of the log tell moves apart by the event alone."""
    events = [move.event for move in MOVES.values()]

    assert len(events) == len(set(events))
