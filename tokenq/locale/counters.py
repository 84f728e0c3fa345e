"""What people call a counter: its id behind the branch's word for one, or the id itself where that is a word."""

from collections.abc import Mapping

from tokenq.locale import texts


def counter_in(language: str, counter: str, words: Mapping[str, str]) -> str:
    """Return a counter as people say it: ``Counter 3``, ``Desk 3`` with the branch's word, ``Room 4`` as it is."""
    if not counter or any(map(_is_word, counter.split())):
        return counter
    if word := words.get(language):
        return f"{word} {counter}"
    return texts(language).gettext("Counter {counter}", counter=counter)


def _is_word(part: str) -> bool:
    """Whether this part of an id is a word of its own; two letters, as in ``A 1`` or ``XR2``, are none."""
    return not part.isdecimal() and (len(part) > 2 or not part.isascii())
