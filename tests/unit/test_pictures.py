"""The pictures of README and manual: each is made by a command, stands on a page, and is small."""

import re
from pathlib import Path

import pytest

from tests.pictures.diagrams import DIAGRAMS, mark
from tests.pictures.listed import FOLDER, PICTURES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST, MOST_OF_ALL = 150_000, 1_000_000
"""Bytes."""
MADE = {*PICTURES, *DIAGRAMS}


def shown() -> list[tuple[str, Path]]:
    """The words for those who see no picture, and the file, of every picture of the pages."""
    found = []
    for page in PAGES:
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8")):
            found.append((words, (page.parent / path).resolve()))
    return found


def test_every_picture_of_a_page_is_made_by_the_command_and_each_one_made_is_shown() -> None:
    assert {path for _, path in shown()} == {FOLDER / name for name in MADE}
    assert {path.name for path in FOLDER.iterdir()} == MADE


def test_every_picture_is_told_in_words() -> None:
    assert [path.name for words, path in shown() if len(words.split()) < 4] == []


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MOST} == {}
    assert sum(sizes.values()) < MOST_OF_ALL


def test_no_picture_names_this_machine() -> None:
    drawn = [
        path
        for path in FOLDER.glob("*.svg")
        if re.search(r"127\.0\.0\.1|localhost|/tmp|/home|/root", path.read_text("utf-8"))
    ]
    assert drawn == []


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_that_of_the_code(name: str) -> None:
    """If not: ``nox -s diagrams``."""
    assert mark(DIAGRAMS[name]()) in (FOLDER / name).read_text("utf-8")
