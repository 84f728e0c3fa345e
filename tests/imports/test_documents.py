"""The documents match the code: commands, settings, files, exit codes and sessions."""

import dataclasses
import re
from pathlib import Path

import pytest

from tests.manual import DOCS, included_in
from tokenq.cli.menu import ENTRIES
from tokenq.contract import events
from tokenq.contract.problems import ExitCode, ProblemCode
from tokenq.settings import Settings
from tokenq_server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MANUAL = {f"docs/{path.name}": path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
DOCUMENTS = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING, **MANUAL}
PACKAGES = ("tokenq", "tokenq_server", "tokenq_tui")
GIVEN = {"TOKENQ_NUMBER", "TOKENQ_LANGUAGE", "TOKENQ_DEPARTMENT"}
"""What a board gives to the command that it runs for a call; nobody sets it."""


def settings_in_code() -> set[str]:
    """All variables named in a package, and the fields of both settings classes."""
    fields = {*ServerSettings.model_fields, *(field.name for field in dataclasses.fields(Settings))}
    names = {f"TOKENQ_{name.upper()}" for name in fields}
    for package in PACKAGES:
        for module in (ROOT / package).rglob("*.py"):
            names |= set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b", module.read_text("utf-8")))
    return names


@pytest.mark.parametrize("document", ["docs", "deploy/env.example"])
def test_all_settings_are_documented_and_no_others(document):
    """In the manual: as rows of the page of settings, and what a board gives, on the page of the lobby."""
    if document == "docs":
        rows = re.findall(r"^\| (`TOKENQ_[^|]+) \|", MANUAL["docs/settings.md"], re.MULTILINE)
        described = set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b", " ".join([*rows, MANUAL["docs/lobby.md"]])))
    else:
        described = set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b", (ROOT / document).read_text("utf-8")))
    assert described == settings_in_code() - (GIVEN if document == "deploy/env.example" else set())


@pytest.mark.parametrize("document", ["README.md", *MANUAL])
def test_every_setting_that_the_manual_names_exists(document):
    named = set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b(?!_|…)", DOCUMENTS[document]))
    assert named <= settings_in_code()


def test_ci_runs_the_test_command_of_the_readme():
    """A second way to run the tests would be one that no one tries."""
    line = next(line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if line.endswith("bin/nox"))
    assert f"\n{line}\n" in README


def test_the_two_commands_are_one_line_each():
    fences = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert [fence.count("\n") for fence in fences[:2]] == [1, 1]
    assert "tokenq up" in fences[0]


def test_every_command_is_documented():
    text = " ".join(DOCUMENTS.values())
    assert [name for name in ENTRIES if not re.search(rf"(tokenq |`){name}\b", text)] == []


@pytest.mark.parametrize("document", list(DOCUMENTS))
def test_every_documented_command_exists(document):
    typed = re.findall(r"(?:`|\$ |bin/)tokenq ([a-z][a-z-]*)", DOCUMENTS[document])
    assert typed or document not in ("README.md", "docs/clerk.md", "docs/manager.md")
    assert set(typed) <= set(ENTRIES)


def test_every_exit_code_is_documented():
    assert re.findall(r"^\| (\d+) \|", MANUAL["docs/settings.md"], re.MULTILINE) == [
        str(code.value) for code in ExitCode
    ]


def test_every_problem_is_in_the_table():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| \S", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE)
    assert rows == [(str(code), str(code.status), str(code.exit_code.value)) for code in ProblemCode]


def test_every_field_and_type_of_an_event_is_documented():
    page = (DOCS / "events.md").read_text("utf-8")
    fields = events.to_wire(events.decode('{"eventType": "X", "departmentId": "CW", "tokenId": 1}'))
    assert re.findall(r"^\| `(\w+)` \| (?:text|number|object)", page, re.MULTILINE) == list(fields)
    rows = re.findall(r"^\| (`[A-Z_]+`[^|]*) \|", page, re.MULTILINE)
    assert re.findall(r"[A-Z_]+", " ".join(rows)) == list(events.EventType)


@pytest.mark.parametrize("manual", ["api.md", "events.md", "extending.md"])
def test_a_page_shows_its_examples_as_they_are(manual):
    shown = included_in(DOCS / manual)
    assert shown
    for name, text in shown.items():
        assert (DOCS / name).read_text("utf-8") == text, name


def test_every_example_is_shown():
    shown = {name for page in DOCS.glob("*.md") for name in included_in(page)}
    files = {str(path.relative_to(DOCS)) for path in (DOCS / "examples").rglob("*") if path.is_file()}
    assert files - shown == {"examples/go/go.mod", "examples/go/go.sum"}


def test_every_place_on_the_map_exists():
    rows = re.findall(r"^\| (`[^|]+) \|", CONTRIBUTING.partition("## The map")[2].partition("\n## ")[0], re.MULTILINE)
    assert len(rows) > 10
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        assert (ROOT / first).exists(), first
        assert all((ROOT / first).parent.joinpath(other).exists() for other in others), row


def test_every_path_in_contributing_exists():
    """Paths start in the top folder or in a package."""
    paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|md|txt|patch))?)`", CONTRIBUTING)
    assert len(paths) > 50
    assert [path for path in paths if not any((ROOT / top / path).exists() for top in ("", *PACKAGES))] == []


def test_every_session_is_documented():
    sessions = re.findall(r"^@nox\.session.*?^def (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.DOTALL | re.M)
    assert re.findall(r"bin/nox -s (\w+)`", CONTRIBUTING) == sessions


def test_the_constraints_are_exact_and_name_no_path():
    lines = (ROOT / "deploy" / "constraints.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines[1:] if not re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+( ; [^/]+)?", line)] == []


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy" / "systemd").glob("*.service")), ids=lambda path: path.stem)
def test_every_unit_starts_an_existing_command(unit):
    command = re.search(r"^ExecStart=/opt/tokenq/bin/tokenq ([a-z-]+)", unit.read_text("utf-8"), re.MULTILINE)
    assert command
    assert command[1] in ENTRIES
