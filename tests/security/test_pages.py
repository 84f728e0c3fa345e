"""Pages for browsers: what a key, a link or nothing opens, and what it does not."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tokenq_server.adapters.ticket_links import AesTicketLinks

PAGES = ("/board", "/pages/board.js", "/pages/phone.css", "/t/x", "/take/main")


@dataclass(frozen=True)
class Lobby:
    """An API, whose department CW gives numbers to visitors and HR does not."""

    api: Api
    client: httpx.Client
    database: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as admin, which must succeed."""
        headers = {"Authorization": f"Bearer {self.api.token}"}
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def key(self, role: str) -> str:
        """A new key."""
        return str(self.ask("POST", "/keys", {"label": secrets.token_hex(4), "role": role})["key"])

    def token(self) -> tuple[Any, str]:
        """A new token of CW and the secret of its ticket."""
        token = self.ask("POST", "/departments/CW/tokens", {})
        return token, self.ask("GET", f"/tokens/{token['tokenId']}/ticket")["url"].rpartition("/")[2]

    def sql(self, statement: str) -> None:
        """Change the database behind the API's back."""
        with psycopg.connect(self.database) as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def lobby(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lobby]:
    servers.empty_redis()
    database = servers.new_database()
    settings = beside(servers, database) | {
        "TOKENQ_MIGRATE": "1",
        "TOKENQ_TRUSTED_PROXIES": "127.0.0.1",
        "TOKENQ_LIMIT_VISITOR_ISSUES": "5",
        "TOKENQ_LIMIT_PUBLIC_REQUESTS": "60",
    }
    with (
        running_api(settings, tmp_path_factory.mktemp("api")) as api,
        httpx.Client(base_url=api.url, timeout=20) as client,
    ):
        made = Lobby(api, client, database)
        made.ask("PUT", "/branches/main", {"name": "Town hall", "publicUrl": "https://queue.example.org"})
        for name, takes in (("CW", "on"), ("HR", "off")):
            made.ask("POST", "/departments", {"departmentId": name, "name": name, "selfService": takes})
        yield made


@pytest.fixture(autouse=True)
def _other_address(lobby: Lobby) -> None:
    """Limits are counted by the address of the requests: each test has one of its own."""
    address = ".".join(["10", *(str(secrets.randbelow(250)) for _ in range(3))])
    lobby.client.headers["X-Forwarded-For"] = address


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_of_others_and_is_framed_by_nobody(lobby: Lobby, path: str) -> None:
    answer = lobby.client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["board.html", "..%2fapp.py", "../files.py", "nothing.js", "board.js%00"])
def test_no_other_file_is_served(lobby: Lobby, name: str) -> None:
    assert lobby.client.get(f"/pages/{name}").status_code == 404


@pytest.mark.parametrize("role", ["admin", "staff", "desk", "customer"])
def test_only_the_key_of_a_board_becomes_a_cookie(lobby: Lobby, role: str) -> None:
    """A cookie is sent by itself: with an admin's key in it, any page of this server could use it."""
    answer = lobby.client.post("/board/session", headers={"Authorization": f"Bearer {lobby.key(role)}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "set-cookie" not in answer.headers
    refused = lobby.client.get("/board/session", headers={"Cookie": f"tokenq_board={lobby.key(role)}"})
    assert refused.status_code == 403


def test_the_cookie_opens_nothing_but_the_board(lobby: Lobby) -> None:
    key = lobby.key("board")
    answer = lobby.client.post("/board/session", headers={"Authorization": f"Bearer {key}"})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"httponly", "path=/board", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    headers = {"Cookie": f"tokenq_board={key}"}
    assert lobby.client.get("/board/session", headers=headers).status_code == 204
    assert lobby.client.get("/api/v1/branches/main/board", headers=headers).status_code == 401


def test_no_key_is_in_the_log(lobby: Lobby) -> None:
    key = lobby.key("board")
    lobby.client.post("/board/session", headers={"Authorization": f"Bearer {key}"})
    lobby.client.get("/board/session", headers={"Cookie": f"tokenq_board={key}"})
    _, secret = lobby.token()
    lobby.client.get(f"/t/{secret}/state")
    log = lobby.api.log.read_text()
    assert key not in log
    assert secret not in log


def test_a_link_shows_one_number_and_no_person(lobby: Lobby) -> None:
    token, secret = lobby.token()
    shown = lobby.client.get(f"/t/{secret}/state").json()
    assert (shown["number"], shown["state"]) == (token["displayNumber"], "WAITING")
    assert not {"tokenId", "name", "email", "userId"} & set(shown)


def test_links_are_not_guessed_and_guessing_is_limited(lobby: Lobby) -> None:
    _, secret = lobby.token()
    wrong = [secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret[1:] + secret[0], "A" * 22, "1", "-" * 22]
    for guess in wrong:
        assert lobby.client.get(f"/t/{guess}/state").status_code == 404
    found = {lobby.client.get(f"/t/{secrets.token_urlsafe(16)}/state").status_code for _ in range(70)}
    assert found == {404, 429}
    assert lobby.client.get(f"/t/{secret}/state").status_code == 200, "who has a link is not limited by who guesses"


def test_whose_link_it_is_leaves_and_nobody_else_is_moved(lobby: Lobby) -> None:
    (mine, secret), (other, _) = lobby.token(), lobby.token()
    assert lobby.client.post(f"/t/{secret}/leave").json()["state"] == "CANCELLED"
    assert lobby.client.post(f"/t/{secret}/leave").json()["state"] == "CANCELLED"
    assert lobby.ask("GET", f"/tokens/{other['tokenId']}")["state"] == "WAITING"
    assert lobby.ask("GET", f"/tokens/{mine['tokenId']}")["calls"] == 0


def test_who_is_called_stays(lobby: Lobby) -> None:
    token, secret = lobby.token()
    lobby.ask("POST", "/departments/CW/call", {"counterId": "1", "tokenId": token["tokenId"], "reason": "test"})
    assert lobby.client.post(f"/t/{secret}/leave").json()["state"] == "CALLED"


def test_a_link_ends_two_hours_after_its_number(lobby: Lobby) -> None:
    token, secret = lobby.token()
    lobby.client.post(f"/t/{secret}/leave")
    assert lobby.client.get(f"/t/{secret}/state").status_code == 200
    long_ago = "replace(payload, to_char(at, 'YYYY'), to_char(at - interval '1 year', 'YYYY'))"
    lobby.sql(f"UPDATE outbox SET payload = {long_ago} WHERE token_id = {token['tokenId']}")
    answer = lobby.client.get(f"/t/{secret}/state")
    assert (answer.status_code, answer.json()["reason"]) == (404, "token.no_ticket_link")


def test_numbers_are_taken_only_where_a_department_lets_people(lobby: Lobby) -> None:
    assert lobby.client.post("/take/main/CW", json={}).status_code == 201
    for path in ("/take/main/HR", "/take/other/CW", "/take/main/NONE"):
        assert lobby.client.post(path, json={}).status_code == 404
    more = lobby.client.post("/take/main/CW", json={"priority": "urgent", "name": "Eve"})
    assert more.status_code == 422, "nobody chooses a class or a name there"
    shown = lobby.client.get("/take/main/state").json()
    assert [each["id"] for each in shown["departments"]] == ["CW"]


def test_looking_for_departments_that_give_numbers_is_limited(lobby: Lobby) -> None:
    found = {lobby.client.post("/take/main/NONE", json={}).status_code for _ in range(70)}
    assert found == {404, 429}


def test_one_address_takes_so_many_and_a_repetition_is_not_counted(lobby: Lobby) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    pages = {lobby.client.post("/take/main/CW", json={}, headers=headers).json()["page"] for _ in range(8)}
    assert len(pages) == 1
    found = [lobby.client.post("/take/main/CW", json={}).status_code for _ in range(6)]
    assert found == [201] * 4 + [429] * 2


@pytest.mark.parametrize("token_id", [1, 2, 2**40, 2**63 - 1])
def test_a_secret_is_its_token_s_and_only_with_its_key(token_id: int) -> None:
    links, others = AesTicketLinks(b"k" * 16), AesTicketLinks(b"o" * 16)
    secret = links.secret_of(token_id)
    assert links.token_of(secret) == token_id
    assert others.token_of(secret) is None
    assert len(secret) == 22
    for wrong in ("", "=", secret + "A", secret[:-1], secret + "==", "é" * 22):
        assert links.token_of(wrong) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://queue.example.org/town/hall",  # the pages know no path in front of theirs
        "https://queue.example.org:99999",
        "https://ada@queue.example.org",
        "//queue.example.org",
        "javascript:alert(1)",
        "https://queue.example.org?x=1",
        "https://queue.example.org\n",
    ],
)
def test_an_address_at_which_no_page_would_work_is_refused(lobby: Lobby, url: str) -> None:
    headers = {"Authorization": f"Bearer {lobby.api.token}"}
    body = {"name": "Town hall", "publicUrl": url}
    assert lobby.client.put("/api/v1/branches/main", json=body, headers=headers).status_code == 422


@pytest.mark.parametrize("url", ["http://192.168.1.5:8080", "https://[fd00::1]:8443/", "https://queue.example.org"])
def test_hosts_and_ports_are_addresses(lobby: Lobby, url: str) -> None:
    lobby.ask("PUT", "/branches/main", {"name": "Town hall", "publicUrl": url})
