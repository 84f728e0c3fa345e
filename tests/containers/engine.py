"""Podman with images, containers and networks of its own, so that nothing of the machine's is touched."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/engine"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
"""What also works where no systemd runs, and within the limits of a container."""

_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""
PROGRAMS = ("podman", "runc", "mmdebstrap", "mvn")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""This machine's authorities: what is installed while an image is built may come through its proxy."""


@dataclass(frozen=True)
class Engine:
    """A podman; ``folder`` is deleted in the end, with all that it made."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What leads podman, and what calls it, to this folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
        own = {name: str(self.folder / f"{name}.conf") for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")}
        return {**kept, **own, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self.folder)}

    def run(self, *words: str, check: bool = True, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with this podman."""
        environment = self.environment | more
        done = subprocess.run(words, env=environment, input=stdin, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{words}\n{done.stdout[-8000:]}{done.stderr[-8000:]}"
        return done

    def podman(self, *words: str, check: bool = True) -> str:
        """What a command of podman prints."""
        return self.run("podman", *words, check=check).stdout.strip()

    def build(self, name: str, containerfile: Path, context: Path, *options: str) -> None:
        """Build an image; nothing is pulled."""
        words = ["--pull=never", "--format=docker", "-v", f"{CERTIFICATES}:{CERTIFICATES}:ro", *options]
        self.podman("build", "-q", *words, "-t", name, "-f", str(containerfile), str(context))


@contextmanager
def own_engine() -> Iterator[Engine]:
    """An engine without any image; needs root, podman and Debian's other programs for containers."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        pytest.fail(f"containers need root and Debian's podman, runc, netavark, aardvark-dns; missing: {missing}")
    folder = Path(tempfile.mkdtemp(prefix="tokenq-containers-", dir="/var/tmp"))
    engine = Engine(folder)
    (folder / "CONTAINERS_CONF.conf").write_text(_SETTINGS.format(folder=folder))
    (folder / "CONTAINERS_STORAGE_CONF.conf").write_text(_STORAGE.format(folder=folder))
    try:
        yield engine
    finally:
        for words in (("rm", "--all", "--force", "--time=5"), ("network", "prune", "--force")):
            with contextlib.suppress(OSError):
                engine.podman(*words, check=False)
        subprocess.run(["umount", "-R", str(folder / "storage/overlay")], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
