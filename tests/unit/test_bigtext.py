import pytest

from tokenq_tui.bigtext import big, columns


def test_draws_letters_and_digits_with_half_blocks() -> None:
    assert big("L1", 20, 4) == ("█      ▄█  ", "█       █  ", "█       █  ", "▀▀▀▀▀  ▀▀▀ ")


def test_every_character_of_a_department_id_and_a_number_has_a_glyph() -> None:
    """A board that cannot draw a prefix would show it small, where nobody looks."""
    for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-":
        assert big(character, 10, 4), character


@pytest.mark.parametrize("width", [8, 40, 80, 200])
@pytest.mark.parametrize("height", [4, 7, 11, 30])
def test_never_larger_than_its_room_and_rows_of_equal_length(width: int, height: int) -> None:
    drawn = big("CW-012", width, height) or ()
    assert len(drawn) <= height
    assert {len(row) for row in drawn} <= {len(drawn[0])} if drawn else True
    assert all(len(row) <= width for row in drawn)


def test_grows_with_the_room() -> None:
    assert [len(big("A1", 200, rows) or ()) for rows in (3, 4, 7, 30)] == [0, 4, 7, 28]


def test_accents_and_small_letters_are_drawn_as_plain_capitals() -> None:
    assert big("Ärä", 60, 4) == big("ARA", 60, 4)


@pytest.mark.parametrize("text", ["", "   ", "窓口", "A\x1b[2J", "\u202eA"])
def test_what_has_no_glyph_is_left_to_plain_text(text: str) -> None:
    assert big(text, 100, 10) is None


def test_zero_is_open_and_no_letter_o() -> None:
    """A slashed zero is read as 8 from afar."""
    zero = big("0", 10, 4) or ()
    assert zero == ("▄▀▀▄", "█  █", "█  █", " ▀▀ ")
    assert zero != big("O", 10, 4)


def test_letters_grow_upward_where_there_are_no_more_columns() -> None:
    assert [len(big("CW-012", 40, 9, may_be_tall=tall) or ()) for tall in (False, True)] == [4, 7]
    upright, hanging = big("1", 10, 4), big("1", 10, 4, hangs=True)
    assert upright is not None
    assert hanging is not None
    assert (upright[-1].strip("▀ "), hanging[0].strip("▄ ")) == ("", ""), "half a row of air, below or above"


def test_columns_are_those_of_the_smallest_letters() -> None:
    assert columns("L1") == len((big("L1", 100, 4) or ("",))[0])
    assert columns("窓口") is None
