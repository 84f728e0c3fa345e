"""What lost events tell of each token, whatever the order in which the departments' logs are read."""

from dataclasses import replace
from datetime import timedelta

from tests.unit.lost_events import CALLED, GENERATED, RECLASSED, REVERTED, TO_HR, TO_URGENT, TRANSFERRED, Topic
from tests.unit.sessions import NOW
from tokenq.contract.enums import TokenState
from tokenq_server.recovery.token_history import histories


def test_a_history_ends_with_what_happened_last_wherever_that_was() -> None:
    """The departments' logs come one after the other; a clock that is set back changes nothing within one."""
    topic = Topic()
    born, gone = topic.tells("CW", GENERATED), topic.tells("CW", TRANSFERRED, TO_HR)
    came, reclassed = topic.tells("HR", TRANSFERRED, TO_HR), topic.tells("HR", RECLASSED, TO_URGENT)
    later = [replace(one, timestamp=NOW + timedelta(minutes=minute)) for one, minute in ((came, 5), (reclassed, 3))]
    (history,) = histories([*later, born, gone]).values()

    assert history.last == later[1]
    assert history.born == born


def test_a_history_knows_where_readers_believe_a_token_to_be() -> None:
    """Gone from where it left, waiting where it came."""
    topic = Topic()
    (history,) = histories(
        [
            topic.tells("CW", GENERATED),
            topic.tells("CW", TRANSFERRED, TO_HR),
            topic.tells("HR", TRANSFERRED, TO_HR),
            topic.tells("HR", CALLED),
        ]
    ).values()

    assert history.shown == {"CW": None, "HR": TokenState.CALLED}
    assert (history.born and history.born.seq, history.end, history.events) == (21, None, 4)


def test_a_transfer_that_was_taken_back_is_believed_too() -> None:
    topic, back = Topic(), {"undone": "transfer", "state": "WAITING", "from": "HR", "to": "CW"}
    (history,) = histories(
        [
            topic.tells("CW", TRANSFERRED, TO_HR),
            topic.tells("CW", REVERTED, back),
            topic.tells("HR", TRANSFERRED, TO_HR),
            topic.tells("HR", REVERTED, back),
        ]
    ).values()

    assert history.shown == {"CW": TokenState.WAITING, "HR": None}


def test_a_change_of_class_is_no_move_to_another_department() -> None:
    """Its data say from which class to which, under the same names as a transfer's departments."""
    topic = Topic()
    (history,) = histories([topic.tells("CW", GENERATED), topic.tells("CW", RECLASSED, TO_URGENT)]).values()

    assert history.shown == {"CW": TokenState.WAITING}
