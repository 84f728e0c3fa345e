"""A call as it is said aloud."""

import re
from collections.abc import Mapping

from tokenq.locale import texts
from tokenq.locale.counters import counter_in

_PARTS = re.compile(r"\d+|[^\W\d_]+")


def spelled(number: str) -> str:
    """Return a number as it is read out: letters one by one, digits as a number without zeros before it."""
    parts = _PARTS.findall(number)
    return " ".join(part.lstrip("0") or "0" if part.isdecimal() else " ".join(part) for part in parts)


def spoken(number: str, counter: str, language: str, words: Mapping[str, str]) -> str:
    """Return the sentence to say: ``Number C W 12, Counter 3``."""
    said = counter_in(language, counter.strip(), words)
    if not said:
        return texts(language).gettext("Number {number}", number=spelled(number))
    # For translators: read aloud; {counter} is "counter 3"
    return texts(language).gettext("Number {number}, {counter}", number=spelled(number), counter=said)
