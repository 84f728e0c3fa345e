"""The user that the servers run as: root drops to an ordinary user, other users keep their own."""

import os
import pwd
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
        Refused: it exists and belongs to another user.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.stat().st_uid
    expected = os.geteuid() if run_as is None else run_as.uid
    if run_as is not None and owner == 0:
        os.chown(path, run_as.uid, run_as.gid)
    elif owner != expected:
        names = {"owner": _user_name(owner), "user": _user_name(expected)}
        raise refuse(EmbeddedReason.FOLDER_OF_ANOTHER, folder=str(path), **names)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user number {uid}"
