"""Builds the Debian packages: ``python deploy/debian/build.py --suite bookworm --arch arm64``.

``tokenq`` has everything; ``tokenq-board`` is for a screen in a lobby, and small. Both are a virtual environment in
/opt/tokenq on the suite's own Python, so the units of ``deploy/systemd`` run them as they are. Wheels are chosen for
the target, not for this machine, and bytecode is compiled where the package is installed: any machine with uv and
dpkg-deb can build for any of the targets. The same commit gives the same bytes.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PYTHONS = {"bookworm": (12, "3.11"), "trixie": (13, "3.13")}
"""The number of each release of Debian, and its Python."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = "2.36"
"""The oldest C library of the releases above; wheels for a newer one are not taken."""
_FROM_SOURCE = "dkimpy"
"""The one package without a wheel. It is pure Python."""


@dataclass(frozen=True)
class Package:
    """What one package contains."""

    name: str
    other: str
    """The package that cannot be installed beside it."""
    locks: tuple[str, ...]
    """Files of ``deploy/locks`` without their ending."""
    units: str
    """A pattern of ``deploy/systemd``."""
    settings: tuple[str, ...]
    """Which examples become a file of /etc/tokenq, if there is none."""
    summary: str
    data: str
    """What no package ever deletes."""


PACKAGES = {
    each.name: each
    for each in (
        Package(
            "tokenq",
            "tokenq-board",
            ("all",),
            "tokenq-*",
            ("env", "board.env"),
            "queues for places where people take a number and wait",
            "/var/lib/tokenq and /var/backups/tokenq",
        ),
        Package(
            "tokenq-board",
            "tokenq",
            ("tui", "rtl", "print"),
            "tokenq-board.*",
            ("board.env",),
            "tokenq for a screen in a lobby: board, desk and kiosk",
            "/var/lib/tokenq-board",
        ),
    )
}


def build(package: Package, suite: str, arch: str, wheel: Path, out: Path) -> Path:
    """Build one package and return its path.

    Raises:
        CalledProcessError: uv or dpkg-deb failed; it has said why.
    """
    release, python = PYTHONS[suite]
    version = f"{wheel.name.split('-')[1]}+deb{release}"
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _environment(package, tree / "opt" / "tokenq", python, MACHINES[arch], wheel)
        _system_files(package, tree)
        _control(package, tree, version, python, arch)
        _same_everywhere(tree)
        target = out / f"{package.name}_{version}_{arch}.deb"
        words = ["dpkg-deb", "--build", "--root-owner-group", "-Zzstd", "-z12", "--threads-max=1", str(tree)]
        subprocess.run([*words, str(target)], check=True, stdout=subprocess.DEVNULL, env=_environ())
    return target


def _environment(package: Package, home: Path, python: str, machine: str, wheel: Path) -> None:
    """Fill a virtual environment whose Python is not on this machine."""
    libraries = home / "lib" / f"python{python}" / "site-packages"
    target = ["--target", str(libraries), "--python-version", python, "--link-mode", "copy"]
    target += ["--python-platform", f"{machine}-manylinux_{_GLIBC.replace('.', '_')}"]
    locks = [word for lock in package.locks for word in ("-r", f"{ROOT}/deploy/locks/{lock}.txt")]
    wheels_only = ["--only-binary", ":all:", "--no-binary", _FROM_SOURCE]
    pip = ["uv", "pip", "install", "-q", *target, *wheels_only]
    subprocess.run([*pip, "--require-hashes", *locks], check=True, env=_environ())
    shutil.rmtree(libraries / "bin", ignore_errors=True)  # programs of libraries, with this machine's Python in them
    (libraries / ".lock").unlink(missing_ok=True)
    with zipfile.ZipFile(wheel) as files:  # uv would note when it saw the wheel, which differs each time
        files.extractall(libraries)
    (home / "bin").mkdir()
    (home / "bin" / "python3").symlink_to("/usr/bin/python3")
    (home / "bin" / "python").symlink_to("python3")
    _write(home / "bin" / "tokenq", (HERE / "tokenq").read_text(), 0o755)
    _write(home / "pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n")
    _write(home / "installed-by", f"{package.name}\n")


def _system_files(package: Package, tree: Path) -> None:
    usr = tree / "usr"
    (usr / "bin").mkdir(parents=True)
    (usr / "bin" / "tokenq").symlink_to("/opt/tokenq/bin/tokenq")
    for unit in sorted((ROOT / "deploy" / "systemd").glob(package.units)):
        _write(usr / "lib" / "systemd" / "system" / unit.name, unit.read_text())
    for kind in ("sysusers", "tmpfiles"):
        if (source := HERE / f"{package.name}.{kind}").exists():
            _write(usr / "lib" / f"{kind}.d" / f"{package.name}.conf", source.read_text())
    for name in package.settings:
        _write(usr / "share" / "tokenq" / f"{name}.example", (ROOT / "deploy" / f"{name}.example").read_text())
    books = usr / "share" / "doc" / package.name
    _write(books / "copyright", (HERE / "copyright").read_text())
    _write(books / "licences.md", (ROOT / "deploy" / "licences.md").read_text())
    (books / "changelog.gz").write_bytes(gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    for shell, path in {
        "bash": "bash-completion/completions/tokenq",
        "zsh": "zsh/vendor-completions/_tokenq",
        "fish": "fish/vendor_completions.d/tokenq.fish",
    }.items():
        _write(usr / "share" / path, _completion(shell))


def _completion(shell: str) -> str:
    """What ``tokenq --show-completion`` prints, here: this needs tokenq beside the Python that builds."""
    words = [sys.executable, "-m", "tokenq", "--show-completion", shell]
    env = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    return subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout


def _control(package: Package, tree: Path, version: str, python: str, arch: str) -> None:
    size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink()) // 1024
    minor = int(python.partition(".")[2])
    words = {
        "NAME": package.name,
        "OTHER": package.other,
        "VERSION": version,
        "ARCH": arch,
        "SIZE": str(size),
        "GLIBC": _GLIBC,
        "PYTHON": f"python3 (>= {python}~), python3 (<< 3.{minor + 1})",
        "SUMMARY": package.summary,
        "DATA": package.data,
        "SETTINGS": " ".join(package.settings),
    }
    for name in ("control", "postinst", "prerm", "postrm"):
        text = (HERE / f"{name}.in").read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        _write(tree / "DEBIAN" / name, text, 0o644 if name == "control" else 0o755)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _same_everywhere(tree: Path) -> None:
    """Modes and times that do not depend on this machine's mask and clock."""
    moment = int(_environ()["SOURCE_DATE_EPOCH"])
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def _environ() -> dict[str, str]:
    """The environment with the time of the commit, unless a time is given."""
    words = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    given = os.environ.get("SOURCE_DATE_EPOCH")
    moment = given or subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    return {**os.environ, "SOURCE_DATE_EPOCH": moment}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Build Debian packages of tokenq.")
    parser.add_argument("--package", choices=PACKAGES, nargs="*", default=list(PACKAGES))
    parser.add_argument("--suite", choices=PYTHONS, nargs="*", default=list(PYTHONS))
    parser.add_argument("--arch", choices=MACHINES, nargs="*", default=list(MACHINES))
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["uv", "build", "-q", "--wheel", "--out-dir", folder, str(ROOT)], check=True, env=_environ())
        (wheel,) = Path(folder).glob("*.whl")
        for suite in options.suite:
            for arch in options.arch:
                for name in options.package:
                    path = build(PACKAGES[name], suite, arch, wheel, options.out)
                    print(f"{path.name}  {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201 - it is a program


if __name__ == "__main__":
    _main()
