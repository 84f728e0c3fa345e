"""Which names a mistyped one may stand for."""

import pytest

from tokenq.contract.spelling import similar_numbered

ONE_TO_THIRTEEN = [str(number) for number in range(1, 14)]


@pytest.mark.parametrize(
    ("typed", "known", "similar"),
    [
        ("14", ONE_TO_THIRTEEN, ["1", "4", "13"]),
        ("9", ["1", "8", "10", "20"], ["8", "10"]),
        ("n1", ["1", "2", "3"], ["1"]),
        ("33", ["3", "7"], ["3"]),
        ("window 2", ["Window 2", "Cash desk"], ["Window 2"]),
        ("Ｗindow２", ["Window 2", "Cash desk"], ["Window 2"]),
        ("Window 5", ["Window 6", "Room 5"], ["Window 6"]),
        ("14", ["Window 13", "Window 14"], ["Window 14"]),
        ("Desk 14", ["14", "15"], ["14"]),
        ("Desk 14", ["Window 14"], []),
        ("3", ["Reception"], []),
        ("3", [], []),
    ],
)
def test_a_mistyped_counter_may_be_a_similar_one_or_the_number_next_to_it(
    typed: str, known: list[str], similar: list[str]
) -> None:
    assert similar_numbered(typed, known) == similar


def test_a_branch_full_of_similar_names_suggests_a_few() -> None:
    assert len(similar_numbered("Window 70", [f"Window {number}" for number in range(64)])) == 4
