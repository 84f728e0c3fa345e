"""What people call a counter: the place where they are to go."""

from collections.abc import Mapping

from tokenq.locale import texts


def counter_in(language: str, counter: str, words: Mapping[str, str]) -> str:
    """Return a counter as people say it: its id behind the branch's word for one, if it has one in that language.

    An id that is a word by itself, such as ``Room 4``, stays whole.
    """
    if not counter or any(len(part) > 2 and not part.isdecimal() for part in counter.split()):
        return counter
    if word := words.get(language):
        return f"{word} {counter}"
    return texts(language).gettext("Counter {counter}", counter=counter)
