"""The core of an API process on real stores, with clients that record a history; any part may be broken."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from tests.chaos.history import History
from tests.fakes import CountedCounts
from tests.people import ANN, DESK
from tests.without_http import department_id
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.redis.waiting_line import RedisLine
from tokenq_server.domain.commands import CallNext, Command, Issue, MoveToken, ServeNext
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import Setup

Body = dict[str, Any]
_NOBODY_KNOWS = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.INTERNAL, ProblemCode.OVERLOADED})
_clients = itertools.count(1)


@dataclass
class Office:
    """One API process without HTTP."""

    commit: GroupCommit
    setup: Setup
    history: History

    async def department(self) -> str:
        """Create a department; return its id."""
        name = department_id()
        await self.setup.create_department(name, {"name": f"Department {name}"})
        return name

    async def issue(self, department: str, key: str | None = None, **more: Any) -> Body:
        """Issue a token."""
        command = Issue(department, DESK, **more)
        return await self.do("issue", command, key or f"issue-{next(_clients)}")

    async def call(self, department: str, counter: str) -> Body:
        """Call the next token to a counter."""
        return await self.do("call", CallNext(department, ANN, counter), counterId=counter)

    async def serve(self, department: str, counter: str) -> Body:
        """Serve the next token at a counter in one step."""
        return await self.do("serve", ServeNext(department, ANN, counter), counterId=counter)

    async def move(self, token: Body, verb: Verb, **more: Any) -> Body:
        """Move a token, with the claim version in ``token``."""
        seen = token["claimVersion"]
        command = MoveToken(token["departmentId"], ANN, token["tokenId"], verb, seen, **more)
        return await self.do(str(verb), command, tokenId=token["tokenId"], claimVersion=seen)

    async def do(self, f: str, command: Command, key: str | None = None, **asked: Any) -> Body:
        """Execute a command as a client sees it; returns an empty body if it was refused or its outcome is unknown."""
        op = self.history.invoke(f, getattr(command, "department_id", ""), proc=next(_clients), key=key, value=asked)
        try:
            answer = await self.commit.submit(Request(command, "test", key))
        except Refused as refusal:
            code = refusal.problem.code
            (self.history.info if code in _NOBODY_KNOWS else self.history.fail)(op, str(code))
            return {}
        token = cast(Body, answer.token)
        self.history.ok(op, json.dumps(token), 201 if answer.is_new else 200)
        return token


@asynccontextmanager
async def open_office(
    dsn: str,
    redis_url: str,
    history: History,
    *,
    ledger: type[PostgresLedger] = PostgresLedger,
    line: type[RedisLine] = RedisLine,
    batch: type[Batch] = Batch,
    commit: type[GroupCommit] = GroupCommit,
) -> AsyncIterator[Office]:
    """An office on a migrated database."""
    books, redis, database = ledger(dsn), line(redis_url), Database(dsn, size=2)
    flusher = commit(batch(books, redis, CountedCounts()))
    flusher.start()
    try:
        yield Office(flusher, Setup(PostgresSetup(database)), history)
    finally:
        await flusher.close()
        await books.close()
        await redis.close()
        await database.close()
