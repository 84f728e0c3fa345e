"""User text cannot act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.scripts import JOINERS, LINES_OF_TEXT
from tokenq.printable import cells, printable, wrapped


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b31mred", "\ufffd31mred"),
        ("a\u202eb", "a\ufffdb"),
        ("a\x00b\x7f", "a\ufffdb\ufffd"),
        ("two\nlines\tand tab", "two lines and tab"),
        ("\u200b\ufeff", "\ufffd\ufffd"),
        ("\u3164\uffa0", "\ufffd\ufffd"),
        ("\u200dAnn\u200c", "\ufffdAnn\ufffd"),
        ("A \u200d B", "A \ufffd B"),
        ("a\u200d\u200db", "a\ufffd\ufffdb"),
        ("1\u200d2", "1\ufffd2"),
    ],
)
def test_what_would_act_is_replaced(hostile, shown):
    assert printable(hostile) == shown


def test_ordinary_names_stay_as_they_are():
    for name in ("Ann", "Zoë", "Łukasz", "王小明", "محمد", "[bold]Ann[/]"):
        assert printable(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "علی\u200cرضا",  # Persian, with a non-joiner
        "क्\u200dष",  # Hindi, with a joiner
        "র\u200d্যাব",  # Bengali, with a joiner before a mark
        "မြို့",  # Burmese: three marks on one letter
        "辻\U000e0100",  # an ideograph in the form that a family writes
        "\U0001f468\U0001f3fd\u200d\U0001f469\u200d\U0001f467",
        "\u2764\ufe0f",
        "\U0001f1e9\U0001f1ea",
    ],
)
def test_a_name_keeps_the_joiners_and_marks_with_which_it_is_written(name):
    assert printable(name) == name


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("市民課証明係", 6, "市民…"),
        ("市民課証明係", 7, "市民課…"),
        ("市民課", 6, "市民課"),
        ("a\u0301" * 4, 3, "\u00e1\u00e1…"),
        ("n\u0323\u0304" * 4, 3, "\u1e47\u0304" * 2 + "…"),
        ("ab\U0001f468\u200d\U0001f469\u200d\U0001f467cd", 4, "ab…"),
        ("ab\U0001f468\u200d\U0001f469\u200d\U0001f467cd", 5, "ab\U0001f468\u200d\U0001f469\u200d\U0001f467…"),
        ("a\U0001f1e9\U0001f1eab", 3, "a…"),
        ("می\u200cخواهم", 3, "می…"),
        ("字", 1, "…"),
        ("字", 0, ""),
        ("abc", 0, ""),
        ("e" + "\u0301" * 500, 1, "…"),
    ],
)
def test_a_text_is_cut_by_cells_and_never_inside_what_is_joined(text, width, shown):
    assert printable(text, width) == shown


@given(LINES_OF_TEXT, st.integers(0, 40))
def test_a_cut_text_is_no_wider_than_its_room(text, width):
    shown = printable(text, width)
    assert cell_len(shown) <= cells(shown) <= width
    assert [sign for sign in shown if unicodedata.category(sign)[0] == "C" and sign not in JOINERS] == []
    assert not shown.startswith(JOINERS)
    assert not shown.endswith(JOINERS)
    if cells(printable(text)) <= width and len(text) <= width * 8:
        assert shown == printable(text)


@given(LINES_OF_TEXT, st.integers(2, 40))
def test_a_wrapped_text_loses_nothing_but_spaces(text, width):
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    if "…" not in "".join(lines):
        assert "".join(lines).replace(" ", "") == "".join(printable(text).split())


def test_a_text_is_wrapped_between_words_where_it_can():
    name = "Einwohnermeldeamt und Standesamt Charlottenburg-Wilmersdorf"
    assert wrapped(name, 32) == ["Einwohnermeldeamt und Standesamt", "Charlottenburg-Wilmersdorf"]
    assert wrapped("市民課証明係", 5) == ["市民", "課証", "明係"]
    assert wrapped("", 5) == [""]


def test_a_heap_of_marks_is_cut():
    assert printable("e" + "\u0301" * 50).count("\u0301") <= 2


def test_a_long_text_is_cut_to_its_width():
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"


@given(st.text(st.characters()) | LINES_OF_TEXT)
def test_no_text_at_all_gets_a_control_character_through(text):
    shown = printable(text)
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert [sign for sign in shown if unicodedata.category(sign) in hidden and sign not in JOINERS] == []
    assert printable(shown) == shown
