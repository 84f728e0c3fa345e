"""The kinds of rows in the table, and how they are run."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.skew.releases import Client, Done


@dataclass(frozen=True)
class Do:
    """A command that succeeds. ``shows`` is part of its JSON: see :func:`differences`.

    ``keeps`` names fields of the JSON that later rows may use as ``{name}``; ``token`` is the key to use
    instead of the admin's; ``typed`` is a line of standard input.
    """

    words: str
    shows: Mapping[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    token: str = ""
    typed: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it. Raises AssertionError."""
        done = _run(client, f"{self.words} --json", names, self.token, self.typed)
        assert done.code == 0, done
        answer = json.loads(done.out)
        _compare(self.shows, answer, names, done)
        names.update({name: str(answer[name]) for name in self.keeps})


@dataclass(frozen=True)
class Look(Do):
    """The same for a command that changes nothing: also run without ``--json``."""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it both ways. Raises AssertionError."""
        super().run(client, names)
        Say(self.words, token=self.token).run(client, names)


@dataclass(frozen=True)
class Say:
    """A command without ``--json`` that prints ``text`` and exits with ``code``."""

    words: str
    text: str = ""
    code: int = 0
    token: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it. Raises AssertionError."""
        done = _run(client, self.words, names, self.token)
        assert done.code == self.code, done
        assert done.out.strip(), done
        assert self.text.format(**names) in done.out, done


@dataclass(frozen=True)
class Save:
    """A command whose output is kept in a file."""

    words: str
    file: str

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it. Raises AssertionError."""
        done = _run(client, self.words, names, "")
        assert done.code == 0, done
        Path(self.file.format(**names)).write_text(done.out, "utf-8")


@dataclass(frozen=True)
class Refuse:
    """A command that is refused, with this exit code and code, a sentence and a hint."""

    words: str
    code: int
    problem: str
    token: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it with ``--json``; stderr must have the sentence too. Raises AssertionError."""
        done = _run(client, f"{self.words} --json", names, self.token)
        assert done.code == self.code, done
        _compare({"error": {"code": self.problem, "detail": ..., "hint": ...}}, json.loads(done.out), names, done)
        sentence, hint, *_ = [*done.err.splitlines(), "", ""]
        assert re.fullmatch(r"tokenq: \S.+", sentence), done
        assert re.fullmatch(r"  \S.+", hint), done


@dataclass(frozen=True)
class There:
    """A step with the command line of the server's own release."""

    step: Do | Say | Refuse

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Run it. Raises AssertionError."""
        self.step.run(replace(client, release=client.server), names)


Step = Do | Say | Save | Refuse | There

SIGNED_IN = "whoever has signed in on this machine"
"""An invalid ``token``."""


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Return the differences between a response and what was expected; additional fields are ignored.

    ``...`` matches anything but null and absence; a list must have the same length, and items of
    a tuple must be among the actual ones.
    """
    if expected is ...:
        return [f"{where} is {found!r}"] if found in (None, "", [], {}) else []
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return [f"{where} is {found!r}"]
        absent = [f"{where}.{name} is not there" for name in expected if name not in found]
        there = [name for name in expected if name in found]
        return absent + [
            difference for name in there for difference in differences(expected[name], found[name], f"{where}.{name}")
        ]
    if isinstance(expected, tuple):
        items = found if isinstance(found, list) else []
        absent = [wish for wish in expected if all(differences(wish, item) for item in items)]
        return [f"{where} has no item with {wish}" for wish in absent]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(expected) != len(found):
            return [f"{where} has not {len(expected)} items: {found!r}"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [
            difference for place, (wish, item) in pairs for difference in differences(wish, item, f"{where}[{place}]")
        ]
    return [] if expected == found else [f"{where} is {found!r}, not {expected!r}"]


def _run(client: Client, words: str, names: Mapping[str, str], token: str, typed: str = "") -> Done:
    spoken = "" if token == SIGNED_IN else token.format(**names)
    more = {"TOKENQ_TOKEN": spoken} if token else {}
    return client.run(words.format(**names), typed.format(**names), **more)


def _compare(expected: Mapping[str, Any], answer: Any, names: Mapping[str, str], done: Done) -> None:
    found = differences(_filled(expected, names), answer)
    assert not found, f"{'; '.join(found)}\n{done}"


def _filled(expected: Any, names: Mapping[str, str]) -> Any:
    """The same with placeholders filled in."""
    if isinstance(expected, str):
        return expected.format(**names)
    if isinstance(expected, Mapping):
        return {name: _filled(value, names) for name, value in expected.items()}
    if isinstance(expected, list | tuple):
        return type(expected)(_filled(value, names) for value in expected)
    return expected
