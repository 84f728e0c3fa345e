"""What is known about people, in Postgres.

The log, the letters and the dead letters are rewritten by functions of the tables' owner, which the migrations define:
the API itself may only append to the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from psycopg.rows import DictRow

from tokenq.contract.enums import LIVE
from tokenq.contract.personal_views import PersonalDataView
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.erasing import ErasingReason
from tokenq_server.adapters.postgres import personal_statements as sql
from tokenq_server.adapters.postgres.audit import CountedEvent, recorded
from tokenq_server.adapters.postgres.connection import ONE_SNAPSHOT, Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.people import delete_account, find_account, read_account
from tokenq_server.adapters.postgres.personal_views import event_view, letter_view, token_view
from tokenq_server.adapters.postgres.statements import LOCK
from tokenq_server.domain.principal import CUSTOMER
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.failpoints import reach
from tokenq_server.services import account_events
from tokenq_server.services.audit import Origin
from tokenq_server.services.people_views import User, user_view
from tokenq_server.services.personal_data import Erasure, Person, old_data_erased, person_erased, person_read

_TRIES = 3
_AT_ONCE = 200
_BATCHES_PER_RUN = 20


class _DryRun(Exception):
    """Ends a transaction in which it was only tried how much would be erased."""


@dataclass(frozen=True)
class _Found:
    """Which tokens are a person's, and which only had the person's address before it was corrected."""

    account: User | None
    tokens: Sequence[int]
    mentioned: Sequence[int]
    address: str | None


class PostgresPersonalData:
    """Erases and reads what is known about people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self, person: Person, origin: Origin, *, is_dry_run: bool) -> Erasure:
        """Erase a person in one transaction, which a dry run does not commit."""
        for _ in range(_TRIES):
            erased = Erasure()
            try:
                async with recorded(self._database) as (connection, record):
                    await connection.execute(sql.PATIENT)
                    heads = await connection.rows(sql.HEADS)
                    before = await _find(connection, person)
                    locked = await _lock(connection, person, before)
                    found = await _find_again(connection, person, before, heads)
                    if found is None or not await _departments(connection, found) <= locked:
                        continue
                    await _refuse_live(connection, found)
                    erased = await _erase(connection, person, found)
                    if is_dry_run:
                        raise _DryRun
                    if found.account is not None:
                        record(account_events.user_deleted(origin, found.account))
                    record(person_erased(origin, person, found.account, erased, [*found.tokens, *found.mentioned]))
                    reach("erase.before_commit")
            except _DryRun:
                pass
            return erased
        raise refuse(ErasingReason.MOVING)

    async def known(self, person: Person, origin: Origin) -> PersonalDataView:
        """Return what is stored about a person, all from the same snapshot."""
        async with recorded(self._database) as (connection, record):
            await connection.execute(ONE_SNAPSHOT)
            await connection.execute(sql.PATIENT)
            found = await _find(connection, person)
            record(person_read(origin, person, found.account))
            ids = {"tokens": list(found.tokens), "mentioned": list(found.mentioned), "address": found.address}
            return {
                "account": user_view(found.account) if found.account else None,
                "tokens": [token_view(row) for row in await connection.rows(sql.TOKENS, ids)],
                "events": [event_view(row) for row in await connection.rows(sql.EVENTS, ids)],
                "letters": [letter_view(row) for row in await connection.rows(sql.LETTERS, ids)],
            }

    async def erase_old(self, days: int) -> bool:
        """Erase old tokens and texts in batches, each in a transaction; one event counts those of a run."""
        is_more = True
        with CountedEvent(old_data_erased(days)) as event:
            for _ in range(_BATCHES_PER_RUN):
                async with event.begin(self._database) as connection:
                    (texts,) = await connection.rows(sql.ERASE_TEXTS, [timedelta(days=days), _AT_ONCE])
                    rows = await connection.rows(sql.OLD_TOKENS, {"days": days, "most": _AT_ONCE})
                    ids = [row["token_id"] for row in rows]
                    tokens = (await _erase_tokens(connection, ids)).tokens if ids else 0
                    await event.add(connection, tokens + int(texts["count"]))
                    reach("erase.before_commit")
                is_more = len(rows) == _AT_ONCE or texts["count"] >= _AT_ONCE
                if not is_more:
                    break
        return is_more


async def _find(connection: Connection, person: Person, among: Sequence[int] | None = None) -> _Found:
    """Find a person's account and tokens, or only those among these. Raises Refused (``in_use``, ``unknown_token``)."""
    if person.token_id is not None:
        if not await connection.row(sql.TOKEN_EXISTS, [person.token_id]):
            raise unknown_token(person.token_id)
        return _Found(None, [person.token_id], [], None)
    if person.user_id is not None:
        account = await read_account(connection, person.user_id)
        address = account.email.lower() if account and account.email else None
        if address is not None and await connection.rows(sql.USERS_WITH_ADDRESS, [address, person.user_id]):
            address = None  # what has only the address may be the other's
        return await _with_tokens(connection, _Found(account, [], [], address), person.user_id, among)
    address = (person.email or "").lower()
    users = [row["user_id"] for row in await connection.rows(sql.USERS_WITH_ADDRESS, [address, 0])]
    if users:
        raise refuse(ErasingReason.ADDRESS_OF_USERS, users=users)
    return await _with_tokens(connection, _Found(None, [], [], address), None, among)


async def _with_tokens(
    connection: Connection, found: _Found, user_id: int | None, among: Sequence[int] | None
) -> _Found:
    values = {"user_id": user_id, "address": found.address, "among": among}
    rows = await connection.rows(sql.tokens_of_person(is_among=among is not None), values)
    tokens = [row["token_id"] for row in rows]
    mentioned: list[int] = []
    if found.address is not None:
        rows = await connection.rows(sql.mentioned(is_among=among is not None), {**values, "tokens": tokens})
        mentioned = [row["token_id"] for row in rows]
    return replace(found, tokens=tokens, mentioned=mentioned)


async def _find_again(
    connection: Connection, person: Person, before: _Found, heads: Sequence[DictRow]
) -> _Found | None:
    """Find again, under the locks, among what was touched since the logs had these heads; the rest is as before.

    Returns None if the person has another address by now.
    """
    known = [[row["department_id"] for row in heads], [row["last_seq"] for row in heads]]
    touched = [row["token_id"] for row in await connection.rows(sql.TOUCHED_SINCE, known)]
    now = await _find(connection, person, touched)
    if now.address != before.address:
        return None
    tokens = {*before.tokens}.difference(touched).union(now.tokens)
    mentioned = {*before.mentioned}.difference(touched).union(now.mentioned)
    return replace(now, tokens=sorted(tokens), mentioned=sorted(mentioned))


async def _lock(connection: Connection, person: Person, found: _Found) -> set[str]:
    """Lock the departments in which the tokens were, so that no batch writes them meanwhile, and return them.

    Then lock the account, so that no batch of any department gives its user a number.
    """
    departments = await _departments(connection, found)
    await connection.execute(LOCK, [sorted(departments)])
    if person.user_id is not None:
        await find_account(connection, person.user_id)
    return departments


async def _departments(connection: Connection, found: _Found) -> set[str]:
    rows = await connection.rows(sql.DEPARTMENTS_OF_TOKENS, {"tokens": [*found.tokens, *found.mentioned]})
    return {row["department_id"] for row in rows}


async def _refuse_live(connection: Connection, found: _Found) -> None:
    live = await connection.rows(sql.LIVE, [list(found.tokens), sorted(map(str, LIVE))])
    if live:
        raise refuse(ErasingReason.LIVE_TOKENS, numbers=[row["display"].rstrip() for row in live])


async def _erase(connection: Connection, person: Person, found: _Found) -> Erasure:
    staff = account_events.staff_name(found.account)
    erased = await _erase_tokens(
        connection, found.tokens, mentioned=found.mentioned, address=found.address, account=person.user_id, staff=staff
    )
    if person.user_id is not None:
        who = {"identity": f"user:{person.user_id}", "user_id": person.user_id, "customer": CUSTOMER}
        for former in await connection.rows(sql.FORMER_NAMES, who):
            more = await _erase_tokens(connection, [], staff=former["actor"])
            erased = replace(erased, entries=erased.entries + more.entries)
        await connection.execute(sql.FORGET_PAUSES, who)
        erased = replace(erased, accounts=int(await delete_account(connection, person.user_id)))
    return erased


async def _erase_tokens(
    connection: Connection,
    tokens: Sequence[int],
    *,
    mentioned: Sequence[int] = (),
    address: str | None = None,
    account: int | None = None,
    staff: str | None = None,
) -> Erasure:
    (row,) = await connection.rows(sql.ERASE, [list(tokens), list(mentioned), address, account, staff])
    return Erasure(**row)
