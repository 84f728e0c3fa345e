"""The terminal's own encoder: any text made safe to show in one cell or line of a terminal.

Used at the last step before a character reaches a terminal or a printer, by the CLI, the console and the board.
Control characters (C0, C1, ESC), bidirectional and invisible ones, tags, surrogates and private-use characters cannot
pass; long runs of combining marks are cut, so one text stays one row high. What letters and emoji are composed of
stays: combining marks, variation selectors, and joiners between letters or symbols.

Widths are in cells of a terminal, as Rich and Textual count them: an ideograph has two, a combining mark none.
"""

import unicodedata
from collections.abc import Iterator

_REPLACEMENT = "\ufffd"
_MAX_MARKS = 4
_MAX_EQUAL_MARKS = 2
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols that show nothing, so that a name of them would look empty."""
_TOO_WIDE = frozenset("\ufdfd\U0001242b\U00012219")
_JOINER = "\u200d"
_JOINERS = frozenset({"\u200c", _JOINER})
"""Zero-width non-joiner and joiner: Persian, Hindi and emoji families are written with them."""
_JOINABLE = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Sk", "So"})
_LONGEST_CLUSTER = 8
"""Characters per cell up to which a text is read before it is cut; an emoji family of four with skin tones has six."""


def printable(value: object, width: int | None = None) -> str:
    """Show ``value`` on a terminal without letting it act on the terminal.

    ``width`` limits the answer to so many cells, with ``…`` as the last one when it was cut. What is joined or combined
    is never split.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text if width is None or len(text) <= width else text[: max(width - 1, 0)] + "…"[: max(width, 0)]
    most = len(text) if width is None else width * _LONGEST_CLUSTER
    shown = "".join(_safe(unicodedata.normalize("NFC", text[:most])))
    return shown if width is None else _cut(shown, width, is_cut=len(text) > most)


def cells(text: str) -> int:
    """Return how many cells a printable text takes."""
    return len(text) if text.isascii() else sum(width for _, width in _clusters(text))


def wrapped(value: object, width: int) -> list[str]:
    """Break a text into printable lines of at most ``width`` cells.

    Breaks at spaces; inside a word only if it is longer than a line, and never inside what is joined or combined.
    """
    lines = [""]
    for word in printable(value).split():
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(line) <= width:
            lines[-1] = line
            continue
        if lines[-1]:
            lines.append("")
        for cluster, size in _clusters(word):
            if cells(lines[-1]) + size > width and lines[-1]:
                lines.append("")
            lines[-1] += cluster if size <= width else "…"
    return lines


def spaced(text: str) -> str:
    """Return a printable text with a space after each letter, for large print."""
    return " ".join(text if text.isascii() else (cluster for cluster, _ in _clusters(text)))


def _safe(text: str) -> Iterator[str]:
    marks: list[str] = []
    previous = ""
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if character in _JOINERS and _joins(previous, text[place + 1 : place + 2], marks):
            previous = character
            yield character
            continue
        if category not in ("Mn", "Me"):
            marks = []
        elif _is_one_too_many(character, marks):
            continue
        else:
            marks.append(character)
        if category in _HIDDEN or character in _INVISIBLE or character in _TOO_WIDE:
            previous = " " if character in "\t\n\r" else _REPLACEMENT
        else:
            previous = character
        yield previous


def _is_one_too_many(mark: str, marks: list[str]) -> bool:
    return len(marks) >= _MAX_MARKS or marks.count(mark) >= _MAX_EQUAL_MARKS


def _joins(before: str, after: str, marks: list[str]) -> bool:
    """Whether a joiner stands between two characters that are shown and can be joined."""
    if not before or not after or before == _REPLACEMENT or after == _REPLACEMENT:
        return False
    kinds = unicodedata.category(before), unicodedata.category(after)
    if after in _INVISIBLE or after in _TOO_WIDE or (kinds[1] == "Mn" and _is_one_too_many(after, marks)):
        return False
    return _JOINABLE.issuperset(kinds)


def _cut(text: str, width: int, *, is_cut: bool) -> str:
    """Cut a text that is longer than ``width``, or of which only the beginning is given."""
    if not is_cut and (len(text) * 2 <= width or cells(text) <= width):
        return text
    if width <= 0:
        return ""
    shown, room = "", width - 1
    clusters = list(_clusters(text))
    for cluster, size in clusters[:-1] if is_cut else clusters:
        if size > room:
            break
        shown, room = shown + cluster, room - size
    return shown.rstrip("".join(_JOINERS)) + "…"


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Split a text into what must not be separated, each with its cells.

    A letter after a joiner is counted, unlike by Rich: not every terminal draws the two as one.
    """
    from rich.cells import get_character_cell_size  # slow to load, and rarely needed

    cluster = ""
    for character in text:
        is_part = character in _JOINERS or cluster.endswith(_JOINER) or not get_character_cell_size(character)
        if cluster and not (is_part or (_is_flag_letter(character) and len(cluster) == 1 and _is_flag_letter(cluster))):
            yield cluster, _size(cluster)
            cluster = ""
        cluster += character
    if cluster:
        yield cluster, _size(cluster)


def _size(cluster: str) -> int:
    from rich.cells import cell_len, get_character_cell_size

    return max(cell_len(cluster), sum(get_character_cell_size(each) for each in cluster if each.isalpha()))


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
