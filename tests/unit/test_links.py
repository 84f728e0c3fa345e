"""What documents name is there: every relative link leads to a file and a heading, every version is this one."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("", "docs", "deploy", "tests/chaos", "tests/security")
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))


def prose(document: str) -> str:
    """The text without blocks of code and without code in lines: what looks like a link there is none."""
    text = (ROOT / document).read_text("utf-8")
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


def anchors(document: str) -> set[str]:
    """The names of the headings, as GitHub and zensical make them; a heading that comes twice has a number."""
    text = re.sub(r"^ *```.*?^ *```$", "", (ROOT / document).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-"))
    return found


def broken_links(document: str) -> list[str]:
    """The links that lead nowhere."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent.joinpath(path).resolve() if path else ROOT / document
        name = str(target.relative_to(ROOT))
        if target.exists():
            if anchor and anchor not in anchors(name):
                broken.append(link)
        else:
            broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document: str) -> None:
    assert broken_links(document) == []


def test_the_manual_links_nothing_outside_its_folder() -> None:
    """Its site has only this folder."""
    pages = [document for document in DOCUMENTS if document.startswith("docs/")]
    assert len(pages) > 10
    assert [page for page in pages if re.search(r"\]\(\.\./", prose(page))] == []


def test_every_page_is_in_the_contents_of_the_site() -> None:
    listed = set(re.findall(r'"([\w-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= listed


def test_what_is_installed_is_this_release() -> None:
    """The manual and the manifests name files and images by their version."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    texts = [*(ROOT / "docs").glob("*.md"), *(ROOT / "deploy" / "kubernetes").glob("*.yaml")]
    named = {
        found
        for text in texts
        for found in re.findall(r"tokenq(?:-board)?[-_:](\d+\.\d+\.\d+)", text.read_text("utf-8"))
    }
    assert named == {version}
