"""Free text about people is visible to the department's staff only, never on a topic or in a stream.

A canary name and reason go through every verb; then everything that others can read is searched for them.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tests.integration.test_api_events import watching
from tests.integration.test_upgrades import scripts
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.domain.free_text import is_same_event

NAME, REASON = "Canary Name", "canary reason, HIV positive"
BY_THE_CLOCK = {Verb.EXPIRE}


class Visit:
    """One token and its moves over HTTP, with the canary wherever a verb takes text."""

    def __init__(self, stack: Stack, department: str, **who: Any) -> None:
        self._stack, self.verbs = stack, set[str]()
        body = {"name": NAME, **who}
        self.token = stack.ask("POST", f"/api/v1/departments/{department}/tokens", body)[1]

    def call(self, counter: str) -> None:
        body = {"counterId": counter, "tokenId": self.token["tokenId"], "reason": REASON}
        self._take("call", f"/api/v1/departments/{self.token['departmentId']}/call", body)

    def do(self, verb: str, **more: Any) -> None:
        body = {"claimVersion": self.token["claimVersion"], **more}
        self._take(verb, f"/api/v1/tokens/{self.token['tokenId']}/{verb}", body)

    def _take(self, verb: str, path: str, body: dict[str, Any]) -> None:
        status, answer = self._stack.ask("POST", path, body)
        assert status == 200, answer
        self.verbs.add(verb)
        self.token = answer

    def edit(self) -> None:
        body = {"name": f"{NAME} {NAME}"}
        status, answer = self._stack.ask("PATCH", f"/api/v1/tokens/{self.token['tokenId']}", body)
        assert status == 200, answer
        self.verbs.add("edit")
        self.token = answer


def all_verbs(stack: Stack, here: str, there: str, user_id: int) -> list[Visit]:
    """Two visits that use every verb a person can use."""
    words = {"reason": REASON}
    first, other = Visit(stack, here, userId=user_id), Visit(stack, here)
    first.call(f"c{here}")
    for verb, more in (
        ("recall", {}),
        ("start", {}),
        ("park", words),
        ("resume", {}),
        ("priority", {**words, "priority": "urgent"}),
        ("cancel", words),
        ("reinstate", words),
    ):
        first.do(verb, **more)
    first.call(f"c{here}")
    first.do("no-show", **words)
    first.do("undo")
    first.edit()
    first.do("serve")
    other.call(f"d{here}")
    other.do("requeue")
    other.do("transfer", **words, to=there)
    counter = {"counterId": f"c{here}", "reason": REASON}
    own = {"counterId": f"c{here}", "departments": [here]}
    assert stack.ask("POST", "/api/v1/branches/main/counters/open", own)[0] == 200
    assert stack.ask("POST", "/api/v1/branches/main/counters/pause", counter)[0] == 200
    return [first, other]


@pytest.fixture
def get(running: Stack) -> Callable[..., str]:
    def ask(key: str, *paths: str) -> str:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=running.endpoints.api, headers=headers, timeout=10) as client:
            return "\n".join(client.get(path).text for path in paths)

    return ask


def key_for(stack: Stack, role: str, *departments: str) -> str:
    body = {"label": f"{role} key", "role": role, "departments": list(departments)}
    return str(stack.ask("POST", "/api/v1/keys", body)[1]["key"])


def customer(stack: Stack) -> tuple[int, str]:
    name, password = f"u{secrets.token_hex(4)}", secrets.token_hex(8)
    body = {"name": "Ada", "username": name, "role": "customer", "password": password}
    user_id = stack.ask("POST", "/api/v1/users", body)[1]["userId"]
    return user_id, stack.ask("POST", "/api/v1/auth/login", {"username": name, "password": password})[1]["token"]


async def records(stack: Stack, department: str, last: int) -> list[bytes]:
    """The topic's records of a department, once it has the last."""
    async with asyncio.timeout(30):
        while True:
            reader, found = KafkaReader(KafkaAccess(stack.endpoints.kafka)), list[bytes]()
            await reader.find_ends()
            async for some in reader.records():
                found += [record.value for record in some if record.department_id == department]
            if found and json.loads(found[-1])["seq"] >= last:
                return found
            await asyncio.sleep(0.1)


async def test_free_text_stays_with_the_department(running: Stack, get: Callable[..., str]) -> None:
    here, there, elsewhere = department_id(), department_id(), department_id()
    for name in (here, there, elsewhere):
        running.ask("PUT", f"/api/v1/departments/{name}", {"name": "Cash window"})
    user_id, owner = customer(running)
    visits = await asyncio.to_thread(all_verbs, running, here, there, user_id)
    assert set.union(*(visit.verbs for visit in visits)) == {str(verb) for verb in Verb} - BY_THE_CLOCK

    ids = [visit.token["tokenId"] for visit in visits]
    every = [f"/api/v1/tokens/{token_id}{what}" for token_id in ids for what in ("", "/events", "/why")]
    every += ["/api/v1/branches/main/counters", "/api/v1/tokens"]
    every += [f"/api/v1/departments/{name}/{what}" for name in (here, there) for what in ("queue", "next")]
    last = running.ask("GET", f"/api/v1/departments/{here}/queue")[1]["seq"]

    mine = get(key_for(running, "staff", here), *every)
    assert "called out of order: " + REASON in mine
    assert mine.count(REASON) >= 9
    for stranger in (key_for(running, "staff", elsewhere), key_for(running, "desk", here), owner):
        seen = get(stranger, *every)
        assert REASON not in seen
        assert "called out of order" in seen
    assert NAME not in get(key_for(running, "staff", elsewhere), *every)

    with watching(running, here, last=f"{here}:0") as watch:
        until(lambda: any(event.get("seq") == last for event in watch.events))
    assert REASON not in json.dumps(watch.messages, ensure_ascii=False)

    for name in (here, there):
        seq = running.ask("GET", f"/api/v1/departments/{name}/queue")[1]["seq"]
        for record in await records(running, name, seq):
            assert REASON.encode() not in record
            assert NAME.encode() not in record


_OLD = """
INSERT INTO department (department_id, name, branch_id, prefix, number_format)
  VALUES ('CW', 'Cash window', 'main', 'CW', '{prefix}-{number:03d}');
INSERT INTO dept_state (department_id, day, last_no, last_seq) VALUES ('CW', '2026-11-22', 2, 5003);
INSERT INTO token (token_id, department_id, branch_id, day, number, display, state, priority, place, original_place,
                   issued_at, waiting_since, issued_in, counter_id, reason, undo)
  VALUES (1, 'CW', 'main', '2026-11-21', 1, 'CW-001', 'SERVING', 'normal', 1, 1, now(), now(), 'CW', '1',
          'called out of order: in pain', '{"verb": "start", "was": {"reason": "called out of order: in pain"},
                                            "until": "2026-11-22T09:00:00+00:00"}'),
         (2, 'CW', 'main', '2026-11-22', 1, 'CW-001', 'WAITING', 'normal', 2, 2, now(), now(), 'CW', null, null, null);
"""


def event(seq: int, kind: str, **data: Any) -> str:
    body = {"eventType": kind, "seq": seq, "departmentId": "CW", "tokenId": 1, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


OLD_EVENTS = [
    (event(1, "TOKEN_CALLED", reason="called out of order: in pain – très", call=1), "in pain – très"),
    (event(2, "TOKEN_CALLED", reason="first in line", call=1), None),
    (event(3, "TOKEN_CANCELLED", state="WAITING", reason="HIV"), "HIV"),
    (event(4, "COUNTER_PAUSED", state="PAUSED", reason=None, operator="ann"), None),
    (event(5, "TOKEN_RESUMED", reason="the time has come"), None),
    (event(6, "TOKEN_GENERATED", estimate={"lowMinutes": None, "reason": "no counter is open"}), None),
]


def test_an_upgrade_moves_free_text_out_of_the_log(fresh_database: Callable[..., str]) -> None:
    """Old records are compared without them; duplicate live numbers are distinguished, and no token is ended."""
    url = fresh_database()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        command.upgrade(scripts(connection), "0002")
        connection.commit()
    insert = """INSERT INTO outbox (department_id, seq, event_type, token_id, payload, priority, place, at)
                VALUES ('CW', %s, %s, 1, %s, 'normal', 1, now())"""
    filler = event(0, "TOKEN_PARKED", reason="filler")
    with psycopg.connect(url, autocommit=True) as old, old.cursor() as cursor:
        cursor.execute(_OLD)
        rows = [(seq, json.loads(text)["eventType"], text) for seq, (text, _) in enumerate(OLD_EVENTS, 1)]
        cursor.executemany(insert, [*rows, *((seq, "TOKEN_PARKED", filler) for seq in range(7, 5004))])
    migrate(url)

    with psycopg.connect(url) as new:
        log = new.execute("SELECT payload, note FROM outbox ORDER BY seq").fetchall()
        tokens = new.execute("SELECT display, state, reason, undo FROM token ORDER BY token_id").fetchall()
        marks = new.execute("SELECT rewritten_seq FROM dept_state").fetchall()
    assert [note for _, note in log[:6]] == [note for _, note in OLD_EVENTS]
    assert {note for _, note in log[6:]} == {"filler"}
    everything = "".join(payload for payload, _ in log)
    for words in ("in pain", "HIV", "filler"):
        assert words not in everything
    assert [json.loads(payload)["data"].get("reason") for payload, _ in log[:6]] == [
        "called out of order",
        "first in line",
        None,
        None,
        "the time has come",
        None,
    ]
    assert log[5][0] == OLD_EVENTS[5][0]
    assert [(display, state) for display, state, _, _ in tokens] == [
        ("CW-001 ", "SERVING"),
        ("CW-001", "WAITING"),
    ]
    assert tokens[0][2] == tokens[0][3]["was"]["reason"] == "called out of order"
    assert marks == [(5003,)]
    for (record, _), (payload, _) in zip(OLD_EVENTS, log, strict=False):
        assert is_same_event(record.encode(), payload.encode(), may_be_rewritten=True)
    assert not is_same_event(OLD_EVENTS[0][0].encode(), log[0][0].encode(), may_be_rewritten=False)
    assert not is_same_event(OLD_EVENTS[0][0].encode(), log[1][0].encode(), may_be_rewritten=True)
    assert not is_same_event(b"\xff", log[1][0].encode(), may_be_rewritten=True)
