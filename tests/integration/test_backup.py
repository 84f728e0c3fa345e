"""Backups of a running system, and systems that are made of them."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.stack import Stack, start, up_folder
from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq_server.embedded import back_up, down, keep_newest, restore
from tokenq_server.embedded.reasons import EmbeddedReason


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A system with a past: two served, three waiting, one with a name."""
    with up_folder() as folder:
        found = start(folder)
        with Client(found.endpoints.api, found.token) as admin:
            admin.create_department({"departmentId": "CW", "name": "Customer window"})
            for _ in range(4):
                admin.issue("CW")
            admin.serve_next("CW", "1"), admin.serve_next("CW", "1")
            admin.issue("CW", name="Ada Byron", email="ada@example.org")
        yield found


@pytest.fixture
def new_folder() -> Iterator[Path]:
    with up_folder() as folder:
        yield folder


def backup_of(stack: Stack, target: Path, *recipients: str) -> Path:
    return back_up(stack.data_dir, target, recipients, lambda _: None)


def refused(reason: EmbeddedReason) -> Any:
    return pytest.raises(Refused, check=lambda error: error.problem.reason == reason.id)


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tokenq", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_another_folder_goes_on_where_the_backup_was_made(stack: Stack, tmp_path: Path, new_folder: Path) -> None:
    file = backup_of(stack, tmp_path / "all.tar")
    assert file.stat().st_mode & 0o777 == 0o600
    with Client(stack.endpoints.api, stack.token) as admin:
        admin.issue("CW")  # not in it any more
        before = admin.queue("CW")
    restore(file, new_folder, None, lambda _: None)
    other = start(new_folder)
    assert other.token == stack.token
    with Client(other.endpoints.api, other.token) as admin:
        queue = admin.queue("CW")
        assert [each["displayNumber"] for each in queue["waiting"]] == ["CW-003", "CW-004", "CW-005"]
        assert queue["waiting"][-1]["name"] == "Ada Byron"
        assert len(before["waiting"]) == 4
        assert admin.issue("CW")["displayNumber"] == "CW-006"
        assert admin.serve_next("CW", "1")["displayNumber"] == "CW-003"
    argv = [sys.executable, "-m", "tokenq", "verify"]
    checked = subprocess.run(argv, env=os.environ | other.environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    down(new_folder)


def test_it_can_be_made_of_a_system_that_died(stack: Stack, tmp_path: Path, new_folder: Path) -> None:
    """kill -9 of everything, of which nothing but the backup is left."""
    file = backup_of(stack, tmp_path)
    assert file.name.startswith("tokenq-")
    restore(file, new_folder, None, lambda _: None)
    other = start(new_folder)
    assert other.ask("GET", "/api/v1/departments/CW/queue")[0] == 200


def test_an_encrypted_one_is_for_its_recipients_alone(stack: Stack, tmp_path: Path, new_folder: Path) -> None:
    ours, theirs = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    keys = {}
    for name, key in (("ours", ours), ("theirs", theirs)):
        keys[name] = tmp_path / name
        keys[name].write_text(f"# public key: {key.to_public()}\n{key}\n")
    file = backup_of(stack, tmp_path, str(ours.to_public()))
    assert file.name.endswith(".tar.age")
    assert b"Ada" not in file.read_bytes()
    with refused(EmbeddedReason.KEY_NEEDED):
        restore(file, new_folder, None, lambda _: None)
    with refused(EmbeddedReason.WRONG_KEY):
        restore(file, new_folder, keys["theirs"], lambda _: None)
    assert list(new_folder.iterdir()) == []
    restore(file, new_folder, keys["ours"], lambda _: None)
    assert (new_folder / "secrets" / "admin.token").read_text().strip() == stack.token


def test_what_is_no_public_key_encrypts_nothing(stack: Stack, tmp_path: Path) -> None:
    with refused(EmbeddedReason.NO_RECIPIENT):
        backup_of(stack, tmp_path, "ssh-ed25519 AAAA")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")
    with refused(EmbeddedReason.BACKUP_EXISTS):
        backup_of(stack, file)
    with refused(EmbeddedReason.NO_FOLDER):
        backup_of(stack, tmp_path / "nowhere" / "all.tar")
    backup = backup_of(stack, tmp_path / "all.tar")
    with refused(EmbeddedReason.NOT_EMPTY):
        restore(backup, tmp_path, None, lambda _: None)
    assert file.read_text() == "mine"


def test_a_place_where_nothing_can_be_written_is_named(stack: Stack) -> None:
    with refused(EmbeddedReason.BACKUP_FAILED):
        backup_of(stack, Path("/proc/tokenq.tar"))


def test_a_system_that_does_not_run_is_named(tmp_path: Path) -> None:
    with refused(EmbeddedReason.NOTHING_TO_BACK_UP):
        back_up(tmp_path, tmp_path / "all.tar", (), lambda _: None)


def archive(path: Path, members: dict[str, bytes], link: str = "") -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(member)
    return path


MANIFEST = json.dumps({"format": 1, "tokenq": "0.1.0", "at": "2026-11-27T09:00:00+00:00"}).encode()


@pytest.mark.parametrize(
    ("members", "link"),
    [
        ({}, ""),
        ({"manifest.json": b"{}"}, ""),
        ({"manifest.json": b"[1]"}, ""),
        ({"manifest.json": MANIFEST, "database.dump": b"x", "secrets/../../evil": b"x"}, ""),
        ({"manifest.json": MANIFEST, "database.dump": b"x", "secrets/a/b": b"x"}, ""),
        ({"manifest.json": MANIFEST}, ""),
        ({"manifest.json": MANIFEST}, "database.dump"),
        ({"manifest.json": MANIFEST, "database.dump": b"x"}, "secrets/valkey"),
    ],
)
def test_what_is_no_backup_makes_no_folder(
    tmp_path: Path, new_folder: Path, members: dict[str, bytes], link: str
) -> None:
    file = archive(tmp_path / "evil.tar", members, link)
    target = new_folder / "data"
    with refused(EmbeddedReason.NO_BACKUP):
        restore(file, target, None, lambda _: None)
    assert not target.exists()
    assert not (new_folder / "evil").exists()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"age-encryption.org/v1\ngarbage"])
def test_a_damaged_file_is_named(tmp_path: Path, new_folder: Path, content: bytes) -> None:
    file = tmp_path / "damaged.tar"
    file.write_bytes(content)
    with pytest.raises(Refused) as caught:
        restore(file, new_folder, None, lambda _: None)
    assert str(file) in caught.value.problem.detail


def test_a_backup_that_was_cut_off_makes_no_folder(stack: Stack, tmp_path: Path, new_folder: Path) -> None:
    file = backup_of(stack, tmp_path / "all.tar")
    file.write_bytes(file.read_bytes()[:-20_000])
    target = new_folder / "data"
    with pytest.raises(Refused):
        restore(file, target, None, lambda _: None)
    assert not target.exists()


def test_one_of_a_newer_release_is_refused(tmp_path: Path, new_folder: Path) -> None:
    newer = MANIFEST.replace(b'"format": 1', b'"format": 2')
    with refused(EmbeddedReason.NEWER_BACKUP):
        restore(archive(tmp_path / "newer.tar", {"manifest.json": newer}), new_folder, None, lambda _: None)


def test_the_newest_are_kept(tmp_path: Path) -> None:
    names = ["tokenq-20261101-010000.tar", "tokenq-20261102-010000.tar.age", "tokenq-20261103-010000.tar"]
    for name in (*names, "other.tar", "tokenq.txt"):
        (tmp_path / name).touch()
    assert [file.name for file in keep_newest(tmp_path, 2)] == names[:1]
    assert keep_newest(tmp_path, 2) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*names[1:], "other.tar", "tokenq.txt"])


def test_the_commands(stack: Stack, tmp_path: Path, new_folder: Path) -> None:
    made = command("backup", tmp_path, "--data-dir", stack.data_dir, "--keep", "3", "--json")
    assert made.returncode == 0, made.stderr
    file = json.loads(made.stdout)["file"]
    done = command("restore", file, "--data-dir", new_folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Restored to {new_folder}, as of 20")
    again = command("restore", file, "--data-dir", new_folder)
    assert (again.returncode, "Traceback" in again.stderr) == (4, False), again.stderr
    assert "is not empty" in again.stderr
    assert command("backup", tmp_path / "x.tar", "--data-dir", stack.data_dir, "--keep", "3").returncode == 2
