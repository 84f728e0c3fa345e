"""What a row of the table may say, and how it is carried out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.skew.releases import Client, Done


@dataclass(frozen=True)
class Do:
    """A command that is carried out. ``shows`` is a part of its JSON answer: see :func:`differences`.

    ``keeps`` names fields of the answer that later rows may use as ``{name}``; ``token`` is the key to speak with,
    in place of the admin's.
    """

    words: str
    shows: Mapping[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    token: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Carry it out. Raises AssertionError."""
        done = _run(client, f"{self.words} --json", names, self.token)
        assert done.code == 0, done
        answer = json.loads(done.out)
        _compare(self.shows, answer, names, done)
        names.update({name: str(answer[name]) for name in self.keeps})


@dataclass(frozen=True)
class Look(Do):
    """The same of a command that changes nothing: it is also shown to a person."""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Carry it out both ways. Raises AssertionError."""
        super().run(client, names)
        Say(self.words, token=self.token).run(client, names)


@dataclass(frozen=True)
class Say:
    """A command as a person types it, which prints ``text`` and ends with ``code``."""

    words: str
    text: str = ""
    code: int = 0
    token: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Carry it out. Raises AssertionError."""
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
        """Carry it out. Raises AssertionError."""
        done = _run(client, self.words, names, "")
        assert done.code == 0, done
        Path(self.file.format(**names)).write_text(done.out, "utf-8")


@dataclass(frozen=True)
class Refuse:
    """A command that is refused: with this exit code and code, and with a sentence and a hint for people."""

    words: str
    code: int
    problem: str
    token: str = ""

    def run(self, client: Client, names: dict[str, str]) -> None:
        """Try it: with ``--json``, people are talked to as well. Raises AssertionError."""
        done = _run(client, f"{self.words} --json", names, self.token)
        assert done.code == self.code, done
        _compare({"error": {"code": self.problem, "detail": ..., "hint": ...}}, json.loads(done.out), names, done)
        sentence, hint, *_ = [*done.err.splitlines(), "", ""]
        assert re.fullmatch(r"tokenq: \S.+", sentence), done
        assert re.fullmatch(r"  \S.+", hint), done


Step = Do | Say | Save | Refuse

SIGNED_IN = "whoever has signed in on this machine"
"""A ``token`` that is none."""


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """In what an answer is not what was expected; more fields than expected are no difference.

    ``...`` stands for anything but null and nothing; a list has as many items, and those of
    a tuple are among the found ones.
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


def _run(client: Client, words: str, names: Mapping[str, str], token: str) -> Done:
    spoken = "" if token == SIGNED_IN else token.format(**names)
    more = {"TOKENQ_TOKEN": spoken} if token else {}
    return client.run(words.format(**names), **more)


def _compare(expected: Mapping[str, Any], answer: Any, names: Mapping[str, str], done: Done) -> None:
    found = differences(_filled(expected, names), answer)
    assert not found, f"{'; '.join(found)}\n{done}"


def _filled(expected: Any, names: Mapping[str, str]) -> Any:
    """The same with the names put in."""
    if isinstance(expected, str):
        return expected.format(**names)
    if isinstance(expected, Mapping):
        return {name: _filled(value, names) for name, value in expected.items()}
    if isinstance(expected, list | tuple):
        return type(expected)(_filled(value, names) for value in expected)
    return expected
