"""An API of its own whose audit and log a test reads."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tests.waiting import until

Row = dict[str, Any]


@dataclass(frozen=True)
class AuditedApi:
    """A running API, the database it works on, and its log."""

    api: Api
    dsn: str

    def ask(self, method: str, path: str, bearer: str | None = None, **more: Any) -> httpx.Response:
        """Send a request under ``/api/v1``; without ``bearer`` as the machine's admin, with an empty one as nobody."""
        key = self.api.token if bearer is None else bearer
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= more.pop("headers", {})
        url = f"{self.api.url}/api/v1{path}"
        # There is no TLS here, and loading certificates would cost more than the request.
        return httpx.request(method, url, headers=headers, timeout=20, verify=False, **more)

    def user(self, role: str, *departments: str) -> tuple[str, int, str]:
        """Create a user with a password; return user name, id and password."""
        name, password = f"u{secrets.token_hex(4)}", secrets.token_hex(8)
        body = {"name": "Ada", "username": name, "role": role, "departments": list(departments), "password": password}
        return name, self.ask("POST", "/users", json=body).json()["userId"], password

    def login(self, name: str, password: str) -> httpx.Response:
        """Sign in."""
        return self.ask("POST", "/auth/login", "", json={"username": name, "password": password})

    def session(self, role: str, *departments: str) -> tuple[str, str]:
        """Create a user and sign in; return user name and token."""
        name, _, password = self.user(role, *departments)
        return name, self.login(name, password).json()["token"]

    def key(self, role: str, *departments: str) -> str:
        """Create a key; return its secret."""
        body = {"label": f"{role} key", "role": role, "departments": list(departments)}
        return str(self.ask("POST", "/keys", json=body).json()["key"])

    def rows(self, after: int = 0, **columns: Any) -> list[Row]:
        """Return the audit after this id, oldest first; only rows with these values."""
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            found = connection.execute("SELECT * FROM audit WHERE audit_id > %s ORDER BY audit_id", [after]).fetchall()
        return [row for row in found if columns.items() <= row.items()]

    def last(self) -> int:
        """Return the newest id, once all refusals so far are stored: a further one, of its own kind, is counted."""

        def counted() -> int:
            return sum(row["count"] for row in self.rows(target="route:GET /api/v1/roles"))

        before = counted()
        self.ask("GET", "/roles", "no key")
        until(lambda: counted() > before)
        return max(row["audit_id"] for row in self.rows())

    def log_lines(self) -> list[Row]:
        """Return the log."""
        return [json.loads(line) for line in self.api.log.read_text().splitlines()]


@contextmanager
def audited_api(servers: Servers, dsn: str, folder: Path, **settings: str) -> Iterator[AuditedApi]:
    """An API on this database."""
    folder.mkdir(exist_ok=True)
    servers.empty_redis()
    with running_api({**beside(servers, dsn), **settings}, folder) as api:
        yield AuditedApi(api, dsn)
