"""The user that the servers run as: root drops to an ordinary user, other users keep their own."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from tokenq.contract.problems import refuse
from tokenq_server.embedded.reasons import EmbeddedReason


@dataclass(frozen=True)
class RunAs:
    """The user that the servers run as if root starts them."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "RunAs":
        """Look up the user; raises ``KeyError`` if there is none of that name."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


def choose_run_as() -> RunAs | None:
    """For root: ``TOKENQ_RUN_AS``, else ``tokenq``, else ``nobody``. For others ``None``: no change.

    Raises:
        Refused: the user is unknown or is root itself, or the current uid has no name (Postgres needs one).
    """
    if os.geteuid() != 0:
        _require_own_name()
        return None
    requested = os.environ.get("TOKENQ_RUN_AS", "")
    for name in [requested] if requested else ["tokenq", "nobody"]:
        try:
            run_as = RunAs.named(name)
        except KeyError:
            continue
        if run_as.uid != 0:
            return run_as
    raise refuse(EmbeddedReason.NO_ORDINARY_USER, user=requested or "nobody")


def _require_own_name() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise refuse(EmbeddedReason.NAMELESS_USER, user=os.geteuid()) from error


def give_folder(path: Path, run_as: RunAs | None) -> None:
    """Create the folder if missing: private, and owned by the user that the servers run as.

    Raises:
        Refused: as ``check_folder``.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if run_as is not None and path.lstat().st_uid == 0 and not path.is_symlink():
        os.chown(path, run_as.uid, run_as.gid, follow_symlinks=False)
    check_folder(path, os.geteuid() if run_as is None else run_as.uid)


def check_folder(path: Path, uid: int) -> None:
    """Check that nobody but a user could have put anything into a folder, or could do so now.

    A link that another user has prepared there would make the servers write elsewhere.

    Raises:
        Refused: it is a link, belongs to another user, or others can write to it.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise refuse(EmbeddedReason.LINKED_FOLDER, folder=str(path))
    if status.st_uid != uid:
        names = {"owner": _user_name(status.st_uid), "user": _user_name(uid)}
        raise refuse(EmbeddedReason.FOLDER_OF_ANOTHER, folder=str(path), **names)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise refuse(EmbeddedReason.OPEN_FOLDER, folder=str(path))


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user number {uid}"
