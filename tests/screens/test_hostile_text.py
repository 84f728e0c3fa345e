"""Whatever stands in names, numbers and counters, the terminal gets characters to show and nothing to obey.

Checked on the raw bytes of a real terminal: Textual itself lets escape sequences pass from data to the screen.
"""

import re
import unicodedata

import pytest

from tests.screens.terminal import bytes_of

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_DRAWING = re.compile(r"\x1b\[[0-9;]*[mH]")


def commands(written: str) -> set[str]:
    """The sequences that do something other than move and colour."""
    return {found for found in _SEQUENCE.findall(written) if not _DRAWING.fullmatch(found)}


@pytest.mark.parametrize("screen", ["board", "console"])
def test_hostile_texts_make_the_terminal_do_nothing(screen: str) -> None:
    harmless, hostile = bytes_of(screen, "harmless"), bytes_of(screen, "hostile")
    assert "Text 3" in harmless, "the harmless texts are to be seen, or this proves nothing"
    assert "]52;c" in hostile, "the hostile ones too, as mere characters"
    assert commands(hostile) <= commands(harmless)
    shown = _SEQUENCE.sub("", hostile)
    acting = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert acting <= set("\r\n\u200d"), "a joiner may stand inside an emoji"
    assert "\u0301" * 4 not in shown
