"""The API and a naive model execute random verbs, with Redis wipes, and must agree.

The suite does a few dozen runs; ``TOKENQ_MACHINE_RUNS=2000`` does that many.
"""

import os
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from redis import Redis

from tests.integration.floor_model import SOURCES, Model, No
from tests.stack import Stack
from tokenq.client import Client
from tokenq.contract.problems import Refused

RUNS = int(os.environ.get("TOKENQ_MACHINE_RUNS", "40"))
STEPS = 40

COUNTERS = st.sampled_from("123")
CLASSES = st.sampled_from(["normal", "priority", "urgent"])
SIDES = st.sampled_from([0, 1])


class FloorMachine(RuleBasedStateMachine):
    """One run: two departments of a branch, three counters."""

    client: ClassVar[Client]
    redis: ClassVar[Redis]
    dsn: ClassVar[str]

    @initialize()
    def set_up(self) -> None:
        tag = secrets.token_hex(3).upper()
        self.depts = [f"A{tag}", f"B{tag}"]
        self.views: dict[int, Any] = {}
        self.tag = tag
        self.client.create_branch({"branchId": f"b{tag.lower()}", "name": tag})
        for name in self.depts:
            body = {"departmentId": name, "name": name, "maxWaitMinutes": 1440, "branchId": f"b{tag.lower()}"}
            self.client.create_department(body)
        self.model = Model({name: self.client.queue(name)["seq"] for name in self.depts})
        for side, priority in ((0, "normal"), (0, "priority"), (0, "normal"), (1, "normal"), (0, "normal")):
            self._issue(side, priority)

    @rule(side=SIDES, priority=CLASSES)
    def issue(self, side: int, priority: str) -> None:
        self._issue(side, priority)

    def _issue(self, side: int, priority: str) -> None:
        view = self.client.issue(self.depts[side], priority=priority)
        self.views[view["tokenId"]] = view
        self.model.issue(view["tokenId"], self.depts[side], priority)
        assert view["position"] == self.model.order(self.depts[side]).index(view["tokenId"]) + 1

    @rule(side=SIDES, counter=COUNTERS)
    def call(self, side: int, counter: str) -> None:
        dept, place = self.depts[side], self._counter(counter)
        self._both(lambda: self.client.call(dept, place), lambda: self.model.call(dept, place))

    @rule(side=SIDES, counter=COUNTERS)
    def serve_next(self, side: int, counter: str) -> None:
        dept, place = self.depts[side], self._counter(counter)
        self._both(lambda: self.client.serve_next(dept, place), lambda: self.model.serve_next(dept, place))

    @rule(data=st.data(), counter=COUNTERS)
    def pick(self, data: st.DataObject, counter: str) -> None:
        token = self._any(data)
        dept, place = self.model.tokens[token].dept, self._counter(counter)
        self._both(
            lambda: self.client.call(dept, place, token_id=token, reason="asked"),
            lambda: self.model.pick(token, place),
        )

    @rule(data=st.data(), counter=COUNTERS, side=SIDES, verb=st.sampled_from(["requeue", "park", "no-show", "serve"]))
    def work(self, data: st.DataObject, counter: str, side: int, verb: str) -> None:
        """What operators do all day: call a token, and finish it in one way or another."""
        self.call(side, counter)
        held = self.model.at(self._counter(counter))
        if held and (verb != "no-show" or held.state == "CALLED"):
            self._move(data, held.id, verb, side, "normal")

    @rule(data=st.data(), side=SIDES, priority=CLASSES)
    def move(self, data: st.DataObject, side: int, priority: str) -> None:
        """A verb that the token's state allows."""
        moved = [token.id for token in self.model.tokens.values() if token.state != "WAITING"]
        token = data.draw(st.sampled_from(sorted(moved))) if moved and side else self._any(data)
        state = self.model.tokens[token].state
        if verbs := sorted(verb for verb, sources in SOURCES.items() if state in sources):
            self._move(data, token, data.draw(st.sampled_from(verbs)), side, priority)

    @rule(data=st.data(), verb=st.sampled_from(sorted(SOURCES)), side=SIDES, priority=CLASSES)
    def try_anything(self, data: st.DataObject, verb: str, side: int, priority: str) -> None:
        """Any verb on any token; mostly refused."""
        self._move(data, self._any(data), verb, side, priority)

    def _move(self, data: st.DataObject, token: int, verb: str, side: int, priority: str) -> None:
        more: dict[str, str] = {}
        if verb in ("requeue", "reinstate"):
            more = {"position": data.draw(st.sampled_from(["first", "last", "original"]))}
        elif verb == "priority":
            more = {"priority": priority}
        elif verb == "transfer":
            more = {"to": self.depts[side], "position": data.draw(st.sampled_from(["first", "last", "original"]))}
        self._both(
            lambda: self.client.move(self.views[token], verb, **more),
            lambda: self.model.move(token, verb, **more),
        )

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        token = self._any(data)
        self._both(lambda: self.client.move(self.views[token], "undo"), lambda: self.model.undo(token))

    @rule(whole=st.booleans())
    def redis_loses(self, whole: bool) -> None:
        """Wipe all of Redis, or one key of one department."""
        if whole:
            self.redis.flushall()
        elif keys := list(self.redis.scan_iter(f"tq:{{{self.depts[0]}}}:*")):
            self.redis.delete(sorted(keys)[0])

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        for name in self.depts:
            queue = self.client.queue(name)
            assert [token["tokenId"] for token in queue["waiting"]] == self.model.order(name)
            assert queue["seq"] == self.model.seq[name]
            self._settle(name)
            assert self._in_redis(name) == self._in_postgres(name)
        states = {token.id: token.state for token in self.model.tokens.values()}
        assert {token: self.client.token(token)["state"] for token in self.views} == states
        self._clear_away()

    def _clear_away(self) -> None:
        """The server would keep looking after thousands of unused departments."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("UPDATE token SET state = 'EXPIRED' WHERE department_id = ANY(%s)", [self.depts])
            connection.execute("UPDATE department SET is_archived = true WHERE department_id = ANY(%s)", [self.depts])

    def _both(self, real: Callable[[], Any], model: Callable[[], Any]) -> None:
        """Execute it on both sides: the same refusal, or the same token in the same state."""
        try:
            model()
            expected = "done"
        except No as refusal:
            expected = str(refusal)
        try:
            view = real()
        except Refused as refusal:
            view, code = None, str(refusal.problem.code)
        else:
            code = "done"
        assert code == expected
        if view is None:
            return
        self.views[view["tokenId"]] = view
        mine = self.model.tokens[view["tokenId"]]
        assert (view["state"], view["priority"], view["departmentId"]) == (mine.state, mine.priority, mine.dept)
        assert mine.state not in ("CALLED", "SERVING") or view["counterId"] == mine.counter

    def _settle(self, dept: str) -> None:
        """Let Redis catch up: any command does that, even a refused one."""
        with pytest.raises(Refused, match="There is no token"):
            self.client.call(dept, "9", token_id=2**62, reason="settle")

    def _in_redis(self, dept: str) -> set[int]:
        keys = list(self.redis.scan_iter(f"tq:{{{dept}}}:*:q"))
        return {int(member) for key in keys for member in self.redis.zrange(key, 0, -1)}

    def _in_postgres(self, dept: str) -> set[int]:
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(
                "SELECT token_id FROM token WHERE department_id = %s AND state = 'WAITING'", [dept]
            )
            return {row[0] for row in rows}

    def _any(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.views)))

    def _counter(self, name: str) -> str:
        return f"{self.tag}-{name}"


@pytest.mark.timeout(3600)
def test_the_api_does_what_the_model_does(running: Stack) -> None:
    """Every verb, every refusal, every order of calling, and at the end Redis holds exactly who waits."""
    endpoints = running.endpoints
    with (
        Client(endpoints.api, running.token, attempts=1) as client,
        Redis.from_url(endpoints.redis) as redis,
    ):
        machine = type("Machine", (FloorMachine,), {"client": client, "redis": redis, "dsn": endpoints.postgres})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                phases=[Phase.generate],  # a failing run is long enough; its steps are printed
            ),
        )
