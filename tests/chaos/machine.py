"""What a test machine can be made to do: small disks, and a clock that can be set for one process."""

import os
import shutil
import subprocess
from pathlib import Path

_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def can_mount() -> bool:
    """Whether this user may have small disks of its own."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def can_fake_time() -> bool:
    """Whether libfaketime is installed (Debian's package ``faketime``)."""
    return _FAKETIME.exists()


def small_disk(folder: Path, megabytes: int) -> None:
    """A file system of its own for a folder. Ends with :func:`no_disk`."""
    folder.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)


def no_disk(folder: Path) -> None:
    """Take it away again, if there was one."""
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", folder], check=True)


def fake_clock(folder: Path) -> dict[str, str]:
    """What a process needs in its environment to live by the clock that :func:`set_clock` sets."""
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
