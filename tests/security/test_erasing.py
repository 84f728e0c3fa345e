"""Row 65 and L13: of an erased person nothing is left in any store of tokenq; numbers, times and proofs stay.

A canary goes through every verb of the complete system, where the API may only append to the log.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer
from redis import Redis

from tests.cli.conftest import Cli
from tests.integration.test_free_text import NAME, REASON, all_verbs
from tests.stack import Stack, start, up_folder
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.events import TOPIC

ADDRESS, OLD_ADDRESS = "canary.person@example.org", "canary.before@example.org"
CANARIES = (NAME, REASON, ADDRESS, OLD_ADDRESS)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A system of this file's own that sends two e-mails an hour to an address."""
    with up_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENQ_LIMIT_LETTERS", "2")
        yield start(folder)


@dataclass(frozen=True)
class Seeded:
    """What was made of the person: a user, and two departments."""

    user_id: int
    departments: tuple[str, str]


def ask(stack: Stack, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
    status, answer = stack.ask(method, f"/api/v1{path}", body, key)
    assert status < 300, answer
    return answer


def seed(stack: Stack) -> Seeded:
    here, there = department_id(), department_id()
    for name in (here, there):
        ask(stack, "PUT", f"/departments/{name}", {"name": "Cash window", "letters": ["issued", "called", "served"]})
    user = {"name": NAME, "username": f"u{secrets.token_hex(4)}", "email": ADDRESS, "role": "customer"}
    user_id = ask(stack, "POST", "/users", {**user, "password": secrets.token_hex(8)})["userId"]
    visits = all_verbs(stack, here, there, user_id)
    visits[1].do("cancel", reason=REASON)
    body = {"name": NAME, "email": OLD_ADDRESS}
    walk_in = ask(stack, "POST", f"/departments/{here}/tokens", body, secrets.token_hex(8))
    group = [{"name": NAME, "email": ADDRESS}] * 3 + [{"name": NAME}]
    ask(stack, "POST", f"/departments/{here}/tokens:batch", {"tokens": group, "allOrNone": True}, secrets.token_hex(8))
    until(
        lambda: letters(stack).keys() >= {"dead", "sent"} and "due" not in letters(stack), lambda: str(letters(stack))
    )
    path = f"/tokens/{walk_in['tokenId']}"
    ask(stack, "PATCH", path, {"email": ADDRESS}, secrets.token_hex(8))
    body = {"claimVersion": walk_in["claimVersion"], "reason": REASON}
    ask(stack, "POST", f"{path}/cancel", body, secrets.token_hex(8))
    return Seeded(user_id, (here, there))


def letters(stack: Stack) -> dict[str, int]:
    """How many letters are in which state."""
    with psycopg.connect(stack.endpoints.postgres) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM mail_job GROUP BY state").fetchall())


def dump(stack: Stack) -> dict[str, str]:
    """Everything that is stored, by place."""
    places: dict[str, str] = {}
    with psycopg.connect(stack.endpoints.postgres) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = connection.execute(f'SELECT t::text FROM "{name}" AS t').fetchall()
            places[name] = "\n".join(row for (row,) in rows)
        raw = connection.execute("SELECT encode(raw, 'escape') FROM mail_dlq WHERE raw IS NOT NULL").fetchall()
        places["mail_dlq.raw"] = "\n".join(text for (text,) in raw)
    places["redis"] = "\n".join(_redis(stack))
    for log in (stack.data_dir / "log").glob("*.log"):
        places[log.name] = log.read_text(errors="replace")
    return places


def _redis(stack: Stack) -> Iterator[str]:
    readers = {"string": "get", "hash": "hgetall", "zset": "zscan", "set": "smembers"}
    with Redis.from_url(stack.endpoints.redis, decode_responses=True) as redis:
        for key in redis.scan_iter():
            kind = redis.type(key)
            more = (0,) if kind == "zset" else ()
            value = redis.lrange(key, 0, -1) if kind == "list" else getattr(redis, readers[kind])(key, *more)
            yield f"{key} {value}"


def hits(stack: Stack) -> dict[str, list[str]]:
    """Where which canary is."""
    found = {place: [word for word in CANARIES if word in text] for place, text in dump(stack).items()}
    return {place: words for place, words in found.items() if words}


def finish(stack: Stack, departments: tuple[str, str]) -> None:
    """Cancel whoever still waits there."""
    for name in departments:
        for token in ask(stack, "GET", f"/departments/{name}/queue")["waiting"]:
            ask(stack, "POST", f"/tokens/{token['tokenId']}/cancel", {"claimVersion": token["claimVersion"]})


def reports(stack: Stack, departments: tuple[str, str]) -> list[Any]:
    return [ask(stack, "GET", f"/departments/{name}/report") for name in departments]


@pytest.fixture(scope="module")
def seeded(stack: Stack) -> Seeded:
    """The person, with letters sent, dead and queued, answers remembered, and a record that cannot be read."""
    person = seed(stack)
    finish(stack, person.departments)
    producer = Producer({"bootstrap.servers": stack.endpoints.kafka})
    producer.produce(TOPIC, json.dumps({"email": ADDRESS, "name": NAME}).encode(), person.departments[0].encode())
    assert producer.flush(30) == 0
    until(lambda: ADDRESS in dump(stack)["mail_dlq.raw"])
    with psycopg.connect(stack.endpoints.postgres) as connection:
        later = "state = 'due', due_at = now() + interval '1 hour', last_error = 'no such user: ' || recipient"
        connection.execute(f"UPDATE mail_job SET {later} WHERE state = 'sent' AND kind = 'issued'")
    return person


def run(stack: Stack, cli: Cli, *typed: str) -> tuple[int, str]:
    done = cli(*typed, **stack.environment)
    return done.code, done.out + done.err


def verified(stack: Stack, cli: Cli) -> None:
    code, said = run(stack, cli, "verify")
    assert code == 0, said


def test_nothing_of_an_erased_person_is_left_in_any_store(stack: Stack, seeded: Seeded, cli: Cli) -> None:
    """Row 65. The topic and the e-mails that were written to files keep what they have; the command says so."""
    before = hits(stack)
    assert {"token", "outbox", "mail_job", "app_user", "idempotency", "mail_dlq.raw", "counter"} <= before.keys()
    assert "redis" not in before
    counted = reports(stack, seeded.departments)
    verified(stack, cli)
    export = json.loads(run(stack, cli, "erase", "--user", str(seeded.user_id), "--show", "--json")[1])
    assert export["account"]["name"] == NAME
    assert {token["email"] for token in export["tokens"]} == {ADDRESS}
    assert REASON in json.dumps(export["events"])
    assert {ADDRESS, OLD_ADDRESS} == {letter["recipient"] for letter in export["letters"]}

    code, said = run(stack, cli, "erase", "--user", str(seeded.user_id), "--yes")
    assert code == 0, said
    assert "Kafka keeps its records" in said
    assert run(stack, cli, "erase", "--email", OLD_ADDRESS, "--yes")[0] == 0
    with psycopg.connect(stack.endpoints.postgres) as connection:
        rest = connection.execute("SELECT token_id FROM token WHERE name IS NOT NULL").fetchall()
    for (token_id,) in rest:  # those of whom only the name was known
        assert run(stack, cli, "erase", "--token", f"id:{token_id}", "--yes")[0] == 0

    found = hits(stack)
    # What staff wrote about their counter is theirs, and the counter is still paused for it.
    assert found.pop("counter", None) == [REASON]
    with psycopg.connect(stack.endpoints.postgres) as connection:
        notes = connection.execute("SELECT event_type FROM outbox WHERE note IS NOT NULL").fetchall()
    assert {kind for (kind,) in notes} == {"COUNTER_PAUSED"}
    assert found.pop("outbox", None) == [REASON]
    assert found == {}
    verified(stack, cli)
    assert reports(stack, seeded.departments) == counted
    assert letters(stack).get("due", 0) == letters(stack).get("sending", 0) == 0

    code, said = run(stack, cli, "erase", "--user", str(seeded.user_id), "--yes")
    assert (code, f"Nothing is stored about user {seeded.user_id}." in said) == (0, True)
    code, said = run(stack, cli, "audit", "--kind", "person.erase", "--json")
    assert all(word not in said for word in CANARIES)


def test_verify_forgives_nothing_but_what_was_erased(stack: Stack, seeded: Seeded, cli: Cli) -> None:
    """Only erased entries are marked, and all the rest of their records is still compared."""
    with psycopg.connect(stack.endpoints.postgres) as connection:
        (erased, all_) = connection.execute("SELECT count(*) FILTER (WHERE is_erased), count(*) FROM outbox").fetchone()
    assert 0 < erased < all_
    with psycopg.connect(stack.endpoints.postgres) as connection:
        changed = 'UPDATE outbox SET payload = replace(payload, \'"priority":"normal"\', \'"priority":"urgent"\')'
        connection.execute(f"{changed} WHERE is_erased AND event_type = 'TOKEN_GENERATED'")
    code, said = run(stack, cli, "verify")
    assert code == 1
    assert "differs from log entry" in said


@pytest.mark.usefixtures("seeded")
def test_files_of_sent_letters_are_the_mail_server_s(stack: Stack) -> None:
    assert any(ADDRESS in Path(letter).read_text() for letter in (stack.data_dir / "mail").iterdir())
