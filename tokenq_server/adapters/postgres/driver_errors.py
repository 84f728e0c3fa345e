"""What an error of the driver means to whoever asked: an outage, a refused batch, or a refusal that a person reads."""

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

OTHER_SCHEMA = (UndefinedTable, UndefinedColumn)
"""A table or a column is not there."""
IN_THE_WAY = (LockNotAvailable, DeadlockDetected)
"""A lock was not to be had in time: the same statement may succeed later."""
READ_ONLY = ReadOnlySqlTransaction
"""A primary that has just become a replica."""

_TOO_MUCH = "54"
"""The class of what Postgres says of values that are too large or too deep for it, though it is well."""
_SERIALIZATION = "40"
"""The class of deadlocks and the like: nothing was written, once more it goes through."""
_MAY_NOT = (READ_ONLY, InsufficientPrivilege)
"""Nothing may be written, or not by this user."""


def ledger_error(error: psycopg.Error) -> LedgerDown | LedgerRefused:
    """What the ledger raises: the batch as a whole was refused, or Postgres is away."""
    if isinstance(error, LockNotAvailable):
        return LedgerRefused(LOCKED)
    if (error.sqlstate or "").startswith(_SERIALIZATION):
        return LedgerRefused(DEADLOCK)
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError | psycopg.ProgrammingError):
        return LedgerRefused(error.diag.constraint_name)
    return LedgerDown()


def takeover_error(error: psycopg.Error) -> LedgerDown | LedgerRefused | Refused:
    """What is raised to who asks for the one relay's place: it was not given up in time, or there are no tables."""
    if isinstance(error, QueryCanceled):
        return LedgerRefused(LOCKED)
    return schema_behind() if isinstance(error, UndefinedTable) else LedgerDown()


@contextmanager
def as_outage(kind: type[psycopg.Error] = psycopg.Error) -> Iterator[None]:
    """For who only follows the log: whatever the driver says, the store cannot be used now. Raises LedgerDown."""
    try:
        yield
    except kind as error:
        raise LedgerDown from error


def refusal_of(error: Exception) -> Refused | None:
    """What is said to the person who asked; ``None``: nothing that is foreseen."""
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, psycopg.IntegrityError):
        return _conflict(error)
    if isinstance(error, psycopg.DataError | UnicodeEncodeError) or state.startswith(_TOO_MUCH):
        return refuse(StoreReason.UNHOLDABLE_VALUES)
    if isinstance(error, _MAY_NOT):
        return refuse(StoreReason.READ_ONLY)
    if isinstance(error, OTHER_SCHEMA):
        return schema_behind()
    return database_unavailable() if _is_outage(error) else None


def _is_outage(error: Exception) -> bool:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError):
        return True
    # The server ended the session, whatever class it gives the reason.
    return isinstance(error, psycopg.Error) and error.diag.severity_nonlocalized in ("FATAL", "PANIC")


def _conflict(error: psycopg.IntegrityError) -> Refused:
    if isinstance(error, psycopg.errors.UniqueViolation):
        return refuse(StoreReason.NAME_TAKEN)
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return refuse(StoreReason.STILL_REFERRED_TO)
    return refuse(StoreReason.REFUSED_VALUES)
