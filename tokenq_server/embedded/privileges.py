"""Who the servers run as: root hands them to an ordinary user, everybody else keeps them."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from tokenq.contract.problems import ProblemCode, refuse


@dataclass(frozen=True)
class RunAs:
    """The user that gets the servers when root starts them."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "RunAs":
        """Look the user up; raises ``KeyError`` when there is none of that name."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


def choose_run_as() -> RunAs | None:
    """``TOKENQ_RUN_AS``, else ``tokenq``, else ``nobody`` for root; None (stay yourself) for others.

    Raises:
        Refused: the user is unknown or is root itself, or the current uid has no name (Postgres needs one).
    """
    if os.geteuid() != 0:
        _require_own_name()
        return None
    wanted = os.environ.get("TOKENQ_RUN_AS", "")
    for name in [wanted] if wanted else ["tokenq", "nobody"]:
        try:
            found = RunAs.named(name)
        except KeyError:
            continue
        if found.uid != 0:
            return found
    raise refuse(
        ProblemCode.INVALID,
        f"The servers cannot run as {wanted or 'nobody'}: there is no such ordinary user.",
        "PostgreSQL refuses to run as root. Add a user (useradd --system tokenq) or name one in TOKENQ_RUN_AS.",
    )


def _require_own_name() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise refuse(
            ProblemCode.INVALID,
            f"User number {os.geteuid()} has no name on this machine, and PostgreSQL needs one.",
            "Add an entry to /etc/passwd, or run as a user that has one.",
        ) from error


def give_folder(path: Path, run_as: RunAs | None) -> None:
    """Make the folder if it is missing: private, and owned by the user that the servers run as.

    Raises:
        Refused: it exists and belongs to somebody else.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.stat().st_uid
    wanted = os.geteuid() if run_as is None else run_as.uid
    if run_as is not None and owner == 0:
        os.chown(path, run_as.uid, run_as.gid)
    elif owner != wanted:
        raise refuse(
            ProblemCode.FORBIDDEN,
            f"{path} belongs to {_user_name(owner)}, but the servers would run as {_user_name(wanted)}.",
            "Start it as the user who started it before (root: set TOKENQ_RUN_AS), or choose another --data-dir.",
        )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user number {uid}"
