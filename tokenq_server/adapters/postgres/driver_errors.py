"""Translation of driver errors: an outage, a refused batch, or a refusal for the user."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.errors import (
    DeadlockDetected,
    InsufficientPrivilege,
    LockNotAvailable,
    QueryCanceled,
    ReadOnlySqlTransaction,
    UndefinedColumn,
    UndefinedTable,
)

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.adapters.postgres.schema import schema_behind
from tokenq_server.domain.refusals import database_unavailable
from tokenq_server.services.ports import DEADLOCK, LOCKED, LedgerDown, LedgerRefused

logger = logging.getLogger(__name__)

_SAID_EVERY = 60.0
_MOST_SAID = 20
_said_at: dict[str, float] = {}
"""When each reason was logged last."""

OTHER_SCHEMA = (UndefinedTable, UndefinedColumn)
"""A table or a column is missing."""
IN_THE_WAY = (LockNotAvailable, DeadlockDetected)
"""A lock timed out: the same statement may succeed later."""
READ_ONLY = ReadOnlySqlTransaction
"""A primary has just become a replica."""

_TOO_MUCH = "54"
"""Values are too large or too deep for Postgres, though it is healthy."""
_SERIALIZATION = "40"
"""Deadlocks and the like: nothing was written, and a retry succeeds."""
_MAY_NOT = (READ_ONLY, InsufficientPrivilege)
"""Nothing may be written, or not by this user."""


def ledger_error(error: psycopg.Error) -> LedgerDown | LedgerRefused:
    """Return the ledger's error: the batch as a whole was refused, or Postgres is unavailable."""
    if isinstance(error, LockNotAvailable):
        return LedgerRefused(LOCKED)
    if (error.sqlstate or "").startswith(_SERIALIZATION):
        return LedgerRefused(DEADLOCK)
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError | psycopg.ProgrammingError):
        return LedgerRefused(error.diag.constraint_name)
    return _down(error)


def takeover_error(error: psycopg.Error) -> LedgerDown | LedgerRefused | Refused:
    """Return the error of taking the relay lock: it timed out, or there are no tables."""
    if isinstance(error, QueryCanceled):
        return LedgerRefused(LOCKED)
    return schema_behind() if isinstance(error, UndefinedTable) else _down(error)


@contextmanager
def as_outage(kind: type[psycopg.Error] = psycopg.Error) -> Iterator[None]:
    """Turn any driver error into LedgerDown, for followers of the log."""
    try:
        yield
    except kind as error:
        raise _down(error) from error


def refusal_of(error: Exception) -> Refused | None:
    """Return the refusal for the user; ``None`` for unexpected errors."""
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, psycopg.IntegrityError):
        return _conflict(error)
    if isinstance(error, psycopg.DataError | UnicodeEncodeError) or state.startswith(_TOO_MUCH):
        return refuse(StoreReason.UNHOLDABLE_VALUES)
    if isinstance(error, _MAY_NOT):
        _log(error)  # it names the table
        return refuse(StoreReason.READ_ONLY)
    if isinstance(error, OTHER_SCHEMA):
        return schema_behind()
    if not _is_outage(error):
        return None
    _log(error)
    return database_unavailable()


def _down(error: Exception) -> LedgerDown:
    _log(error)
    return LedgerDown()


def _log(error: Exception) -> None:
    """Log why the database is unavailable, in its own words: callers are told only that it is."""
    why = str(error).strip() or type(error).__name__
    said = _said_at.pop(why, -_SAID_EVERY)
    if time.monotonic() - said >= _SAID_EVERY:
        said = time.monotonic()
        logger.error("the database is unavailable", extra={"why": why})
    _said_at[why] = said
    if len(_said_at) > _MOST_SAID:
        _said_at.pop(next(iter(_said_at)))


def _is_outage(error: Exception) -> bool:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError):
        return True
    # The server ended the session, whatever the class of the error.
    return isinstance(error, psycopg.Error) and error.diag.severity_nonlocalized in ("FATAL", "PANIC")


def _conflict(error: psycopg.IntegrityError) -> Refused:
    if isinstance(error, psycopg.errors.UniqueViolation):
        return refuse(StoreReason.NAME_TAKEN)
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return refuse(StoreReason.STILL_REFERRED_TO)
    return refuse(StoreReason.REFUSED_VALUES)
