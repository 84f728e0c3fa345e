"""Test machine controls: small disks, a clock for one process, and memory limits."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
_GROUPS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)
"""Where control groups that limit memory are made, and what the limit is called: version 1, version 2."""


def can_mount() -> bool:
    """Whether this user may mount small disks."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def can_fake_time() -> bool:
    """Whether libfaketime is installed (Debian's package ``faketime``)."""
    return _FAKETIME.exists()


def small_disk(folder: Path, megabytes: int) -> None:
    """Mount a file system on a folder. Undo it with :func:`no_disk`."""
    folder.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", folder], check=True)


def no_disk(folder: Path) -> None:
    """Unmount it, if there is one."""
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", folder], check=True)


def fake_clock(folder: Path) -> dict[str, str]:
    """The environment with which a process uses the clock of :func:`set_clock`."""
    if not (folder / "clock").exists():
        set_clock(folder, "+0")
    return {
        "LD_PRELOAD": str(_FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def set_clock(folder: Path, offset: str) -> None:
    """Set that clock: ``+1d``, ``-2h`` …"""
    (folder / "clock").write_text(f"{offset}\n")
    (folder / "clock").chmod(0o644)


def can_cap_memory() -> bool:
    """Whether this user may make control groups that limit memory."""
    with suppress(OSError), memory_cap([], 1):
        return True
    return False


@contextmanager
def memory_cap(pids: Sequence[int], megabytes: int) -> Iterator[None]:
    """These processes get so much more memory and no more: whoever wants it is killed by the kernel.

    Raises OSError where control groups cannot be made.
    """
    above, limit = next((group for group in _GROUPS if (group[0] / "cgroup.procs").exists()), _GROUPS[-1])
    group = above / f"tokenq-chaos-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        (group / limit).write_text(str(megabytes << 20))
        _move(pids, group)
        yield
    finally:
        (group / limit).write_text(str(1 << 40))
        while members := (group / "cgroup.procs").read_text().split():
            _move([int(pid) for pid in members], above)
            time.sleep(0.01)  # those that were killed leave by themselves
        group.rmdir()


def _move(pids: Sequence[int], group: Path) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid))
