"""What shells complete, and the manual pages."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.programs import Api
from tokenq.cli.completion import completer_of
from tokenq.cli.menu import ENTRIES

PATIENT = """
import sys
from tokenq.cli import completion, main
completion._SECONDS = 10.0  # a busy machine is not what is tested
sys.argv[0] = "tokenq"
main.main()
"""


@pytest.fixture
def complete(api: Api, home: Path):
    """Ask for completions of an unfinished command line, as bash does."""

    def ask(*words: str, url: str = api.url, shell: str = "bash") -> list[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
        done = subprocess.run(
            [sys.executable, "-c", PATIENT],
            cwd=ROOT,
            env={
                **kept,
                "XDG_CONFIG_HOME": str(home),
                "TOKENQ_URL": url,
                "TOKENQ_TOKEN": api.token,
                "_TOKENQ_COMPLETE": f"complete_{shell}",
                "_TYPER_COMPLETE_ARGS": " ".join(("tokenq", *words)),
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
                "COMP_WORDS": " ".join(("tokenq", *words)),
                "COMP_CWORD": str(len(words)),
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.stdout.split()

    return ask


def test_departments_tokens_and_what_else_the_server_knows_are_completed(complete, tokenq: Cli, dept: str) -> None:
    tokenq("issue", dept)
    tokenq("counter", "open", f"{dept}9", "--dept", dept)
    tokenq("user", "create", "Ann", "--username", f"ann{dept.lower()}", "--role", "staff")
    assert dept in complete("issue", dept[:3])
    assert f"{dept}-001" in complete("status", dept)
    assert complete("cancel", f"{dept}-".lower()) == [f"{dept.lower()}-001"], "as the shell needs it: in the typed case"
    assert {dept, f"{dept}-001"} <= set(complete("serve", dept))
    assert f"{dept}9" in complete("call", dept, "--counter", dept)
    assert "main" in complete("report", "--branch", "ma")
    assert f"ann{dept.lower()}" in complete("user", "show", "ann")
    assert "self-service=on" in complete("dept", "update", dept, "--set", "self-service")
    assert "en" in complete("issue", dept, "--language", "e")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_name_on_the_server_is_no_command_of_the_shell(complete, tokenq: Cli, dept: str, shell: str) -> None:
    """zsh evaluates what it is told, within double quotes."""
    assert tokenq("dept", "update", dept, "--name", "a\\`id\\` \\$(id) 'b' \"c\"").code == 0
    assert tokenq("counter", "open", f"{dept}\\`id\\`", "--dept", dept).code == 0
    assert tokenq("counter", "open", f"{dept} 1", "--dept", dept).code == 0
    said = complete("issue", dept[:3], shell=shell) + complete("call", dept, "--counter", dept, shell=shell)
    words = " ".join(said)
    assert dept in words
    assert f"{dept} 1" in words
    assert "`" not in words
    assert "$" not in words
    assert "\\" not in words


def test_without_a_server_nothing_is_completed_and_nobody_waits(complete) -> None:
    assert complete("issue", "C", url="http://127.0.0.1:1") == []


@pytest.mark.parametrize("metavar", [None, "TEXT", "FILE", "[COMMAND]...", "P:N"])
def test_what_the_server_does_not_know_is_left_to_the_shell(metavar: str | None) -> None:
    assert completer_of(metavar) is None


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_real_shell_completes(shell: str, api: Api, dept: str, home: Path, tmp_path: Path) -> None:
    """With the script that ``--show-completion`` prints."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "tokenq"
    (tmp_path / "patient.py").write_text(PATIENT)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/patient.py "$@"\n')
    program.chmod(0o755)
    script = {
        "bash": f"""
            eval "$(tokenq --show-completion bash)"
            COMP_WORDS=(tokenq issue {dept[:4]}) COMP_CWORD=2
            $(complete -p tokenq | sed 's/.*-F \\([^ ]*\\).*/\\1/') tokenq
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """,
        "fish": f"tokenq --show-completion fish | source; complete -C 'tokenq issue {dept[:4]}'",
    }[shell]
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(home),
        "TOKENQ_URL": api.url,
        "TOKENQ_TOKEN": api.token,
    }
    command = [shell, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert dept in done.stdout, done


def test_help_is_that_of_the_command(cli: Cli) -> None:
    assert cli("help", "issue").out == cli("issue", "--help").out
    assert cli("help").out == cli("--help").out
    assert "Did you mean" in cli("help", "isue").err


def test_each_command_has_a_page_that_man_can_read(cli: Cli, tmp_path: Path) -> None:
    done = cli("help", "--man", str(tmp_path))
    assert done.code == 0, done
    pages = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(pages) == {"tokenq.1", *(f"tokenq-{name}.1" for name in ENTRIES)}
    for name, text in pages.items():
        assert text.startswith(".TH "), name
        requests = re.findall(r"^([.'].*)$", text, re.MULTILINE)
        assert all(re.match(r"\.(TH|SH|B|BR|PP|TP)\b", line) for line in requests), name
    assert r"\-\-email" in pages["tokenq-issue.1"]
    assert ".SH UPDATE" in pages["tokenq-dept.1"]


def test_a_folder_that_cannot_be_written_is_said(cli: Cli) -> None:
    done = cli("help", "--man", "/proc/nowhere")
    assert (done.code, "cannot be written" in done.err) == (2, True)
