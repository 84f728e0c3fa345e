"""User text cannot act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenq.printable import printable


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b31mred", "\ufffd31mred"),
        ("a\u202eb", "a\ufffdb"),
        ("a\x00b\x7f", "a\ufffdb\ufffd"),
        ("two\nlines\tand tab", "two lines and tab"),
        ("\u200b\ufeff", "\ufffd\ufffd"),
    ],
)
def test_what_would_act_is_replaced(hostile, shown):
    assert printable(hostile) == shown


def test_ordinary_names_stay_as_they_are():
    for name in ("Ann", "Zoë", "Łukasz", "王小明", "محمد", "[bold]Ann[/]"):
        assert printable(name) == name


def test_a_heap_of_marks_is_cut():
    assert printable("e" + "\u0301" * 50).count("\u0301") <= 2


def test_a_long_text_is_cut_to_its_width():
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"


@given(st.text(st.characters()))
def test_no_text_at_all_gets_a_control_character_through(text):
    shown = printable(text)
    assert [one for one in shown if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}] == []
    assert printable(shown) == shown
