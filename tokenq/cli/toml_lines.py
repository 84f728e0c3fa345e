"""Find the line of a value in a TOML file, which tomllib does not report.

The text must be TOML that tomllib accepts; for anything else the result is undefined.
"""

import re
import tomllib
from collections.abc import Sequence

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})' r"|'''.*?'''(?:'{0,2})" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\r\n]+")


def line_of(text: str, path: str) -> int | None:
    """Return the line (from 1) of the value at a dotted path, array items by index, or of its closest parent."""
    lines = _Scanner(text).lines
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        line = lines.get(".".join(parts[:length]))
        if line is not None:
            return line
    return None


class _Scanner:
    """Scans the text once and records the line of every key, table and item."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self._text = text
        self._at = 0
        self._items: dict[str, int] = {}
        self._explicit: set[str] = set()
        table: list[str] = []
        while self._skip(_BLANK) < len(text):
            if text.startswith("[", self._at):
                table = self._header()
            else:
                self._statement(table)

    def _header(self) -> list[str]:
        is_item = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 2 if is_item else 1
        path: list[str] = []
        for part in self._key():
            path.append(part)
            if (item := self._items.get(".".join(path))) is not None:
                path.append(str(item))
        if is_item:
            # The path of a repeated header includes the last item's index; the array's own path does not.
            array = path[:-1] if ".".join(path[:-1]) in self._items else path
            index = self._items[".".join(array)] = self._items.get(".".join(array), -1) + 1
            self._note(array, line)
            path = [*array, str(index)]
        self._note(path, line)
        self._at += 2 if is_item else 1
        return path

    def _statement(self, table: Sequence[str]) -> None:
        line = self._line()
        path = [*table, *self._key()]
        self._note(path, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Sequence[str]) -> None:
        opening = self._text[self._at]
        if opening == "{":
            self._at += 1
            while not self._is_at_end("}"):
                self._statement(path)
        elif opening == "[":
            self._at += 1
            index = 0
            while not self._is_at_end("]"):
                item = [*path, str(index)]
                self._note(item, self._line())
                self._value(item)
                index += 1
        else:
            self._skip(_STRING if opening in "\"'" else _PLAIN)

    def _is_at_end(self, bracket: str) -> bool:
        """Return whether an inline table or array ends here; skip a comma otherwise."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        is_closed = self._text[self._at] == bracket
        self._at += is_closed
        return is_closed

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                self._skip(_STRING)
                parts.append(tomllib.loads(f"key = {self._text[start : self._at]}")["key"])
            else:
                self._skip(_BARE_KEY)
                parts.append(self._text[start : self._at])
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _note(self, path: Sequence[str], line: int) -> None:
        """Record the first line that states a path; a parent that is only implied gets its child's line."""
        for length in range(1, len(path)):
            self.lines.setdefault(".".join(path[:length]), line)
        name = ".".join(path)
        if name not in self._explicit:
            self._explicit.add(name)
            self.lines[name] = line

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return self._at
