"""The server's closed lists in words of a language; what a later server has besides is shown as it came."""

import re
from collections.abc import Mapping
from functools import cache

from tokenq.contract import words
from tokenq.locale import Texts


def state_word(state: str, texts: Texts) -> str:
    """Return a token's state as a word."""
    return texts.gettext(words.STATES.get(state, state.lower().replace("_", "-")))


def class_word(priority: str, own: Mapping[str, str], texts: Texts) -> str:
    """Return a class as the department calls it in ``own``, else as everybody does."""
    return own.get(priority) or texts.gettext(words.CLASSES.get(priority, priority))


def reason_words(reason: str, texts: Texts) -> str:
    """Return why somebody is next, or why a wait is unknown."""
    for template in words.REASONS:
        if found := _pattern(template).fullmatch(reason):
            values = {name: texts.gettext(words.CLASSES.get(said, said)) for name, said in found.groupdict().items()}
            return texts.gettext(template, **values)
    return reason


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template)))
