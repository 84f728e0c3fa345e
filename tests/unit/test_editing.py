"""Correcting a name or an address: the token keeps its state and place, the log names the fields and nothing else."""

import json

import pytest

from tests.unit.sessions import Room, refused, with_rules
from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import Verb


def test_a_corrected_token_keeps_its_place_and_the_log_names_the_fields() -> None:
    room = Room()
    first, _ = room.issue(name="Aad", email="aad@example.com"), room.issue()
    edited = room.edit(first, name="Ada", email="ada@example.com")

    assert (edited.name, edited.email) == ("Ada", "ada@example.com")
    assert (edited.state, edited.place, edited.claim_version) == (first.state, first.place, first.claim_version)
    record = room.session.records[-1]
    assert (str(record.event_type), record.data, record.note) == ("TOKEN_EDITED", {"fields": ["name", "email"]}, None)
    assert "example" not in json.dumps(record.data)
    assert room.call().token_id == first.token_id


def test_only_what_changes_is_named_and_no_change_is_no_event() -> None:
    room = Room()
    token = room.edit(room.issue(name="Ada"), name="Ada", email="ada@example.com")
    assert room.session.records[-1].data == {"fields": ["email"]}
    room.edit(token, email="ada@example.com")
    assert room.events() == ["TOKEN_GENERATED", "TOKEN_EDITED"]


def test_a_first_address_is_told_of_its_turn_and_without_one_nothing_is_noted() -> None:
    """A near turn is worth an event only for somebody who can be told."""
    room = with_rules(Room(), near_turn=3)
    token = room.edit(room.issue(), email="ada@example.com")
    assert token.near_turn == 3
    token = room.edit(token, email="")
    assert (token.email, token.near_turn) == (None, 0)
    chosen = room.edit(room.issue(email="eve@example.com", near_turn=7), email="eva@example.com")
    assert chosen.near_turn == 7


@pytest.mark.parametrize("state", sorted(set(TokenState) - LIVE - {TokenState.EXPIRED}))
def test_what_is_over_is_not_corrected(state: TokenState) -> None:
    room = Room()
    token = room.issue()
    if state is TokenState.CANCELLED:
        token = room.move(token, Verb.CANCEL)
    else:
        token = room.move(room.call(), Verb.SERVE if state is TokenState.SERVED else Verb.NO_SHOW)
    with refused(ProblemCode.WRONG_STATE, "'edit' is not possible"):
        room.edit(token, name="Ada")


def test_undo_takes_back_the_move_before_and_keeps_what_was_corrected() -> None:
    room = Room("CW", "HR")
    edited = room.edit(room.transfer(room.issue(name="Aad"), "HR"), name="Ada")
    back = room.undo(edited)
    assert (back.department_id, back.name) == ("CW", "Ada")
    assert "Aad" not in json.dumps(edited.undo.was if edited.undo else {}, default=str)
