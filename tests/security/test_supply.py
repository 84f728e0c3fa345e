"""What tokenq is made of: the same versions everywhere, each with the hashes of its files (L17, row 78)."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(file: Path) -> dict[str, str]:
    return dict(PIN.findall(file.read_text()))


def test_there_is_a_lock_for_each_extra() -> None:
    assert {lock.stem for lock in LOCKS.iterdir()} == set(EXTRAS)


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_lock_has_the_tested_versions_with_hashes(extra: str) -> None:
    """After a change of versions: nox -s lock."""
    lock = LOCKS / f"{extra}.txt"
    assert pins(lock).items() <= pins(ROOT / "deploy" / "constraints.txt").items()
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_lock_has_what_the_extra_needs(extra: str) -> None:
    wanted = {re.split(r"[\[<>=;~! ]", requirement)[0] for requirement in EXTRAS[extra]} - {"tokenq"}
    assert {name.lower().replace("_", "-") for name in wanted} <= {
        name.lower() for name in pins(LOCKS / f"{extra}.txt")
    }


def test_the_licence_of_every_package_is_listed() -> None:
    """After a change of packages: nox -s licences."""
    names = re.findall(r"^\| ([\w.-]+)", (ROOT / "deploy" / "licences.md").read_text(), re.MULTILINE)
    listed = {name.lower().replace("_", "-") for name in names}
    needed = set(re.findall(r"^([\w.-]+)==[^;\n]*$", (LOCKS / "all.txt").read_text().replace(" \\", ""), re.MULTILINE))
    assert {name.lower() for name in needed} <= listed


KEY = r"tq_[A-Za-z0-9_-]{40,}|AKIA[0-9A-Z]{16}"
PRIVATE = r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\n[A-Za-z0-9+/]{40}"
SECRET = re.compile(f"{KEY}|{PRIVATE}")


def test_no_secret_is_in_the_repository() -> None:
    for file in ROOT.rglob("*"):
        parts = file.relative_to(ROOT).parts
        if file.is_file() and not any(part.startswith((".", "__")) or part == "dist" for part in parts):
            assert not SECRET.search(file.read_text("utf-8", "replace")), file
