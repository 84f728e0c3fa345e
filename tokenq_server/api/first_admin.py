"""The first admin of a new system, and an admin key for the machine's administrator."""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tokenq.contract.enums import Role
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.bootstrap import Services
from tokenq_server.services.audit import BY_SYSTEM
from tokenq_server.services.people import hash_of, new_secret

logger = logging.getLogger(__name__)

_PAUSE = 0.5
_SHORT_PAUSE = 0.05


@asynccontextmanager
async def first_admin(services: Services, token_file: Path) -> AsyncIterator[None]:
    """Ensure an admin and a key before requests are served, or as soon as the database is available.

    Raises:
        Refused: the database refuses it.
    """
    waiting = None if await _is_ensured(services, token_file) else asyncio.create_task(_retry(services, token_file))
    try:
        yield
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})


async def _retry(services: Services, token_file: Path) -> None:
    logger.warning("the database is unavailable; the admin key will be checked when it is back")
    is_ensured, told = False, ""
    while not is_ensured:
        await asyncio.sleep(_PAUSE)
        try:
            is_ensured = await _is_ensured(services, token_file)
        except Refused as refusal:  # such as by a database that is there, and its tables not yet
            if told != (told := refusal.problem.detail):
                logger.warning("the admin key waits for the database", extra={"why": told})
        except Exception:
            logger.exception("the admin key could not be written")
            return


async def _is_ensured(services: Services, token_file: Path) -> bool:
    """Ensure it; return False while the database is unavailable."""
    try:
        async with _alone(token_file.parent):
            await _ensure(services, token_file)
    except Refused as refusal:
        if refusal.problem.code is not ProblemCode.UNAVAILABLE:
            raise
        return False
    return True


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Let no other process with this folder do the same meanwhile: it shall find the key, not replace it."""
    descriptor = _opened(folder)
    if descriptor is None:
        yield
        return
    try:
        is_locked = _is_locked(descriptor)
        while not is_locked:
            await asyncio.sleep(_SHORT_PAUSE)
            is_locked = _is_locked(descriptor)
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int | None:
    """Open a folder, or return None if this user may not: then others put the key there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return None


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


async def _ensure(services: Services, token_file: Path) -> None:
    """Ensure that there is an admin, and that ``token_file`` contains a valid admin key.

    The first admin's password is random, is written to ``admin.password`` beside the file, and must be changed.
    """
    password, password_file = new_secret()[3:19], token_file.with_name("admin.password")
    if await services.people.ensure_admin(password):
        _write_secret(password_file, password)
        await services.setup.start_in_zone(_machine_zone())
    elif not await services.people.waits_for_first_password():
        password_file.unlink(missing_ok=True)
    if not await _is_valid_key(services, token_file):
        key = await services.people.create_key("this machine", Role.ADMIN, [], BY_SYSTEM)
        _write_secret(token_file, key["key"])


def _machine_zone() -> str:
    """This machine's IANA time zone, or UTC if unknown."""
    named = os.environ.get("TZ", "").lstrip(":")
    path = str(Path("/etc/localtime").resolve())
    return named or (path.partition("/zoneinfo/")[2] if "/zoneinfo/" in path else "UTC")


async def _is_valid_key(services: Services, token_file: Path) -> bool:
    try:
        await services.people.who(hash_of(_read_secret(token_file)))
    except Refused:
        return False
    return True


def _read_secret(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


def _write_secret(path: Path, secret: str) -> None:
    """Replace a file atomically; others can never read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(secret + "\n")
    part.replace(path)
