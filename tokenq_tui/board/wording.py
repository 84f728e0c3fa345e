"""What the board says, in one language and ready to be drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenq.locale import SOURCE, texts
from tokenq.locale.counters import counter_in
from tokenq.printable import printable


def as_it_is(text: str) -> str:
    """Return a text in the order in which it is read."""
    return text


@dataclass(frozen=True, slots=True)
class Wording:
    """Texts in ``language``, and texts from data; ``reshape`` brings letters into the order in which they are drawn."""

    language: str = SOURCE
    reshape: Callable[[str], str] = as_it_is

    def gettext(self, source: str, **values: Any) -> str:
        """Return a text of the board, filled with ``values``, which may be hostile."""
        return self.data(texts(self.language).gettext(source, **values))

    def title(self, source: str) -> str:
        """Return a text of the board in capitals."""
        return self.reshape(texts(self.language).gettext(source).upper())

    def data(self, value: object, width: int | None = None) -> str:
        """Return a text from data in at most ``width`` cells."""
        return self.reshape(printable(value, width))

    def counter(self, counter: str, words: Mapping[str, str]) -> str:
        """Return a counter as people say it."""
        return self.data(counter_in(self.language, counter.strip(), words))
