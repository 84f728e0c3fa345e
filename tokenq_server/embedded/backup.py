"""Backups of a data folder: the database as of one moment, and the secrets, in one file; and back into a new folder.

The file is a tar archive of ``manifest.json``, ``secrets/…`` and ``database.dump`` (PostgreSQL's own custom format);
for recipients it is encrypted as a whole, in the format of age. Redis and the topic are not in it: both are made anew
from the database.
"""

import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tokenq.contract.problems import Refused, refuse
from tokenq_server.embedded.age import decrypted, encrypted, is_encrypted
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.folder import DataFolder, Hold, holder, sync_folder
from tokenq_server.embedded.own_database import own_database
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import RunAs, choose_run_as
from tokenq_server.embedded.processes import QUIET_ENVIRONMENT, last_log_line, run, spawn, stop
from tokenq_server.embedded.reasons import EmbeddedReason

_FORMAT = 1
_MANIFEST, _DUMP, _SECRETS = "manifest.json", "database.dump", "secrets"
_MOST_BYTES = 1_000_000
"""Of a manifest or a secret."""
_READY_SECONDS = 60.0
_STEM, _SUFFIX, _AGE_SUFFIX = "tokenq-", ".tar", ".tar.age"

Report = Callable[[str], None]
"""Tells the current step."""


@dataclass(frozen=True)
class Manifest:
    """What a backup is: of which release, and of which moment (UTC, ISO 8601)."""

    format: int
    tokenq: str
    at: str


def back_up(data_dir: Path, target: Path, recipients: Sequence[str], report: Report) -> Path:
    """Write a backup of a running system; return its file. ``target`` is a new file, or a folder for one.

    It is complete before it has its name, and only its owner can read it.

    Raises:
        Refused: nothing runs on the folder, ``target`` exists, a recipient is no public key of age, or PostgreSQL or
            the system refuse.
    """
    folder = DataFolder(data_dir)
    endpoints = folder.read_endpoints() if holder(folder) else None
    if endpoints is None:
        raise refuse(EmbeddedReason.NOTHING_TO_BACK_UP, folder=str(folder.path))
    file = _file_of(target, is_encrypted=bool(recipients))
    try:
        with tempfile.TemporaryDirectory(prefix=".tokenq-backup-", dir=file.parent) as name:
            parts = Path(name)
            report("reading the database")
            _dump(folder, urlsplit(endpoints.postgres).port or 0, parts / _DUMP)
            report("writing the backup")
            plain = parts / "plain"
            _pack(folder, parts / _DUMP, plain)
            finished = encrypted(plain, recipients) if recipients else plain
            _publish(finished, file)
    except OSError as error:
        raise refuse(EmbeddedReason.BACKUP_FAILED, file=str(file), error=error.strerror or str(error)) from error
    return file


def keep_newest(folder: Path, number: int) -> list[Path]:
    """Delete all backups in a folder but the newest ones; return those deleted. Other files are left alone."""
    found = sorted(
        [*folder.glob(f"{_STEM}*{_SUFFIX}"), *folder.glob(f"{_STEM}*{_AGE_SUFFIX}")], key=lambda file: file.name
    )
    old = found[:-number]
    for file in old:
        file.unlink()
    return old


def restore(source: Path, data_dir: Path, identity: Path | None, report: Report) -> Manifest:
    """Make a new data folder of a backup, on which ``up`` then goes on. If that fails, there is no folder.

    Raises:
        Refused: the folder has something in it; the file is no backup, of a newer release, or for another key; or
            PostgreSQL or the system refuse.
    """
    run_as = choose_run_as()
    folder = DataFolder(data_dir)
    if folder.path.exists() and any(folder.path.iterdir()):
        raise refuse(EmbeddedReason.NOT_EMPTY, folder=str(folder.path))
    with _opened(source, identity) as archive:
        manifest = _manifest_of(archive, source)
        folder.make(run_as)
        try:
            _unpack(archive, folder, source)
            report("starting PostgreSQL")
            _fill(folder, archive, run_as, report)
        except BaseException as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            if isinstance(error, OSError):
                raise refuse(
                    EmbeddedReason.RESTORE_FAILED, file=str(source), error=error.strerror or str(error)
                ) from error
            raise
    return manifest


def _file_of(target: Path, *, is_encrypted: bool) -> Path:
    """The new file; its name in a folder sorts by time."""
    if target.is_dir():
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        target = target / f"{_STEM}{moment}{_AGE_SUFFIX if is_encrypted else _SUFFIX}"
    if target.exists() or not target.parent.is_dir():
        reason = EmbeddedReason.BACKUP_EXISTS if target.exists() else EmbeddedReason.NO_FOLDER
        raise refuse(reason, file=str(target), folder=str(target.parent))
    return target


def _dump(folder: DataFolder, port: int, file: Path) -> None:
    """All of the database in one snapshot, while it is in use."""
    binaries = locate(None, folder.programs)
    argv = [str(binaries.postgres / "pg_dump"), "-Fc", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    done = run([*argv, "-f", str(file), "tokenq"], environment=_login(folder))
    if done.returncode != 0:
        raise refuse(EmbeddedReason.BACKUP_FAILED, file=str(file), error=_last_line(done.stdout))


def _login(folder: DataFolder) -> Mapping[str, str]:
    return {**QUIET_ENVIRONMENT, "PGPASSWORD": folder.secret("postgres.admin")}


def _pack(folder: DataFolder, dump: Path, file: Path) -> None:
    manifest = Manifest(_FORMAT, version("tokenq"), datetime.now(UTC).isoformat(timespec="seconds"))
    beside = dump.with_name(_MANIFEST)
    beside.write_text(json.dumps(asdict(manifest)) + "\n")
    with tarfile.open(file, "w") as archive:
        archive.add(beside, _MANIFEST)
        for secret in sorted(folder.secrets.iterdir()):
            if secret.is_file() and not secret.name.startswith("."):
                archive.add(secret, f"{_SECRETS}/{secret.name}")
        archive.add(dump, _DUMP)


def _publish(finished: Path, file: Path) -> None:
    finished.chmod(0o600)
    with finished.open("rb") as written:
        os.fsync(written.fileno())
    finished.rename(file)
    sync_folder(file.parent)


@contextmanager
def _opened(source: Path, identity: Path | None) -> Iterator[tarfile.TarFile]:
    """The archive, decrypted if need be."""
    try:
        with source.open("rb") as file, tempfile.TemporaryFile() as plain:
            readable: IO[bytes] = file
            if is_encrypted(file):
                decrypted(file, plain, identity, source)
                readable = plain
            readable.seek(0)
            with tarfile.open(fileobj=readable, mode="r:") as archive:
                yield archive
    except tarfile.TarError as error:
        raise _no_backup(source) from error
    except OSError as error:
        raise refuse(EmbeddedReason.RESTORE_FAILED, file=str(source), error=error.strerror or str(error)) from error


def _no_backup(source: Path) -> Refused:
    return refuse(EmbeddedReason.NO_BACKUP, file=str(source))


def _manifest_of(archive: tarfile.TarFile, source: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads(_content(archive, _MANIFEST)))
        if manifest.format == _FORMAT and not archive.getmember(_DUMP).isfile():
            raise ValueError(_DUMP)
    except (KeyError, TypeError, ValueError) as error:
        raise _no_backup(source) from error
    if manifest.format > _FORMAT:
        raise refuse(EmbeddedReason.NEWER_BACKUP, file=str(source), version=str(manifest.tokenq))
    return manifest


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    """Raises KeyError if it has no such file, ValueError if that is too large."""
    member = archive.getmember(name)
    opened = archive.extractfile(member)
    if opened is None or member.size > _MOST_BYTES:
        raise ValueError(name)
    return opened.read()


def _unpack(archive: tarfile.TarFile, folder: DataFolder, source: Path) -> None:
    """Write the secrets; only plain files of that one folder are taken."""
    for member in archive.getmembers():
        path = Path(member.name)
        if path.parts[:1] != (_SECRETS,):
            continue
        if not member.isfile() or len(path.parts) != 2 or path.name in ("..", "."):
            raise _no_backup(source)
        handle = os.open(folder.secrets / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as secret:
            secret.write(_content(archive, member.name))


def _fill(folder: DataFolder, archive: tarfile.TarFile, run_as: RunAs | None, report: Report) -> None:
    """Create the database and everything in it."""
    hold = Hold(folder)
    try:
        binaries = locate(run_as, folder.programs)
        postgres = own_database(folder, binaries, free_port(), run_as, [hold.inherited])
        postgres.prepare()
        process = spawn(postgres.command())
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while not postgres.is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    said = last_log_line(postgres.log)
                    raise refuse(EmbeddedReason.NOT_STARTED, program=postgres.title, said=said, log=str(postgres.log))
                time.sleep(0.05)
            report("restoring the database")
            _load(folder, postgres, archive)
        finally:
            stop(process, postgres.stop_signal, _READY_SECONDS)
    finally:
        hold.release()


def _load(folder: DataFolder, postgres: Postgres, archive: tarfile.TarFile) -> None:
    """Everything or nothing; roles and their passwords are there already."""
    argv = [str(postgres.binaries / "pg_restore"), "--exit-on-error", "--single-transaction"]
    argv += ["-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "-d", "tokenq"]
    with tempfile.TemporaryDirectory(prefix=".tokenq-restore-", dir=folder.path) as name:
        dump = Path(name) / _DUMP
        with dump.open("xb") as copy:
            opened = archive.extractfile(_DUMP)
            assert opened is not None  # it is a file: _manifest_of has looked
            shutil.copyfileobj(opened, copy)
        done = run([*argv, str(dump)], environment=_login(folder))
    if done.returncode != 0:
        raise refuse(EmbeddedReason.RESTORE_FAILED, file=_DUMP, error=_last_line(done.stdout))


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no reason was given"
