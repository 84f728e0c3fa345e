"""What is known about people: erasing it, showing it, and how long it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tokenq.contract.audit import AuditKind
from tokenq.contract.personal_views import ErasureView, PersonalDataView
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.erasing import ErasingReason
from tokenq_server.services import account_events
from tokenq_server.services.audit import BY_SYSTEM, AuditEvent, Origin
from tokenq_server.services.people_views import User

_MOST_NAMED = 20
"""Tokens named in a security event."""


@dataclass(frozen=True)
class Person:
    """Who is meant, by exactly one of these."""

    user_id: int | None = None
    email: str | None = None
    token_id: int | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.user_id, self.email, self.token_id)) != 1:
            raise refuse(ErasingReason.NOT_ONE_PERSON)


@dataclass(frozen=True)
class Erasure:
    """How much was erased. ``tokens`` are those that had a name, an address or a user."""

    tokens: int = 0
    entries: int = 0
    letters: int = 0
    records: int = 0
    answers: int = 0
    accounts: int = 0


class PersonalDataStore(Protocol):
    """Storage of what is known about people. Each erasure is one transaction, with its event."""

    async def erase(self, person: Person, origin: Origin, *, is_dry_run: bool) -> Erasure:
        """Erase a person, or only count what would be erased.

        Raises:
            Refused: ``in_use`` if a token is live, the address is an account's or the account is the last admin's,
                ``unknown_token``.
        """

    async def known(self, person: Person, origin: Origin) -> PersonalDataView:
        """Return what is stored about a person. Raises Refused (``unknown_token``)."""

    async def erase_old(self, days: int) -> bool:
        """Erase some of what is older than this many business days; return whether there may be more."""


class PersonalData:
    """Erases people and shows what is known about them."""

    def __init__(self, store: PersonalDataStore, on_account_gone: Callable[[], None]) -> None:
        self._store, self._on_account_gone = store, on_account_gone

    async def erase(self, person: Person, origin: Origin, *, is_dry_run: bool) -> ErasureView:
        """Erase a person, or only count. Repeating it is safe. Raises Refused."""
        erased = await self._store.erase(person, origin, is_dry_run=is_dry_run)
        if erased.accounts and not is_dry_run:
            self._on_account_gone()
        return {
            "tokens": erased.tokens,
            "entries": erased.entries,
            "letters": erased.letters,
            "records": erased.records,
            "answers": erased.answers,
            "accounts": erased.accounts,
            "dryRun": is_dry_run,
        }

    async def known(self, person: Person, origin: Origin) -> PersonalDataView:
        """Return what is stored about a person. Raises Refused."""
        return await self._store.known(person, origin)


def person_erased(
    origin: Origin, person: Person, account: User | None, erased: Erasure, tokens: Sequence[int]
) -> AuditEvent:
    """A person was erased. The detail is how much, and of an address whose tokens: they may have to be erased again."""
    details = [f"{name} {count}" for name, count in vars(erased).items() if count]
    if person.email is not None and tokens:
        more = len(tokens) - _MOST_NAMED
        details += [f"id:{token_id}" for token_id in tokens[:_MOST_NAMED]] + [f"and {more} more"] * (more > 0)
    return AuditEvent(AuditKind.PERSON_ERASE, origin, _target(person, account), detail=", ".join(details) or None)


def person_read(origin: Origin, person: Person, account: User | None) -> AuditEvent:
    """What is known about a person was shown."""
    return AuditEvent(AuditKind.PERSON_READ, origin, _target(person, account))


def old_data_erased(days: int) -> AuditEvent:
    """Housekeeping erased people of old tokens, and old free text; the event's count says how much."""
    return AuditEvent(AuditKind.PERSON_ERASE, BY_SYSTEM, "old data", detail=f"older than {days} days")


def _target(person: Person, account: User | None) -> str:
    """Name whom it was about, without the address."""
    if person.user_id is not None:
        return account_events.account_of(account) if account else f"user:id:{person.user_id}"
    return f"token:{person.token_id}" if person.token_id is not None else "address"
