"""The table of verbs, and those who follow it."""

from tokenq.contract.verbs import VERBS, Verb, verbs_from
from tokenq.contract.words import LIVE, TokenState


def test_what_is_over_only_comes_back() -> None:
    """A token that was served or has expired stays as it is; one that was missed or cancelled can be reinstated."""
    over = {state: verbs_from(state) for state in set(TokenState) - LIVE}

    assert over == {
        TokenState.SERVED: [],
        TokenState.EXPIRED: [],
        TokenState.NO_SHOW: [Verb.REINSTATE],
        TokenState.CANCELLED: [Verb.REINSTATE],
    }


def test_undo_is_offered_only_where_there_is_something_to_undo() -> None:
    """It belongs to the token's last move, not to its state."""
    for state in set(TokenState) - {TokenState.EXPIRED}:
        assert Verb.UNDO not in verbs_from(state)
        assert Verb.UNDO in verbs_from(state, can_undo=True)
    assert Verb.UNDO not in verbs_from(TokenState.EXPIRED, can_undo=True)


def test_every_move_leaves_its_own_event() -> None:
    """Readers of the log tell moves apart by the event alone."""
    events = [move.event for move in VERBS.values()]

    assert len(events) == len(set(events))
