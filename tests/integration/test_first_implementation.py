"""The defects of the first implementation, S1 to S16, as regression tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id

Ask = Callable[..., Any]


@pytest.fixture
def department(running: Stack) -> str:
    name = department_id()
    running.ask("PUT", f"/api/v1/departments/{name}", {"name": "Cash window"})
    return name


@pytest.fixture
def issue(running: Stack, department: str) -> Ask:
    def ask(**body: Any) -> Any:
        return running.ask("POST", f"/api/v1/departments/{department}/tokens", body)[1]

    return ask


@pytest.fixture
def serve(running: Stack, department: str) -> Ask:
    def ask(counter: str = department) -> Any:  # counters belong to the branch: use one for this test
        return running.ask("POST", f"/api/v1/departments/{department}/serve", {"counterId": counter})[1]

    return ask


def customer(stack: Stack, name: str = "Ada") -> int:
    user_id: int = stack.ask("POST", "/api/v1/users", {"name": name, "email": "ada@example.com"})[1]["userId"]
    return user_id


def records_of(stack: Stack, department: str, count: int) -> list[dict[str, Any]]:
    """The first records about the department's tokens in the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": stack.endpoints.kafka,
            "group.id": f"test-{department}",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
        }
    )
    partitions = consumer.list_topics("token-events", timeout=10).topics["token-events"].partitions
    consumer.assign([TopicPartition("token-events", number, OFFSET_BEGINNING) for number in partitions])
    found: dict[int, dict[str, Any]] = {}

    def poll() -> bool:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None and message.key() == department.encode():
            record = json.loads(message.value() or b"")
            if record["tokenId"]:
                found[record["seq"]] = record
        return len(found) >= count

    try:
        until(poll, seconds=30)
    finally:
        consumer.close()
    return [found[seq] for seq in sorted(found)]


def test_s1_first_come_first_served(issue: Ask, serve: Ask) -> None:
    """It pushed and popped at the same end: the last to come was served first, the first waited forever."""
    issued = [issue()["tokenId"] for _ in range(3)]

    assert [serve()["tokenId"] for _ in range(3)] == issued


def test_s2_the_served_event_carries_everything(running: Stack, department: str, issue: Ask, serve: Ask) -> None:
    """Its TOKEN_SERVED had two fields; board and mail failed on it, silently."""
    token = issue(email="ada@example.com")
    serve(f"7-{department}")
    served = records_of(running, department, 3)[-1]

    assert served["eventType"] == "TOKEN_SERVED"
    assert (served["tokenId"], served["tokenNo"]) == (token["tokenId"], 1)
    assert (served["departmentId"], served["email"], served["counterId"]) == (
        department,
        "ada@example.com",
        f"7-{department}",
    )


def test_s2_the_second_e_mail_is_sent(running: Stack, department: str, issue: Ask, serve: Ask) -> None:
    """The README promised an e-mail on serving; none ever came."""
    outbox = Path(running.endpoints.mail_outbox)
    issue(email="ada@example.com")
    until(lambda: len(list(outbox.glob(f"{department}-*-issued.eml"))) == 1, seconds=40)
    serve()

    until(lambda: len(list(outbox.glob(f"{department}-*-served.eml"))) == 1, seconds=40)


def test_s3_no_response_contains_a_password(running: Stack) -> None:
    """It returned the user's password in clear text, to anyone."""
    body = {"name": "Ada", "username": department_id().lower(), "password": "correct horse"}
    answer = running.ask("POST", "/api/v1/users", body)[1]

    assert "password" not in json.dumps(answer).lower()
    assert "correct horse" not in json.dumps(running.ask("GET", "/api/v1/users?limit=500"))


def test_s4_a_customer_may_come_again(running: Stack, issue: Ask, serve: Ask) -> None:
    """Once served, a user always got the old token back."""
    user_id = customer(running)
    first = issue(userId=user_id)
    serve()
    second = issue(userId=user_id)

    assert second["tokenId"] != first["tokenId"]
    assert (second["tokenNo"], second["state"]) == (2, "WAITING")


def test_s5_one_customer_in_two_departments(running: Stack, issue: Ask) -> None:
    """Two tokens of one user made every later request fail."""
    user_id, other = customer(running), department_id()
    running.ask("PUT", f"/api/v1/departments/{other}", {"name": "Other"})

    assert issue(userId=user_id)["state"] == "WAITING"
    assert running.ask("POST", f"/api/v1/departments/{other}/tokens", {"userId": user_id})[0] == 201
    assert issue(userId=user_id)["code"] == "already_waiting"


def test_s6_a_refused_token_leaves_nothing_anywhere(running: Stack, department: str, issue: Ask) -> None:
    """It updated Kafka and Redis before the database committed."""
    issue()
    assert issue(userId=999_999)["code"] == "unknown_user"
    issue()
    queue = running.ask("GET", f"/api/v1/departments/{department}/queue")[1]

    assert [token["tokenNo"] for token in queue["waiting"]] == [1, 2]
    # The log's first entry is about the department itself.
    assert [record["seq"] for record in records_of(running, department, 2)] == [2, 3]


def test_s7_serving_an_empty_queue_loses_no_one(issue: Ask, serve: Ask) -> None:
    """It popped first and asked later."""
    assert serve()["code"] == "queue_empty"
    token = issue()

    assert serve()["tokenId"] == token["tokenId"]


def test_s10_an_e_mail_comes_from_the_configured_sender_once(running: Stack, department: str, issue: Ask) -> None:
    """Any failure lost the e-mail, any redelivery duplicated it, the sender was hard-coded."""
    issue(email="ada@example.com")
    outbox = Path(running.endpoints.mail_outbox)
    until(lambda: bool(list(outbox.glob(f"{department}-*.eml"))), seconds=40)
    (letter,) = outbox.glob(f"{department}-*.eml")

    assert f"Message-ID: <{department}.2.issued@" in letter.read_text()


def test_s11_called_and_served_are_two_things(running: Stack, department: str, issue: Ask) -> None:
    """There was no 'called', no counter, no operator."""
    issue()
    called = running.ask("POST", f"/api/v1/departments/{department}/call", {"counterId": f"4-{department}"})[1]
    history = running.ask("GET", f"/api/v1/tokens/{called['tokenId']}/events")[1]["items"]

    assert (called["state"], called["counterId"]) == ("CALLED", f"4-{department}")
    assert history[-1]["data"]["reason"]
    assert history[-1]["actor"]


def test_s12_reading_issues_no_number(running: Stack, department: str) -> None:
    """GET issued tokens."""
    path = f"/api/v1/departments/{department}"
    before = running.ask("GET", f"{path}/queue")[1]
    assert running.ask("GET", f"{path}/tokens")[0] == 405
    after = running.ask("GET", f"{path}/queue")[1]
    assert (after["seq"], after["waiting"]) == (before["seq"], [])


def test_s13_numbers_are_formatted_per_department(issue: Ask, department: str) -> None:
    """Bare integers; keys of two spellings; duplicates after Redis was lost (see test_core)."""
    assert issue()["displayNumber"] == f"{department}-001"


def test_s14_one_spelling_on_the_wire_and_both_for_old_readers(running: Stack, department: str, issue: Ask) -> None:
    """Three spellings of the event's type, no id, no sequence, no version."""
    issue()
    (record,) = records_of(running, department, 1)

    assert record["event"] == record["eventType"] == "TOKEN_GENERATED"
    assert {"eventId", "seq", "schemaVersion", "timestamp", "businessDay"} <= set(record)


def test_s15_an_unknown_department_is_refused(running: Stack) -> None:
    """Any id was accepted."""
    status, problem = running.ask("POST", "/api/v1/departments/NOSUCH/serve", {"counterId": "1"})

    assert (status, problem["code"]) == (404, "unknown_department")


def test_s16_quotes_in_a_name_stay_quotes(running: Stack, department: str, issue: Ask) -> None:
    """JSON was concatenated by hand, 'not found' was a 500, creating silently overwrote."""
    token = issue(name='Zoë "the {quote}" O\'Hara \\ 張')
    shown = running.ask("GET", f"/api/v1/tokens/{token['tokenId']}")[1]

    assert shown["name"] == 'Zoë "the {quote}" O\'Hara \\ 張'
    assert running.ask("POST", "/api/v1/departments", {"departmentId": department, "name": "X"})[1]["code"] == "exists"
