"""The clerk's card: its keys are those of the console, and what it quotes stands on the screens."""

import re
from pathlib import Path

from tokenq_tui.console.actions import ACTIONS

ROOT = Path(__file__).parents[2]
CARD = (ROOT / "docs" / "clerk.md").read_text("utf-8")
CATALOGUE = (ROOT / "tokenq/locale/de/LC_MESSAGES/tokenq.po").read_text("utf-8")


def sentences() -> list[str]:
    """The English texts of screens and refusals, with parameters as they are in code."""
    found = re.findall(r'^msgid (".*"(?:\n".*")*)', CATALOGUE, re.MULTILINE)
    return ["".join(re.findall(r'"(.*)"', text)) for text in found]


def test_the_keys_at_the_counter_are_those_of_the_console() -> None:
    rows = re.findall(r"^\|[^|]*\| `(.)` \| `tokenq ([\w-]+)", CARD.partition("## At the counter")[2], re.MULTILINE)
    named = {(action.key, str(action.verb or action.name)) for action in ACTIONS}
    assert len(rows) >= 13
    assert set(rows) <= named


def test_what_the_card_quotes_stands_on_the_screens() -> None:
    quoted = re.findall(r"^\| \*([^*]+)\*", CARD.partition("## When red words")[2], re.MULTILINE)
    assert len(quoted) >= 10
    assert [text for text in quoted if not any(_says(sentence, text) for sentence in sentences())] == []


def _says(sentence: str, quoted: str) -> bool:
    """Whether it is this sentence with some values, or its beginning; values alone are no sentence."""
    pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(sentence))
    is_a_sentence = 2 * len(pattern.replace(".+", "")) > len(quoted)
    return sentence.startswith(quoted) or (is_a_sentence and re.fullmatch(pattern, quoted) is not None)
