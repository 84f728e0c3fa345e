"""The catalogues: each language says all that there is to say, with the same values filled in."""

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from tokenq import locale
from tokenq.locale import FOLDER, SOURCE, languages, texts

ROOT = Path(__file__).parents[2]
TAGS = ("ar", "de", "es", "fr", "zh-CN")


def module(name: str) -> Any:
    """A script of deploy/locale."""
    spec = importlib.util.spec_from_file_location(f"catalogues_{name}", ROOT / "deploy" / "locale" / f"{name}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def template() -> Catalog:
    found: Catalog = module("template").template()
    return found


def catalogue(tag: str) -> Catalog:
    code = tag.replace("-", "_")
    with (FOLDER / code / "LC_MESSAGES" / "tokenq.po").open("rb") as file:
        return read_po(file, locale=code)


def messages(of: Catalog) -> dict[str, Message]:
    return {str(message.id): message for message in of if message.id}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def forms(message: Message) -> Iterable[str]:
    return [message.string] if isinstance(message.string, str) else message.string


def test_these_are_the_languages() -> None:
    assert languages() == (SOURCE, *TAGS)


@pytest.mark.parametrize("tag", TAGS)
def test_a_catalogue_is_complete_and_has_nothing_else(tag: str, template: Catalog) -> None:
    known, translated = messages(template), messages(catalogue(tag))
    assert known.keys() - translated.keys() == set(), "nox -s locale, then pybabel update"
    assert translated.keys() - known.keys() == set()
    assert [name for name, message in translated.items() if message.fuzzy or not all(forms(message))] == []


def test_no_language_has_the_sentence_of_another() -> None:
    """A slip of whoever writes several catalogues; words that languages share are no sentences."""
    said: dict[tuple[str, str], set[str]] = {}
    for tag in TAGS:
        for name, message in messages(catalogue(tag)).items():
            for form in forms(message):
                if len(re.sub(r"\{\w*\}", "", form)) > 20:
                    said.setdefault((name, form), set()).add(tag)
    assert {key: tags for key, tags in said.items() if len(tags) > 1} == {}


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_is_filled_with_the_same_values(tag: str) -> None:
    for message in messages(catalogue(tag)).values():
        sources = [message.id] if isinstance(message.id, str) else message.id
        expected = set().union(*map(fields, sources))
        for form in forms(message):
            # A form for one or two may say the number as a word.
            optional = set() if isinstance(message.id, str) else {"number"}
            assert expected - optional <= fields(form) | optional, (message.id, form)
            assert fields(form) <= expected, (message.id, form)
            assert form == form.strip() or sources[0] != sources[0].strip(), form


@pytest.mark.parametrize("tag", TAGS)
def test_it_says_who_has_not_read_it(tag: str) -> None:
    text = (FOLDER / tag.replace("-", "_") / "LC_MESSAGES" / "tokenq.po").read_text("utf-8")
    assert "Not yet read by a native speaker." in text.partition("msgid")[0]


@pytest.mark.parametrize(("tag", "said"), [("de", "Schalter 3"), ("fr", "Guichet 3"), ("en", "Counter 3")])
def test_a_sentence_is_said_in_its_language(tag: str, said: str) -> None:
    assert texts(tag).gettext("Counter {counter}", counter="3") == said
    assert texts(tag).is_right_to_left is False


def test_plurals_follow_the_language_s_rules() -> None:
    assert texts("ar").is_right_to_left
    few, many = (texts("ar").ngettext("{number} call", "{number} calls", number) for number in (3, 11))
    assert few != many.replace("11", "3")


@pytest.mark.parametrize("slip", ["{typo}", "{0}", "{", "{counter.typo}", "{counter[x]}", "{counter:d}", "{number[0]}"])
def test_a_slip_of_a_translator_ends_no_screen(monkeypatch: pytest.MonkeyPatch, slip: str) -> None:
    spoken = locale.Texts("de")
    monkeypatch.setattr(spoken._catalogue, "gettext", lambda _: f"Schalter {slip}")
    assert spoken.gettext("Counter {counter}", counter="3", number=3) == "Counter 3"


_MAGIC = b"\xde\x12\x04\x95"


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 9, _MAGIC, _MAGIC + bytes([0, 0, 0, 0, 9] + [0] * 15)])
def test_a_damaged_catalogue_of_ones_own_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """Each letter, page and screen would fail otherwise."""
    damaged = tmp_path / "de" / "LC_MESSAGES" / "tokenq.mo"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(content)
    monkeypatch.setenv("TOKENQ_LOCALE", str(tmp_path))
    locale._catalogue.cache_clear()
    try:
        assert locale.Texts("de").gettext("Counter {counter}", counter="3") == "Schalter 3"
        assert "is left out" in caplog.text
    finally:
        locale._catalogue.cache_clear()


def test_own_words_come_before_ours_and_a_seventh_language_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, said in (("en", "Window {counter}"), ("fi", "Luukku {counter}")):
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        own = Catalog(locale=code)
        own.add("Counter {counter}", said)
        with (folder / "tokenq.mo").open("wb") as file:
            module("compile").write_mo(file, own)
    monkeypatch.setenv("TOKENQ_LOCALE", str(tmp_path))
    locale._catalogue.cache_clear()
    try:
        assert "fi" in languages()
        assert locale.Texts("fi").gettext("Counter {counter}", counter="3") == "Luukku 3"
        assert locale.Texts("en").gettext("Counter {counter}", counter="3") == "Window 3"
        assert locale.Texts("en").gettext("Now calling") == "Now calling"
    finally:
        locale._catalogue.cache_clear()
