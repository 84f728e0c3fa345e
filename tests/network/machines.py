"""Two machines on one network: network namespaces with a cable between them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKENQ = [sys.executable, "-m", "tokenq"]


@dataclass(frozen=True)
class Machine:
    """One of the two: its name, its address, and the home of its user."""

    name: str
    address: str
    home: Path

    def command(self, *words: str) -> list[str]:
        """A command on this machine."""
        return ["ip", "netns", "exec", self.name, *words]

    def environment(self, **more: str) -> dict[str, str]:
        """What its user has set."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "PYTHONPATH": str(ROOT)}
        return {**kept, **own, "TOKENQ_DATA_DIR": str(self.home / "data"), "NO_COLOR": "1", **more}

    def tokenq(self, *words: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run ``tokenq`` there, without a terminal."""
        command = self.command(*TOKENQ, *words)
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(**more), input=stdin, capture_output=True, text=True, timeout=90
        )
        assert "Traceback" not in done.stderr + done.stdout
        return done


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """A server and a machine in the lobby; needs root and iproute2."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.fail("network namespaces need root and iproute2: apt-get install iproute2")
    names, cables = ([f"tq{kind}{os.getpid()}" for kind in kinds] for kinds in (("server", "lobby"), ("s", "l")))
    with ExitStack() as ending:
        folder = Path(tempfile.mkdtemp(prefix="tokenq-two-"))
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        machines = [Machine(name, f"10.77.1.{number}", folder / name) for number, name in enumerate(names, start=1)]
        for machine in machines:
            _ip("netns", "add", machine.name)
            ending.callback(_ip, "netns", "delete", machine.name)
            machine.home.mkdir(mode=0o711)
        _ip("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for machine, cable in zip(machines, cables, strict=True):
            _ip("link", "set", cable, "netns", machine.name)
            for words in (("addr", "add", f"{machine.address}/24", "dev", cable), ("link", "set", cable, "up")):
                _ip("-n", machine.name, *words)
            _ip("-n", machine.name, "link", "set", "lo", "up")
        yield machines[0], machines[1]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
