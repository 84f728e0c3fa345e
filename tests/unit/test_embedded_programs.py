"""How tokenq's own processes are started: with our code and settings, whatever folder they are started from."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import until
from tokenq_server.embedded.processes import spawn
from tokenq_server.embedded.programs import program


def test_a_relative_settings_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``TOKENQ_CONFIG=tokenq.toml tokenq up`` means the file in the user's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKENQ_CONFIG", "tokenq.toml")
    command = program("tokenq_server", ["api"], tmp_path / "log", {"TOKENQ_PORT": "1"}, [])
    assert command.environment["TOKENQ_CONFIG"] == str(tmp_path / "tokenq.toml")
    assert command.environment["TOKENQ_PORT"] == "1"


def test_a_module_in_the_users_folder_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's own queue.py or json.py must not break, or take over, the servers."""
    (tmp_path / "json.py").write_text("raise SystemExit(77)\n")
    monkeypatch.chdir(tmp_path)
    command = program("tokenq_server", ["no-such-program"], tmp_path / "log", {}, [])
    done = subprocess.run(command.argv, env=command.environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 77


def test_a_program_finds_the_code_that_runs_here(tmp_path: Path) -> None:
    """Also when tokenq is not installed."""
    command = program("tokenq_server.embedded.reports", [], tmp_path / "log", {}, [])
    process = spawn(command)
    until(lambda: process.poll() is not None)
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert command.argv[0] == sys.executable
