"""Ids made from names, and prefixes that could be misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sessions import refused
from tokenq.contract.problems import ProblemCode
from tokenq_server.domain.department import Department
from tokenq_server.domain.department_ids import are_misread, check_prefix, made_id


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("LAB", "LAB"),
        ("Customer window", "CW"),
        ("Prélèvements", "P"),
        ("Überprüfung", "U"),
        ("Straße und Grün", "SUG"),
        ("Łódź", "L"),
        ("Blutabnahme 2", "B"),
        ("验血", None),
        ("3", None),
    ],
)
def test_an_id_is_made_of_the_letters_of_the_name(name: str, made: str | None) -> None:
    assert made_id(name, ()) == made


def test_a_taken_id_gets_more_letters_and_never_digits() -> None:
    """``P2`` beside ``P`` would make ``P22`` two people."""
    assert made_id("Prélèvements", {"P"}) == "PR"
    assert made_id("Prélèvements", {"P", "PR", "PRE"}) == "PREL"
    assert made_id("Xi", {"X", "XI"}) == "XA"


@given(st.text(min_size=1, max_size=30), st.sets(st.from_regex(r"[A-Z][A-Z0-9]{0,7}", fullmatch=True), max_size=30))
def test_a_made_id_is_never_misread(name: str, taken: set[str]) -> None:
    made = made_id(name, taken)
    if made is not None and made != name:
        assert made not in taken
        assert not any(are_misread(made, one) for one in taken)


@pytest.mark.parametrize(("one", "other", "misread"), [("P", "P2", True), ("A10", "A1", True), ("P", "PX", False)])
def test_a_prefix_with_digits_behind_it_is_misread(one: str, other: str, misread: bool) -> None:
    assert are_misread(one, other) is misread
    assert are_misread(other, one) is misread


def test_a_prefix_that_could_be_misread_is_refused_where_it_is_printed_in_the_same_branch() -> None:
    here, there = Department("P", "Pharmacy", prefix="P"), Department("X", "Blood", prefix="P2")
    with refused(ProblemCode.EXISTS):
        check_prefix(there, here)
    check_prefix(Department("X", "Blood", prefix="P2", branch_id="north"), here)
    check_prefix(Department("X", "Blood", prefix="P2", number_format="{number:03d}"), here)


def test_a_prefix_of_digits_is_refused_beside_plain_numbers() -> None:
    """71 could be number 71 of the one, or number 1 of the other, whose prefix is 7."""
    plain = Department("PL", "Plain", prefix="PL", number_format="{number:03d}")
    digits = Department("CO", "Count", prefix="7")
    for new, there in ((digits, plain), (plain, digits)):
        with refused(ProblemCode.EXISTS, "look alike"):
            check_prefix(new, there)
    check_prefix(digits, Department("CW", "Window", prefix="CW"))
    check_prefix(Department("PM", "Plain too", prefix="7", number_format="{number}"), plain)
