"""The table of verbs, and those who follow it."""

import re
from pathlib import Path

from fastapi.routing import APIRoute

from tokenq.cli.menu import ENTRIES
from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.verbs import KEEPS_STATE, STATE_AFTER, VERBS, Verb, verbs_from
from tokenq_server.api.routes import moves, tokens
from tokenq_server.domain import moving
from tokenq_tui.console.actions import ACTIONS


def test_what_is_over_only_comes_back() -> None:
    """A token that was served stays as it is; one that was missed, was cancelled or has expired can be reinstated."""
    over = {state: verbs_from(state) for state in set(TokenState) - LIVE}

    assert over == {
        TokenState.SERVED: [],
        TokenState.EXPIRED: [Verb.REINSTATE],
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


BY_PEOPLE = {verb for verb, row in VERBS.items() if row.is_by_people}


def test_every_verb_has_a_route_and_a_command() -> None:
    """A row without a consumer would be a verb that nobody can use."""
    every = [
        route for router in (moves.router, tokens.router) for route in router.routes if isinstance(route, APIRoute)
    ]
    routes = {route.path.rpartition("/")[2] for route in every} | {route.name for route in every}
    assert {str(verb) for verb in BY_PEOPLE} <= routes
    assert {str(verb) for verb in BY_PEOPLE} <= set(ENTRIES)


def test_every_verb_has_somebody_who_carries_it_out() -> None:
    elsewhere = {Verb.CALL, Verb.TRANSFER, Verb.EDIT, Verb.UNDO, Verb.EXPIRE}
    assert set(moving._MOVING) == set(VERBS) - elsewhere


def test_every_verb_is_in_the_console_by_a_key_of_its_own() -> None:
    """Calling and changing the class are there as actions of the counter and of a row in the list."""
    keys = [each.key for each in ACTIONS]
    assert len(keys) == len(set(keys))
    assert {each.verb for each in ACTIONS if each.verb} == {str(verb) for verb in BY_PEOPLE - {Verb.CALL}}


def test_every_event_of_a_verb_tells_readers_the_state() -> None:
    """A board or a report must not pass over a verb in silence."""
    assert set(STATE_AFTER.values()) == set(TokenState)
    assert {row.event for row in VERBS.values()} - set(STATE_AFTER) - KEEPS_STATE == {VERBS[Verb.UNDO].event}


def test_the_diagram_in_contributing_is_that_of_the_table() -> None:
    """Its edges are compared; where they differ, the failure shows the diagram as it should be."""
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    drawn = set(re.findall(r"^    (\[\*\]|[A-Z_]+) --> ([A-Z_]+) : ([a-z-]+)$", text, re.MULTILINE))
    edges = [("[*]", "WAITING", "issue")] + [
        (str(source), str(row.target), str(verb))
        for verb, row in VERBS.items()
        for source in TokenState
        if source in row.sources and row.target is not None
    ]
    assert drawn == set(edges), "\n".join(f"    {source} --> {target} : {verb}" for source, target, verb in edges)
