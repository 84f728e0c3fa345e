"""A call in a rectangle: whatever its size, the number and the counter are whole."""

import pytest

from tokenq.printable import cells
from tokenq_tui.bigtext import big, columns
from tokenq_tui.board.layout import MOST_TILES, layout_of, tiles_that_fit
from tokenq_tui.board.tile import TileStyle, TileText, tile

STYLE = TileStyle("$primary", "$accent", "$foreground", "on $primary")
SCREENS = [(60, 20), (80, 24), (120, 36), (160, 45), (200, 60), (240, 67), (60, 80)]


def drawn(text: TileText, width: int, height: int) -> list[str]:
    return [line.plain for line in tile(text, STYLE, width, height)]


def text(
    number: str = "CW-012", counter: str = "Counter 3", counter_id: str = "3", name: str = "Children's Ward"
) -> TileText:
    return TileText(number, counter, counter_id, name, "11:57")


@pytest.mark.parametrize("size", [(1, 1), (20, 3), (37, 5), (56, 12), (76, 12), (116, 16), (236, 31), (56, 33)])
@pytest.mark.parametrize(
    "words", [text(), text("検-001", "窓口 3", "窓口 3", "血液検査室"), text("A" * 60, "B" * 60, "B" * 60, "C" * 60)]
)
def test_it_fills_its_rectangle_exactly(words: TileText, size: tuple[int, int]) -> None:
    rows = drawn(words, *size)
    assert [cells(row) for row in rows] == [size[0]] * size[1]


def is_big(word: str, rows: list[str]) -> bool:
    """Whether a word stands in rows in big letters of any size."""
    width = len(rows[0])
    shapes = {
        big(word, (columns(word) or 0) * scale, down, may_be_tall=True, hangs=hangs)
        for scale in range(1, width // (columns(word) or 1) + 1)
        for down in range(len(rows) + 1)
        for hangs in (True, False)
    }
    return any(shape and all(any(part.rstrip() in row for row in rows) for part in shape) for shape in shapes)


@pytest.mark.parametrize("screen", SCREENS)
def test_number_and_counter_are_in_big_letters_on_every_screen(screen: tuple[int, int]) -> None:
    """The counter in words, too: ``Counter 3`` says more to a stranger than an arrow and a digit."""
    rows = drawn(text(), screen[0] - 4, layout_of(*screen).banner)
    assert is_big("CW-012", rows)
    assert is_big("Counter 3", rows)
    assert not is_big("CW-013", rows)


@pytest.mark.parametrize("screen", SCREENS)
def test_as_many_tiles_as_show_their_numbers_big(screen: tuple[int, int]) -> None:
    width, height = screen[0] - 4, layout_of(*screen).banner
    places = tiles_that_fit(width, height)
    assert places == (2 if screen == (60, 20) else MOST_TILES)


def test_where_the_words_are_too_long_the_id_is_big_below_its_word() -> None:
    rows = drawn(text(counter="Examination Room 3"), 60, 12)
    assert any("Examination Room" in row or "E x a m i n a t i o n" in row for row in rows)
    assert is_big("CW-012", rows)
    assert is_big("3", rows)


def test_other_scripts_are_plain_text_with_air_around() -> None:
    rows = drawn(text("検-001", "窓口 3", "窓口 3", "血液検査室"), 60, 12)
    shown = [row.strip() for row in rows if row.strip()]
    assert shown == ["検-001", "窓口 3", "血液検査室  ·  11:57"]


@pytest.mark.parametrize(
    ("screen", "rows"), [((60, 20), 1), ((80, 24), 4), ((120, 36), 6), ((240, 67), 9), ((40, 80), 1)]
)
def test_the_clock_grows_with_the_screen(screen: tuple[int, int], rows: int) -> None:
    assert layout_of(*screen).header == rows


@pytest.mark.parametrize("height", range(1, 90))
def test_no_part_is_taller_than_the_screen(height: int) -> None:
    layout = layout_of(60, height, band=1)
    assert layout.header + layout.banner + 1 <= max(height, 2)
