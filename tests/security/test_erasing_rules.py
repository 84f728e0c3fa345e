"""Whom one may erase, who may, and that an erasure is whole or not at all."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.programs import beside, running_api
from tests.security.audited import AuditedApi, audited_api
from tests.servers import Servers
from tests.waiting import until
from tests.without_http import department_id

NAME, REASON = "Canary Name", "canary reason"


def address() -> str:
    return f"{secrets.token_hex(4)}@example.org"


def department(audited: AuditedApi) -> str:
    name = department_id()
    assert audited.ask("PUT", f"/departments/{name}", json={"name": "Cash window"}).status_code < 300
    return name


def issue(audited: AuditedApi, name: str = "", **who: Any) -> dict[str, Any]:
    """A token in this department, or in a new one: Redis, which the files' databases share, knows older ones."""
    path = f"/departments/{name or department(audited)}/tokens"
    token: dict[str, Any] = audited.ask("POST", path, json={"name": NAME, **who}).json()
    return token


def cancel(audited: AuditedApi, token: dict[str, Any]) -> dict[str, Any]:
    body = {"claimVersion": token["claimVersion"], "reason": REASON}
    answer = audited.ask("POST", f"/tokens/{token['tokenId']}/cancel", json=body)
    assert answer.status_code == 200, answer.text
    cancelled: dict[str, Any] = answer.json()
    return cancelled


def erase(audited: AuditedApi, **body: Any) -> httpx.Response:
    return audited.ask("POST", "/erasures", json=body)


def stored(dsn: str, token_id: int) -> str:
    """The token and its log as text."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT t::text FROM token t WHERE token_id = %s", [token_id]).fetchall()
        rows += connection.execute("SELECT o::text FROM outbox o WHERE token_id = %s", [token_id]).fetchall()
        rows += connection.execute("SELECT body FROM idempotency").fetchall()
    return "\n".join(row for (row,) in rows)


@pytest.mark.parametrize("role", ["staff", "desk", "customer", "board"])
@pytest.mark.parametrize("path", ["/erasures", "/personal-data"])
def test_only_admins_erase_and_look(audited: AuditedApi, role: str, path: str) -> None:
    key = audited.key("board") if role == "board" else audited.session(role, *["CW"][: role != "customer"])[1]
    answer = audited.ask("POST", path, key, json={"email": address()})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert audited.ask("POST", path, "", json={"email": address()}).status_code == 401


@pytest.mark.parametrize("body", [{}, {"userId": 5, "email": "a@example.org"}, {"tokenId": 1, "userId": 5}])
def test_exactly_one_person_is_meant(audited: AuditedApi, body: dict[str, Any]) -> None:
    for path in ("/erasures", "/personal-data"):
        answer = audited.ask("POST", path, json=body)
        assert (answer.status_code, answer.json()["reason"]) == (422, "erasing.not_one_person")


def test_a_live_token_is_served_or_cancelled_first(audited: AuditedApi) -> None:
    """The name of somebody who is about to be called is needed, and nothing of a person is erased by halves."""
    email = address()
    old, live = cancel(audited, issue(audited, email=email)), issue(audited, email=email)
    for body in ({"email": email}, {"email": email, "dryRun": True}, {"tokenId": live["tokenId"]}):
        answer = erase(audited, **body)
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert live["displayNumber"] in answer.json()["detail"]
    assert email in stored(audited.dsn, old["tokenId"])

    cancel(audited, live)
    assert erase(audited, email=email.upper()).json()["tokens"] == 2
    assert email not in stored(audited.dsn, old["tokenId"]) + stored(audited.dsn, live["tokenId"])


def test_the_audit_says_which_numbers_an_address_had(audited: AuditedApi) -> None:
    """They are erased again after a restore, and the address is in no audit."""
    email = address()
    token = cancel(audited, issue(audited, email=email))
    erase(audited, email=email)
    (event, *_) = audited.ask("GET", "/audit", params={"kind": "person.erase"}).json()["items"]
    assert f"id:{token['tokenId']}" in event["detail"]
    assert email not in str(event)


def test_the_function_itself_touches_no_live_token(audited: AuditedApi) -> None:
    """Whoever is let into the API's account of the database cannot use it to make the queue nameless."""
    live = issue(audited, email=address())
    with psycopg.connect(audited.dsn) as connection:
        connection.execute("SELECT erase_personal(%s, '{}', NULL, NULL, NULL)", [[live["tokenId"]]])
    assert NAME in stored(audited.dsn, live["tokenId"])


def test_an_address_of_a_user_is_erased_with_the_user(audited: AuditedApi) -> None:
    email = address()
    user = audited.ask("POST", "/users", json={"name": NAME, "email": email}).json()["userId"]
    walk_in = cancel(audited, issue(audited, email=email))
    answer = erase(audited, email=email)
    assert (answer.status_code, answer.json()["params"]["users"]) == (409, [user])

    assert erase(audited, userId=user).json() | {"entries": 0, "answers": 0} == {
        "tokens": 1,
        "entries": 0,
        "letters": 0,
        "records": 0,
        "answers": 0,
        "accounts": 1,
        "dryRun": False,
    }
    assert email not in stored(audited.dsn, walk_in["tokenId"])
    assert audited.ask("GET", f"/users/{user}").status_code == 404


def test_an_address_that_two_users_share_goes_with_the_last(audited: AuditedApi) -> None:
    email = address()
    users = [audited.ask("POST", "/users", json={"name": NAME, "email": email}).json()["userId"] for _ in range(2)]
    tokens = [cancel(audited, issue(audited, userId=user)) for user in users]
    erase(audited, userId=users[0])
    assert email not in stored(audited.dsn, tokens[0]["tokenId"])
    assert email in stored(audited.dsn, tokens[1]["tokenId"])
    erase(audited, userId=users[1])
    assert email not in stored(audited.dsn, tokens[1]["tokenId"])


def test_an_address_before_its_correction_goes_and_the_other_stays(audited: AuditedApi) -> None:
    """The typing mistake was somebody else's address."""
    wrong, right = address(), address()
    token = issue(audited, email=wrong)
    audited.ask("PATCH", f"/tokens/{token['tokenId']}", json={"email": right})
    assert erase(audited, email=wrong).json()["entries"] == 1
    assert wrong not in stored(audited.dsn, token["tokenId"])
    assert right in stored(audited.dsn, token["tokenId"])
    assert audited.ask("GET", f"/tokens/{token['tokenId']}").json()["name"] == NAME


def test_the_last_admin_is_not_erased(audited: AuditedApi) -> None:
    admin = next(user for user in audited.ask("GET", "/users").json()["items"] if user["role"] == "admin")
    for other in audited.ask("GET", "/users?limit=500").json()["items"]:
        if other["role"] == "admin" and other != admin:
            audited.ask("DELETE", f"/users/{other['userId']}")
    assert erase(audited, userId=admin["userId"]).json()["reason"] == "account.last_admin"
    assert audited.ask("GET", f"/users/{admin['userId']}").status_code == 200


def test_sessions_of_an_erased_user_end(audited: AuditedApi) -> None:
    name, user_id, password = audited.user("customer")
    token = audited.login(name, password).json()["token"]
    assert audited.ask("GET", "/auth/me", token).status_code == 200
    erase(audited, userId=user_id)
    assert audited.ask("GET", "/auth/me", token).status_code == 401


@pytest.mark.parametrize("console", ["", "3f2a"], ids=["command", "screen"])
def test_staff_s_own_notes_go_and_their_user_name_stays_as_who_did_it(audited: AuditedApi, console: str) -> None:
    here = department(audited)
    name, user_id, password = audited.user("staff", here)
    token = audited.login(name, password).json()["token"]
    counter = {"counterId": "77", "departments": [here], "console": console, "takeOver": True}
    assert audited.ask("POST", "/branches/main/counters/open", token, json=counter).status_code == 200
    paused = {"counterId": "77", "reason": REASON, "console": console}
    assert audited.ask("POST", "/branches/main/counters/pause", token, json=paused).status_code == 200
    assert erase(audited, userId=user_id).json()["entries"] == 1
    with psycopg.connect(audited.dsn) as connection:
        texts = connection.execute("SELECT reason FROM counter WHERE counter_id = '77'").fetchall()
        pauses = "SELECT note FROM outbox WHERE event_type = 'COUNTER_PAUSED' AND payload LIKE %s"
        notes = connection.execute(pauses, [f'%"actor":"{name}"%']).fetchall()
    assert (texts, notes) == ([(None,)], [(None,)])


@pytest.mark.parametrize("change", [{"username": "x"}, {"role": "customer"}], ids=["renamed", "no longer staff"])
def test_staff_s_notes_go_under_whatever_name_they_were_written(audited: AuditedApi, change: dict[str, Any]) -> None:
    """The log knows the user name of then; a name that is another's now is left alone."""
    here, counter = department(audited), f"c{secrets.token_hex(3)}"
    name, user_id, password = audited.user("staff", here)
    token = audited.login(name, password).json()["token"]
    opening = {"counterId": counter, "departments": [here]}
    counters = "/branches/main/counters"
    assert audited.ask("POST", f"{counters}/open", token, json=opening).status_code == 200
    reason = {"counterId": counter, "reason": REASON}
    assert audited.ask("POST", f"{counters}/pause", token, json=reason).status_code == 200
    change = {field: f"{value}{name}" if field == "username" else value for field, value in change.items()}
    assert audited.ask("PATCH", f"/users/{user_id}", json=change).status_code == 200
    assert erase(audited, userId=user_id).json()["entries"] == 1
    with psycopg.connect(audited.dsn) as connection:
        pauses = "SELECT note FROM outbox WHERE event_type = 'COUNTER_PAUSED' AND department_id = %s"
        assert connection.execute(pauses, [here]).fetchall() == [(None,)]


@pytest.mark.parametrize("was_claimed", [True, False], ids=["claimed", "unclaimed"])
def test_the_reason_of_a_pause_goes_with_its_author_whoever_holds_the_counter(
    audited: AuditedApi, was_claimed: bool
) -> None:
    """A colleague takes over the paused counter as it is; the reason is still the author's."""
    here, counter = department(audited), f"c{secrets.token_hex(3)}"
    users = [audited.user("staff", here) for _ in range(2)]
    (author, author_id), (colleague, colleague_id) = [
        (audited.login(name, password).json()["token"], user_id) for name, user_id, password in users
    ]
    place = {"counterId": counter}
    opening = {**place, "departments": [here]}
    counters = "/branches/main/counters"

    def ask(action: str, bearer: str, **body: Any) -> None:
        assert audited.ask("POST", f"{counters}/{action}", bearer, json={**opening, **body}).status_code == 200

    ask("open", author if was_claimed else colleague)
    if not was_claimed:
        audited.ask("POST", f"{counters}/leave", colleague, json=place)
    assert audited.ask("POST", f"{counters}/pause", author, json={**place, "reason": REASON}).status_code == 200
    ask("open", colleague, takeOver=True, asItIs=True)
    assert _reasons(audited.dsn, counter) == [(REASON,)]
    erase(audited, userId=author_id)
    assert _reasons(audited.dsn, counter) == [(None,)]

    mine = {**place, "reason": "mine"}
    assert audited.ask("POST", f"{counters}/pause", colleague, json=mine).status_code == 200
    _, other_id, _ = audited.user("staff", here)
    erase(audited, userId=other_id)
    assert _reasons(audited.dsn, counter) == [("mine",)], "of others nothing is lost"
    erase(audited, userId=colleague_id)


def test_the_reason_of_a_pause_from_before_the_upgrade_goes_with_anybody(audited: AuditedApi) -> None:
    """The release before did not store who wrote it."""
    with psycopg.connect(audited.dsn) as connection:
        connection.execute(
            "INSERT INTO counter (branch_id, counter_id, state, reason) VALUES ('main', 'old', 'PAUSED', 'x')"
        )
    _, user_id, _ = audited.user("staff")
    erase(audited, userId=user_id)
    assert _reasons(audited.dsn, "old") == [(None,)]


def _reasons(dsn: str, counter: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT reason FROM counter WHERE counter_id = %s", [counter]).fetchall()


def test_who_comes_back_is_named_anew_and_erased_anew(audited: AuditedApi) -> None:
    """A reinstated token whose name was written again is not taken for erased."""
    token = cancel(audited, issue(audited))
    assert erase(audited, tokenId=token["tokenId"]).json()["tokens"] == 1
    assert erase(audited, tokenId=token["tokenId"]).json()["tokens"] == 0
    body = {"claimVersion": token["claimVersion"]}
    back = audited.ask("POST", f"/tokens/{token['tokenId']}/reinstate", json=body)
    assert (back.status_code, back.json()["name"]) == (200, None)
    edited = audited.ask("PATCH", f"/tokens/{token['tokenId']}", json={"name": NAME}).json()
    cancel(audited, edited)
    assert "t" not in _is_erased(audited.dsn, token["tokenId"])
    assert erase(audited, tokenId=token["tokenId"]).json()["tokens"] == 1
    assert NAME not in stored(audited.dsn, token["tokenId"])


def _is_erased(dsn: str, token_id: int) -> str:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT is_erased::text FROM token WHERE token_id = %s", [token_id]).fetchone()
    return str(row and row[0])[:1]


@pytest.fixture
def dsn(servers: Servers, schema: str) -> Iterator[str]:
    """A database of this test's own."""
    made = servers.new_database(schema)
    yield made
    servers.drop_database(made)


def test_an_api_that_dies_in_between_has_erased_nothing_and_repeating_completes_it(
    servers: Servers, dsn: str, tmp_path: Path
) -> None:
    email, settings = address(), beside(servers, dsn) | {"TOKENQ_ENV": "development"}
    armed = {**settings, "TOKENQ_FAILPOINTS": "erase.before_commit=kill"}
    with running_api(armed, tmp_path) as api:
        audited = AuditedApi(api, dsn)
        name = department(audited)
        user = audited.ask("POST", "/users", json={"name": NAME, "email": email}).json()["userId"]
        token = cancel(audited, issue(audited, name, userId=user))
        with pytest.raises(httpx.HTTPError):
            erase(audited, userId=user)
        assert api.process.wait(15) != 0
    assert email in stored(dsn, token["tokenId"])
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT email FROM app_user WHERE user_id = %s", [user]).fetchall() == [(email,)]
        assert connection.execute("SELECT 1 FROM audit WHERE kind = 'person.erase'").fetchall() == []

    with running_api(settings, tmp_path) as api:
        assert erase(AuditedApi(api, dsn), userId=user).json()["accounts"] == 1
    assert email not in stored(dsn, token["tokenId"])


def test_what_is_old_is_erased_by_housekeeping(servers: Servers, dsn: str, tmp_path: Path) -> None:
    """TOKENQ_KEEP_PERSONAL_DAYS: names, addresses and free text of old final tokens, and old records; not of others."""
    settings = beside(servers, dsn)
    with running_api(settings, tmp_path) as api:
        audited = AuditedApi(api, dsn)
        name = department(audited)
        old, live, new = [issue(audited, name, email=address()) for _ in range(3)]
        cancel(audited, old)
        cancel(audited, new)
    with psycopg.connect(dsn) as connection:
        back = "SET day = day - 31, ended_on = ended_on - 31 WHERE token_id = ANY(%s)"
        connection.execute(f"UPDATE token {back}", [[old["tokenId"], live["tokenId"]]])
        ids = [[old["tokenId"], live["tokenId"]]]
        connection.execute("UPDATE outbox SET at = at - interval '32 days' WHERE token_id = ANY(%s)", ids)
        notes = "UPDATE outbox SET note = %s, at = at - %s WHERE event_type = 'DEPARTMENT_CHANGED'"
        connection.execute(notes, [REASON, timedelta(days=40)])
        record = 'INSERT INTO mail_dlq (reason, error, topic, partition, "offset", raw, at, channel) VALUES'
        connection.execute(
            f"{record} ('unreadable', 'x', 't', 0, 0, %s, now() - interval '40 days', NULL)", [b"Canary"]
        )
        connection.execute("UPDATE outbox SET note = %s WHERE token_id = %s", [REASON, live["tokenId"]])

    with audited_api(servers, dsn, tmp_path / "kept", TOKENQ_KEEP_PERSONAL_DAYS="30") as kept:
        until(lambda: kept.rows(kind="person.erase"))
        until(lambda: NAME not in stored(dsn, old["tokenId"]))
        (row,) = kept.rows(kind="person.erase")
    assert (row["actor"], row["target"], row["detail"]) == ("tokenq", "old data", "older than 30 days")
    assert row["count"] == 4, "a token, its note, the department's, and a record"
    assert "@" not in stored(dsn, old["tokenId"])
    assert all(word in stored(dsn, live["tokenId"]) for word in (NAME, "@example.org", REASON))
    assert NAME in stored(dsn, new["tokenId"])
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT raw, state FROM mail_dlq").fetchall() == [(b"", "dropped")]
        assert connection.execute("SELECT count(*) FROM outbox WHERE note IS NOT NULL").fetchone() == (2,)


def test_a_step_of_housekeeping_that_fails_stops_no_other(servers: Servers, dsn: str, tmp_path: Path) -> None:
    with running_api(beside(servers, dsn), tmp_path) as api:
        audited = AuditedApi(api, dsn)
        old = cancel(audited, issue(audited, email=address()))
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE token SET day = day - 31, ended_on = ended_on - 31")
        connection.execute("ALTER FUNCTION delete_old_audit RENAME TO misplaced")
        connection.execute("ALTER TABLE idempotency RENAME created_at TO misplaced")

    with audited_api(servers, dsn, tmp_path / "kept", TOKENQ_KEEP_PERSONAL_DAYS="30") as kept:
        until(lambda: NAME not in stored(dsn, old["tokenId"]), kept.api.log.read_text)
        steps = [line["step"] for line in kept.log_lines() if "step" in line]
    assert sorted(steps) == ["audit", "old keys"], steps


def test_dead_letters_of_longer_addresses_stay(audited: AuditedApi) -> None:
    """A record of the topic may be anything; an address is found in it as it is, not within another one."""
    who = f"a+b.{address()}"
    cancel(audited, issue(audited, email=who))
    records = {
        f'{{"email":"{who.upper()}"}}': True,
        f"to {who}.": True,
        f"mailto:{who}, and \xe4\0\\": True,
        f'{{"email": "x{who}"}}': False,
        f"to {who}.au": False,
        f"to {who}-office": False,
        f"to first.{who}": False,
        f"to {who.replace('.', 'x')}": False,
    }
    with psycopg.connect(audited.dsn) as connection:
        connection.execute("DELETE FROM mail_dlq")
        insert = 'INSERT INTO mail_dlq (reason, error, topic, partition, "offset", raw) VALUES (%s, %s, %s, 0, %s, %s)'
        for offset, text in enumerate(records):
            connection.execute(insert, ["unreadable", "x", "t", offset, text.encode("latin-1")])
    assert erase(audited, email=who).json()["records"] == 3
    with psycopg.connect(audited.dsn) as connection:
        left = connection.execute('SELECT length(raw) > 0, state FROM mail_dlq ORDER BY "offset"').fetchall()
    assert left == [(False, "dropped") if goes else (True, "open") for goes in records.values()]


def test_nothing_is_erased_by_default(audited: AuditedApi) -> None:
    token = cancel(audited, issue(audited))
    with psycopg.connect(audited.dsn) as connection:
        back = "UPDATE token SET day = day - 4000, ended_on = ended_on - 4000 WHERE token_id = %s"
        connection.execute(back, [token["tokenId"]])
    assert audited.rows(kind="person.erase", target="old data") == []
    assert NAME in stored(audited.dsn, token["tokenId"])
