"""The client against a server that misbehaves in every way a network can."""

import select
import socket
import threading
from contextlib import ExitStack

import pytest

from tests.http_fake import TOKEN, fake_server, hangs_up, says
from tokenq.client import Client
from tokenq.client.transport import MAX_REPLY_BYTES
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import BadReply, BadSettings, OlderServer, Unreachable


@pytest.fixture
def connect():
    """Makes clients that are closed when the test is over."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(Client(*arguments, **options))


def test_a_lost_answer_is_asked_for_again_with_the_same_key(connect):
    """Otherwise one visitor gets two numbers."""
    with fake_server(hangs_up, hangs_up, says(201, TOKEN)) as fake:
        token = connect(fake.url).issue("CW", name="Ann")
    assert token["displayNumber"] == "CW-012"
    keys = [asked.headers["idempotency-key"] for asked in fake.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert all(asked.body == {"name": "Ann"} for asked in fake.asked)


def test_two_calls_have_two_keys(connect):
    with fake_server(says(201, TOKEN)) as fake:
        client = connect(fake.url)
        client.issue("CW")
        client.issue("CW")
    first, second = (asked.headers["idempotency-key"] for asked in fake.asked)
    assert first != second


def test_a_given_key_is_the_one_sent(connect):
    with fake_server(says(201, TOKEN)) as fake:
        connect(fake.url).issue("CW", key="kiosk-1-77")
    assert fake.asked[0].headers["idempotency-key"] == "kiosk-1-77"


def test_a_busy_server_is_asked_again_after_the_time_it_names(connect):
    with fake_server(says(503, {"code": "overloaded"}, Retry_After="0"), says(201, TOKEN)) as fake:
        assert connect(fake.url).issue("CW")["tokenId"] == 101
    assert len({asked.headers["idempotency-key"] for asked in fake.asked}) == 1


def test_a_server_that_stays_busy_is_reported_and_not_asked_for_ever(connect):
    busy = says(503, {"code": "overloaded", "detail": "Too much."}, Retry_After="0")
    with fake_server(busy) as fake, pytest.raises(Refused) as caught:
        connect(fake.url, attempts=3).issue("CW")
    assert caught.value.problem.code is ProblemCode.OVERLOADED
    assert len(fake.asked) == 3


def test_a_post_without_a_key_is_never_repeated_once_it_was_sent(connect):
    """A second 'create user' could do what nobody asked for."""
    with fake_server(hangs_up) as fake, pytest.raises(Unreachable) as caught:
        connect(fake.url).create_user({"name": "Ann"})
    assert len(fake.asked) == 1
    assert "check before you retry" in caught.value.hint


def test_a_connection_that_the_server_closed_while_idle_costs_nothing(connect):
    """The next call opens a new one at once, even a call that must not be repeated."""

    def answers_and_closes_without_a_word(asked):
        asked.answer(200, {"items": [], "nextCursor": None})
        asked.hang_up()

    with fake_server(answers_and_closes_without_a_word, says(201, {"userId": 1})) as fake:
        client = connect(fake.url)
        client.users()
        select.select([client._transport._connection.sock], [], [], 10)  # its end has arrived
        assert client.create_user({"name": "Ann"}) == {"userId": 1}


def test_the_connection_is_kept_and_a_clone_has_its_own(connect):
    with fake_server(says(200, TOKEN)) as fake:
        client = connect(fake.url, "tq_secret")
        client.token(1)
        client.token(1)
        clone = client.clone()
        clone.token(1)
        client.close()
        clone.close()
    first, second, third = (asked.connection for asked in fake.asked)
    assert first == second != third
    assert fake.asked[2].headers["authorization"] == "Bearer tq_secret"


def test_a_redirect_is_not_followed(connect):
    """The bearer token would go to whoever the redirect names."""
    with (
        fake_server(says(200, TOKEN)) as other,
        fake_server(says(307, None, Location=other.url)) as fake,
        pytest.raises(BadReply, match=other.url),
    ):
        connect(fake.url, "tq_secret").token(1)
    assert other.asked == []


def test_an_answer_without_end_is_cut_off(connect):
    with fake_server(says(200, b"x" * (MAX_REPLY_BYTES + 1))) as fake, pytest.raises(BadReply, match="larger"):
        connect(fake.url).token(1)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"", b"\xff", b"[" * 100_000])
def test_an_answer_of_another_kind_of_server_is_named_as_such(connect, body):
    with fake_server(says(200, body)) as fake, pytest.raises(BadReply):
        connect(fake.url).token(1)


def test_a_page_not_found_of_another_server_is_not_taken_for_a_refusal(connect):
    with fake_server(says(404, b"<h1>Not Found</h1>")) as fake, pytest.raises(BadReply, match="404"):
        connect(fake.url).token(1)


def test_something_that_speaks_no_http_is_named_as_such(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example.org ready\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(BadReply, match="does not speak HTTP"):
            connect(f"http://127.0.0.1:{listener.getsockname()[1]}").token(1)
        thread.join()


def test_a_refusal_arrives_with_code_sentence_hint_and_particulars(connect):
    body = {"code": "department_closed", "detail": "CW is closed.", "hint": "Open it.", "departmentId": "CW"}
    with fake_server(says(409, body)) as fake, pytest.raises(Refused) as caught:
        connect(fake.url).issue("CW")
    problem = caught.value.problem
    assert (problem.code, problem.detail, problem.hint) == ("department_closed", "CW is closed.", "Open it.")
    assert problem.extra == {"departmentId": "CW"}
    assert len(fake.asked) == 1


def test_a_silent_server_is_unreachable_after_the_timeout(connect):
    with fake_server(says(200)) as fake:
        fake.steps = [fake.is_silent]
        with pytest.raises(Unreachable, match=r"did not answer within 0\.2 seconds"):
            connect(fake.url, timeout=0.2, attempts=1).token(1)


def test_a_call_that_may_take_longer_says_how_long_it_waited(connect):
    with fake_server(says(200)) as fake:
        fake.steps = [fake.is_silent]
        with pytest.raises(Unreachable, match=r"did not answer within 0\.4 seconds"):
            connect(fake.url, timeout=0.2, attempts=1)._call("GET", "/reports", timeout=0.4)


def test_the_timeout_is_for_all_attempts_together(connect):
    """Who is told of ten seconds must not wait for twenty."""
    with fake_server(says(200)) as fake:
        fake.steps = [fake.is_silent] * 3
        with pytest.raises(Unreachable, match="did not answer"):
            connect(fake.url, timeout=0.2, attempts=3).token(1)
        assert len(fake.asked) == 1


def test_nobody_listening_is_unreachable_and_says_why(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="Connection refused"):
        connect(f"http://127.0.0.1:{port}", attempts=2).issue("CW")


def test_plain_http_to_another_machine_is_refused(connect):
    with pytest.raises(BadSettings, match=r"Plain http to queue\.example\.org"):
        connect("http://queue.example.org", "tq_secret")
    connect("http://queue.example.org", "tq_secret", insecure=True)
    for loopback in ("http://127.0.0.1:1", "http://127.8.8.8", "http://localhost:1", "http://[::1]:1"):
        connect(loopback)


@pytest.mark.parametrize(
    "url", ["", "queue", "ftp://x", "http://", "http://u:p@h", "http://127.0.0.1:x", "https://h?q"]
)
def test_an_address_that_is_none_is_a_clear_sentence(connect, url):
    with pytest.raises(BadSettings, match="not the address of a server"):
        connect(url)


def test_127_in_a_name_is_not_loopback(connect):
    with pytest.raises(BadSettings):
        connect("http://127.evil.example.org")


def test_a_name_cannot_climb_out_of_its_place_in_the_path(connect):
    with fake_server(says(200, {})) as fake:
        connect(fake.url).department("../users?x=1#y")
    assert fake.asked[0].path == "/api/v1/departments/..%2Fusers%3Fx%3D1%23y"


def test_all_pages_of_a_list_are_read(connect):
    with fake_server(
        says(200, {"items": [1, 2], "nextCursor": "c2"}), says(200, {"items": [3], "nextCursor": None})
    ) as fake:
        assert connect(fake.url).users() == [1, 2, 3]
    assert fake.asked[1].path.endswith("?cursor=c2")


def test_a_move_carries_the_claim_version_its_caller_saw(connect):
    with fake_server(says(200, TOKEN)) as fake:
        connect(fake.url).move(TOKEN, "requeue", position="first")
    assert fake.asked[0].path == "/api/v1/tokens/101/requeue"
    assert fake.asked[0].body == {"claimVersion": 3, "position": "first"}


@pytest.mark.parametrize(("reference", "asked"), [("CW-012", "CW-012"), ("cw12", "CW12"), (" cw-12 ", "CW-12")])
def test_a_token_is_found_by_its_number(connect, reference, asked):
    with fake_server(says(200, {"items": [TOKEN], "nextCursor": None})) as fake:
        assert connect(fake.url).find_token(reference)["tokenId"] == 101
    assert fake.asked[0].path == f"/api/v1/tokens?displayNumber={asked}"


def test_a_server_of_the_release_before_is_asked_for_the_number_as_it_is_printed(connect):
    nothing, one = {"items": [], "nextCursor": None}, {"items": [TOKEN], "nextCursor": None}
    with fake_server(says(200, nothing), says(200, one), says(200, nothing)) as fake:
        assert connect(fake.url).find_token("cw12")["tokenId"] == 101
    assert [asked.path.rpartition("=")[2] for asked in fake.asked] == ["CW12", "CW-012", "CW1-002"]


@pytest.mark.parametrize("reference", ["id:101", " ID: 101"])
def test_a_token_is_found_by_its_id(connect, reference):
    with fake_server(says(200, TOKEN)) as fake:
        connect(fake.url).find_token(reference)
    assert fake.asked[0].path == "/api/v1/tokens/101"


def test_bare_digits_are_a_printed_number_and_never_an_id(connect):
    with fake_server(says(200, {"items": [], "nextCursor": None})) as fake, pytest.raises(Refused) as caught:
        connect(fake.url).find_token("062")
    assert [asked.path for asked in fake.asked] == ["/api/v1/tokens?displayNumber=062"] + [
        f"/api/v1/tokens?displayNumber={number}" for number in ("0-062", "06-002")
    ]
    assert caught.value.problem.code == "unknown_token"
    assert "id:62" in caught.value.problem.hint


def test_a_number_that_may_mean_two_is_refused_with_both(connect):
    twin = {**TOKEN, "tokenId": 102, "departmentId": "CX", "state": "SERVED"}
    both = says(200, {"items": [TOKEN, twin], "nextCursor": None})
    with fake_server(both) as fake, pytest.raises(Refused) as caught:
        connect(fake.url).find_token("CW-012")
    problem = caught.value.problem
    assert problem.code == "ambiguous"
    assert "CW-012 (CW, WAITING), CW-012 (CX, SERVED)" in problem.detail
    assert "id:101 for CW-012 in CW, id:102 for CW-012 in CX" in problem.hint


@pytest.mark.parametrize(("reference", "code"), [("CW-099", "unknown_token"), ("what?", "invalid"), ("", "invalid")])
def test_a_token_that_is_not_there_is_a_refusal(connect, reference, code):
    with fake_server(says(200, {"items": [], "nextCursor": None})) as fake, pytest.raises(Refused) as caught:
        connect(fake.url).find_token(reference)
    assert caught.value.problem.code == code


@pytest.mark.parametrize("status_and_code", [(404, "not_found"), (405, "method_not_allowed")])
def test_a_server_without_this_operation_is_older(connect, status_and_code):
    """ "Nothing exists at this address" would read as an answer about the address that is to be erased."""
    status, code = status_and_code
    with fake_server(says(status, {"code": code, "detail": "Nothing exists at this address."})) as fake:
        with pytest.raises(OlderServer, match="older release") as caught:
            connect(fake.url).erase({"email": "ada@example.com"})
        assert fake.url in str(caught.value)
        assert "Update the server" in caught.value.hint


@pytest.mark.parametrize(
    ("more", "is_older"),
    [({}, True), ({"reason": "field.unknown"}, True), ({"reason": "field.no_choice"}, False)],
    ids=["without a reason", "an unknown field", "a wrong value"],
)
def test_a_field_that_an_older_server_refuses_may_be_right(connect, more, is_older):
    body = {"code": "invalid", "detail": "position is not known here.", "hint": "Correct it.", "field": "position"}
    with fake_server(says(422, body | more)) as fake, pytest.raises(Refused) as caught:
        connect(fake.url).issue("CW")
    assert ("update the server" in caught.value.problem.hint) is is_older
