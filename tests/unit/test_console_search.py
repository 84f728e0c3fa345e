"""Who is meant by what a person types to find somebody."""

import pytest

from tests.screens.console_seeds import token
from tokenq_tui.console.search import matches


@pytest.mark.parametrize(
    ("typed", "number", "name"),
    [
        ("CW-012", "CW-012", None),
        ("cw12", "CW-012", None),
        ("cw 12", "CW-012", None),
        ("cw0", "CW-012", None),
        ("cw-0012", "CW-012", None),
        ("12", "CW-012", None),
        ("012", "CW-012", None),
        ("W-01", "CW-012", None),
        ("a17", "A1-7", None),
        ("１２", "CW-012", None),
        ("ada", "CW-012", "Ada Moore"),
        ("MOORE", "CW-012", "Ada Moore"),
        ("a  m", "CW-012", "Ada Moore"),
        ("muller", "CW-012", "Jörg Müller"),
        ("MÜLLER", "CW-012", "jo\u0308rg mu\u0308ller"),
        ("strasse", "CW-012", "Anna Straße"),
        ("رضا", "CW-012", "علی\u200cرضا"),
        ("花子", "CW-012", "山田花子"),
        ("o'b", "CW-012", "Pat O'Brien"),
    ],
)
def test_a_part_of_the_number_or_name_is_enough(typed: str, number: str, name: str | None) -> None:
    assert matches(typed, token("CW", 12, name=name, displayNumber=number))


@pytest.mark.parametrize("typed", ["", " ", "-", "13", "cw13", "cw1 2x", "lind", "\u0301", "CW-0120", "."])
def test_anything_else_is_somebody_else(typed: str) -> None:
    assert not matches(typed, token("CW", 12, name="Ada Moore"))
