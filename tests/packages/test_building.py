"""What is in the packages, without running them: for the right machine, and the same bytes each time."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
AARCH64 = 183
"""`e_machine` of a program for arm64."""


def build(out, *options):
    subprocess.run([sys.executable, "deploy/debian/build.py", "--out", str(out), *options], check=True, cwd=ROOT)
    return list(out.iterdir())


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_all_programs_for_a_pi_are_for_its_processor(suite, tmp_path):
    packages = build(tmp_path / "built", "--suite", suite, "--arch", "arm64")
    assert len(packages) == 2
    for package in packages:
        tree = tmp_path / package.stem
        subprocess.run(["dpkg-deb", "-x", str(package), str(tree)], check=True)
        field = ["dpkg-deb", "-f", str(package), "Architecture"]
        assert subprocess.run(field, check=True, capture_output=True, text=True).stdout == "arm64\n"
        heads = {path: path.read_bytes()[:20] for path in tree.rglob("*") if path.is_file() and not path.is_symlink()}
        machines = {path: head[18] for path, head in heads.items() if head.startswith(b"\x7fELF")}
        assert [path for path, machine in machines.items() if machine != AARCH64] == []
        assert len(machines) > 5


def test_two_builds_have_the_same_bytes(tmp_path):
    sums = []
    for name in ("one", "two"):
        (package,) = build(tmp_path / name, "--suite", "bookworm", "--arch", "arm64", "--package", "tokenq-board")
        sums.append(hashlib.sha256(package.read_bytes()).hexdigest())
    assert sums[0] == sums[1]
    subprocess.run(["dpkg-deb", "-x", str(package), str(tmp_path / "tree")], check=True)
    catalogues = list((tmp_path / "tree").rglob("tokenq.mo"))
    assert len(catalogues) > 3
    # Builds of the same minute would be the same with the time in them, too.
    assert [each for each in catalogues if b"POT-Creation-Date: 1970-01-01" not in each.read_bytes()] == []
