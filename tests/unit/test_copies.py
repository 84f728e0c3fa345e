"""Copies of frozen values are what ``dataclasses.replace`` and the constructor make."""

import dataclasses

import pytest

from tests.unit.sessions import Room
from tokenq.contract.enums import TokenState
from tokenq_server.domain.copies import made, replace
from tokenq_server.domain.token import Token


@pytest.fixture
def token() -> Token:
    return Room().issue()


def test_a_copy_has_the_changed_fields_and_the_others(token: Token):
    called = replace(token, state=TokenState.CALLED, calls=1)
    assert called == dataclasses.replace(token, state=TokenState.CALLED, calls=1)
    assert token.state is TokenState.WAITING


def test_a_copy_is_as_frozen_as_its_original(token: Token):
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(token, calls=1).calls = 2  # type: ignore[misc]


def test_a_field_that_does_not_exist_is_no_change(token: Token):
    with pytest.raises(TypeError, match="Token has no field colour"):
        replace(token, colour="red")


def test_a_value_is_made_of_all_its_fields(token: Token):
    fields = vars(token)
    assert made(Token, fields) == token
    for wrong in (fields | {"colour": "red"}, {name: fields[name] for name in fields if name != "calls"}):
        with pytest.raises(TypeError, match="not the fields of Token"):
            made(Token, wrong)
