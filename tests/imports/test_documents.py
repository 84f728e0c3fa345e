"""What the papers beside the code promise is there: commands, settings, files, exit codes and sessions."""

import dataclasses
import re
from pathlib import Path

import pytest

from tokenq.cli.menu import ENTRIES
from tokenq.contract.problems import ExitCode
from tokenq.settings import Settings
from tokenq_server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
DEPLOY = (ROOT / "deploy" / "README.md").read_text("utf-8")
PAPERS = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING, "deploy/README.md": DEPLOY}


def settings_in_code() -> set[str]:
    """Every name in a package, and the fields of both settings."""
    fields = {*ServerSettings.model_fields, *(field.name for field in dataclasses.fields(Settings))}
    found = {f"TOKENQ_{name.upper()}" for name in fields}
    for package in ("tokenq", "tokenq_server", "tokenq_tui"):
        for module in (ROOT / package).rglob("*.py"):
            found |= set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b", module.read_text("utf-8")))
    return found


@pytest.mark.parametrize("paper", ["README.md", "deploy/env.example"])
def test_every_setting_is_described_and_none_is_invented(paper):
    described = set(re.findall(r"\bTOKENQ_[A-Z_]*[A-Z]\b", (ROOT / paper).read_text("utf-8")))
    assert described == settings_in_code()


def test_the_command_for_the_tests_is_the_one_that_ci_runs():
    """Two ways to test would be one that nobody tries."""
    line = next(line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if line.endswith("bin/nox"))
    assert f"\n{line}\n" in README


def test_the_two_commands_are_one_line_each():
    fences = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert [fence.count("\n") for fence in fences[:2]] == [1, 1]
    assert "tokenq up" in fences[0]


def test_every_command_is_told_of():
    told = " ".join(PAPERS.values())
    unknown = [name for name in ENTRIES if not re.search(rf"(tokenq |`){name}\b", told)]
    assert unknown == []


@pytest.mark.parametrize("paper", list(PAPERS))
def test_every_command_told_of_is_there(paper):
    typed = re.findall(r"(?:`|\$ |bin/)tokenq ([a-z][a-z-]*)", PAPERS[paper])
    assert typed
    assert set(typed) <= set(ENTRIES)


def test_every_exit_code_is_told_of():
    assert re.findall(r"^\| (\d+) \|", README, re.MULTILINE) == [str(code.value) for code in ExitCode]


@pytest.mark.parametrize("paper", [*PAPERS, "CHANGELOG.md"])
def test_every_link_to_a_file_leads_somewhere(paper):
    text = (ROOT / paper).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / paper).parent.joinpath(link).exists()] == []


def test_every_room_on_the_map_exists():
    rows = re.findall(r"^\| (`[^|]+) \|", CONTRIBUTING.partition("## The map")[2].partition("\n## ")[0], re.MULTILINE)
    assert len(rows) > 10
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        assert (ROOT / first).exists(), first
        assert all((ROOT / first).parent.joinpath(other).exists() for other in others), row


def test_every_session_is_told_of():
    sessions = re.findall(r"^@nox\.session.*?^def (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.DOTALL | re.M)
    assert re.findall(r"bin/nox -s (\w+)`", CONTRIBUTING) == sessions


def test_the_constraints_are_exact_and_name_no_place():
    lines = (ROOT / "deploy" / "constraints.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines[1:] if not re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+( ; [^/]+)?", line)] == []


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy" / "systemd").glob("*.service")), ids=lambda path: path.stem)
def test_every_unit_starts_a_command_that_is_there(unit):
    command = re.search(r"^ExecStart=/opt/tokenq/bin/tokenq ([a-z-]+)", unit.read_text("utf-8"), re.MULTILINE)
    assert command
    assert command[1] in ENTRIES
