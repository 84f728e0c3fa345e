"""Texts of one line, such as names: what is refused as empty or unprintable."""

import pytest
from pydantic_core import PydanticCustomError

from tokenq_server.api.schemas import one_line

NOTHING = ("", "  ", "\u200d", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f", "\ufe0f", "\u3164 \u2800")
SOMETHING = ("Ada", "\u3164Ada", "می\u200cخواهم", "❤\ufe0f", "👨\u200d👩\u200d👧", "김\u115f")


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_a_text_that_shows_nothing_is_empty(text: str) -> None:
    """Nobody could be called by such a name."""
    with pytest.raises(PydanticCustomError, match="must not be empty"):
        one_line(text)


@pytest.mark.parametrize("text", SOMETHING, ids=ascii)
def test_characters_that_show_nothing_are_kept_between_those_that_do(text: str) -> None:
    assert one_line(text) == text
