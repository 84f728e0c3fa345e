"""The workload: desks issue, counters call and serve, and all retry with the same key until the outcome is known."""

import asyncio
import json
import random
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.connection import Connection, Unanswered, Unsent
from tests.chaos.fixtures import DEPARTMENTS, ROVERS, create_fixtures
from tests.chaos.history import History

_DESKS_A_DEPARTMENT = 2
_COUNTERS_A_DEPARTMENT = 3
_MOST_WAITING = 60
_USER_SHARE = 0.2
_UNDONE_SHARE = 0.1
_RECENT = 10
"""Tokens called by number are chosen from this many recent ones, most of which are waiting."""
_CERTAINLY_NOT = frozenset({400, 401, 403, 404, 409, 422, 429})
_RETRY_SECONDS = (0.02, 0.1)
_EMPTY_SECONDS = 0.03

Token = dict[str, Any]


@dataclass
class Workload:
    """All workers on the system, and what they achieved so far.

    ``mail_share`` of the customers leave an address.
    """

    urls: Sequence[str]
    token: str
    history: History
    mail_share: float = 0.02
    breath_seconds: float = 0.0
    """Seconds to rest after each operation."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    latest: dict[str, float] = field(default_factory=dict)
    """When the last acknowledged operation of each kind was requested (monotonic seconds)."""
    is_paused: asyncio.Event = field(default_factory=asyncio.Event)
    _users: Sequence[int] = ()
    _recent: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=_RECENT)))
    _people: list["_Person"] = field(default_factory=list)

    def open_departments(self) -> None:
        """Create departments, counters that serve several of them, and users; they may exist."""
        self._users = create_fixtures(self.urls[0], self.token)

    def close(self) -> None:
        """Stop recording."""
        for person in self._people:
            person.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until the context ends; all finish their current operation, so that no outcome stays unknown."""
        self.is_paused.clear()
        people: list[Awaitable[None]] = []
        for name in DEPARTMENTS:
            people += [self._desk(name) for _ in range(_DESKS_A_DEPARTMENT)]
            people += [self._counter(name, f"{name}{number}") for number in range(_COUNTERS_A_DEPARTMENT)]
        people += [self._rover(counter, profile) for counter, profile in ROVERS.items()]
        work = asyncio.gather(*people)
        try:
            yield
        finally:
            self.is_paused.set()
            await work

    async def touch(self) -> None:
        """Issue one more token per department, which lets every queue in Redis catch up."""
        for name in DEPARTMENTS:
            await self._person().do("issue", name, f"/api/v1/departments/{name}/tokens", {})

    async def issue_under(self, key: str, name: str) -> Token | None:
        """Issue one more token; the same request may be pending elsewhere with the same key."""
        person = self._person()
        try:
            return await person.do("issue", name, f"/api/v1/departments/{name}/tokens", {}, key=key)
        finally:
            person.close()

    async def recovered(self, since: float, seconds: float = 60.0) -> float:
        """Seconds from ``since`` (monotonic) until an issue and a call that were requested later are acknowledged."""
        deadline = time.monotonic() + seconds
        while not all(self.latest.get(kind, 0.0) >= since for kind in ("issue", "call")):
            assert time.monotonic() < deadline, f"no issue and call for {seconds:.0f} s"
            await asyncio.sleep(0.005)
        return time.monotonic() - since

    def _person(self) -> "_Person":
        """A new client. Neighbours start with different APIs."""
        number = len(self._people)
        urls = [*self.urls[number % len(self.urls) :], *self.urls[: number % len(self.urls)]]
        person = _Person(self, number, deque(Connection(url, self.token) for url in urls))
        self._people.append(person)
        return person

    async def _desk(self, name: str) -> None:
        person = self._person()
        while not self.is_paused.is_set():
            if self.waiting[name] > _MOST_WAITING:
                await asyncio.sleep(_EMPTY_SECONDS)
                continue
            body: Token = {"priority": random.choice(("normal", "normal", "normal", "priority", "urgent"))}
            if random.random() < self.mail_share:
                body["email"] = f"{uuid.uuid4().hex[:12]}@example.com"
            if self._users and random.random() < _USER_SHARE:
                body["userId"] = random.choice(self._users)
            if token := await person.do("issue", name, f"/api/v1/departments/{name}/tokens", body):
                self.waiting[name] += 1
                self._recent[name].append(token["tokenId"])

    async def _counter(self, name: str, counter: str) -> None:
        """A counter of one department: mostly *next*, sometimes *serve next*, or a call by number."""
        person, where, path = self._person(), {"counterId": counter}, f"/api/v1/departments/{name}"
        while not self.is_paused.is_set():
            token: Token | None = None
            match random.choices(_TAKING, _TAKING_WEIGHTS)[0]:
                case "serve":
                    token = await person.do("serve", name, f"{path}/serve", where)
                case "out of order" if recent := self._recent[name]:
                    wish = {"tokenId": random.choice(recent), "reason": "asked for"}
                    token = await person.do("call", name, f"{path}/call", where | wish)
            token = token or await person.do("call", name, f"{path}/call", where)
            await self._taken_up(person, token)

    async def _rover(self, counter: str, profile: Sequence[str]) -> None:
        """A counter that calls the next customer of several departments."""
        person, where, path = self._person(), {"counterId": counter}, "/api/v1/branches/main/counters/call"
        while not self.is_paused.is_set():
            await self._taken_up(person, await person.do("call", "+".join(profile), path, where))

    async def _taken_up(self, person: "_Person", token: Token | None) -> None:
        """Handle the called token, or wait a moment if there is none."""
        if token is None:
            await asyncio.sleep(_EMPTY_SECONDS)
            return
        if person.is_new_call(token):
            self.waiting[token["departmentId"]] -= 1
        if token["state"] != "SERVED":
            await self._attend(person, token["departmentId"], token)
        elif random.random() < _UNDONE_SHARE:
            await person.move("undo", token)

    async def _attend(self, person: "_Person", name: str, token: Token) -> None:
        """Do with a called token what staff do: mostly serve, sometimes everything else."""
        match random.choices(_WAYS, _WEIGHTS)[0]:
            case "start":
                if (token := await person.move("start", token) or {}) and await person.move("serve", token):
                    return
            case "no-show":
                if (gone := await person.move("no-show", token)) and random.random() < 0.5:
                    self.waiting[name] += bool(await person.move("reinstate", gone))
            case "requeue":
                where = random.choice(("first", "last", "original"))
                self.waiting[name] += bool(await person.move("requeue", token, position=where))
            case "park":
                if parked := await person.move("park", token, reason="copies"):
                    self.waiting[name] += bool(await person.move("resume", parked))
            case "transfer":
                to = random.choice([department for department in DEPARTMENTS if department != name])
                self.waiting[to] += bool(await person.move("transfer", token, to=to))
            case "undo":
                self.waiting[name] += bool(await person.move("undo", token))
            case verb:
                await person.move(verb, token)


_TAKING = ("call", "serve", "out of order")
_TAKING_WEIGHTS = (70, 20, 10)
_WAYS = ("serve", "start", "no-show", "requeue", "park", "transfer", "undo", "cancel", "recall")
_WEIGHTS = (70, 8, 4, 4, 3, 3, 3, 2, 3)


@dataclass
class _Person:
    workload: Workload
    number: int
    connections: deque[Connection]
    """One connection per API; the first is in use."""
    _seen: tuple[int, int] = (0, 0)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def is_new_call(self, token: Token) -> bool:
        """Whether this is a different token, or a different call of the same one, than before."""
        before, self._seen = self._seen, (token["tokenId"], token["claimVersion"])
        return before != self._seen

    async def move(self, verb: str, token: Token, **more: object) -> Token | None:
        path = f"/api/v1/tokens/{token['tokenId']}/{verb}"
        body = {"claimVersion": token["claimVersion"], **more}
        return await self.do(verb, token["departmentId"], path, body, tokenId=token["tokenId"])

    async def do(
        self, kind: str, name: str, path: str, body: Mapping[str, Any], *, key: str = "", **about: object
    ) -> Token | None:
        """Retry until the outcome is known; return the token, or nothing if it was refused.

        What may have been lost is retried at the next API.
        """
        key, history = key or uuid.uuid4().hex, self.workload.history
        while True:
            asked = time.monotonic()
            operation = history.invoke(kind, name, proc=self.number, key=key, value={**body, **about})
            try:
                status, answer = await self.connections[0].post(path, body, key)
            except Unsent as error:
                history.fail(operation, f"not sent: {error}")
            except Unanswered as error:
                history.info(operation, str(error))
            else:
                if status < 300:
                    history.ok(operation, answer, status)
                    self.workload.acknowledged[kind] += 1
                    self.workload.latest[kind] = asked
                    await asyncio.sleep(self.workload.breath_seconds)
                    found: Token = json.loads(answer)
                    return found
                if status in _CERTAINLY_NOT:
                    history.fail(operation, answer, status)
                    return None
                history.info(operation, f"{status}: {answer}")
            self.connections.rotate(-1)
            await asyncio.sleep(random.uniform(*_RETRY_SECONDS))
