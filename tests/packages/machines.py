"""A small Debian that boots its own systemd, in systemd-nspawn; it shares this machine's network."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

_PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """A running machine."""

    def __init__(self, root: Path, leader: int) -> None:
        self.root = root
        self._leader = leader

    def run(self, *words: str, stdin: str = "", accept: tuple[int, ...] = (0,)) -> str:
        """Run a program as root inside, as a person would; return what it prints on both streams."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-p", "--"]
        environ = ["env", "-i", _PATH, "HOME=/root", "LANG=C.UTF-8", "COLUMNS=200", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run(
            [*inside, *environ, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode in accept, f"{words}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def install(self, package: Path) -> str:
        """``apt install ./package.deb``."""
        shutil.copy(package, self.root / "root")
        return self.run("apt-get", "install", "-y", "--no-install-recommends", f"/root/{package.name}")

    def unit(self, name: str, what: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "-P", what, name).strip()

    def write(self, path: str, text: str, mode: int = 0o600) -> None:
        """Write a file of the machine."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def journal(self, unit: str) -> str:
        """The last lines that a unit wrote, to explain a failure."""
        return self.run("journalctl", "-u", unit, "-n", "30", "--no-pager")


@contextmanager
def booted(suite: str) -> Iterator[Machine]:
    """A new minimal system of that release, booted; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tokenq-machine-"))
    root = folder / "root"
    try:
        words = ["mmdebstrap", "-q", "--variant=minbase", "--include=systemd,systemd-sysv,dbus"]
        subprocess.run([*words, suite, str(root)], check=True, capture_output=True)
        with (folder / "console").open("wb") as console:
            nspawn = ["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "--console=pipe", "-b"]
            process = subprocess.Popen(
                nspawn, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        try:
            machine = _when_running(root, process, folder / "console")
            machine.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_text(), 0o644)
            machine.run("apt-get", "update", "-qq")
            yield machine
        finally:
            process.send_signal(signal.SIGTERM)  # the machine shuts down
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder)


def _when_running(root: Path, process: subprocess.Popen[bytes], console: Path) -> Machine:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found: list[Machine] = []

    def is_running() -> bool:
        # The first child prepares the machine and ends; the one that stays is its process 1.
        for child in children.read_text().split():
            machine = Machine(root, int(child))
            state = machine.run("systemctl", "is-system-running", accept=(0, 1, 127)).strip()
            found[:] = [machine]
            return state in ("running", "degraded")
        return False

    until(is_running, console.read_text, 60)
    return found[0]


def with_version(package: Path, version: str) -> Path:
    """A copy of a package with another version, beside it."""
    tree = package.with_suffix(".tree")
    name, old, arch = package.stem.split("_")
    subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {old}\n", f"Version: {version}\n"))
    target = package.with_name(f"{name}_{version}_{arch}.deb")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(target)], check=True, capture_output=True
    )
    shutil.rmtree(tree)
    return target
