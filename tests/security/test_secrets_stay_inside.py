"""Secrets stay where they belong: one whole `up` with recognisable ones, used and abused, then searched. Row 30."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from tests.cli.conftest import Cli
from tests.programs import refusal
from tests.stack import Stack, kill_part, start, up_folder
from tests.waiting import until
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.privileges import choose_run_as

CANARY = "canary"


def canary() -> str:
    """A secret that stands out."""
    return f"{CANARY}-{secrets.token_hex(8)}"


@dataclass
class Used:
    """A system after a day of use and misuse."""

    stack: Stack
    secrets: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What programs printed and servers answered, by what was done."""

    def found_in(self, text: str) -> list[str]:
        """The names of the secrets that are in a text."""
        return [name for name, secret in self.secrets.items() if secret in text]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    with up_folder() as folder:
        found = Used(start(folder))
        endpoints = found.stack.endpoints
        for name, url in (("the database's", endpoints.postgres), ("Redis'", endpoints.redis)):
            found.secrets[f"{name} password"] = urlsplit(url).password or ""
        found.secrets["the machine's key"] = found.stack.token
        first = Path(endpoints.admin_token_file).with_name("admin.password")
        found.secrets["the first admin's password"] = first.read_text().strip()
        use(found)
        yield found


def use(used: Used) -> None:
    """A day: accounts are made, people log in, mistype, ask for help, and something crashes."""
    stack, found = used.stack, used.secrets
    found |= {"password": canary(), "new password": canary(), "wrong password": canary(), "bad key": f"tq_{canary()}"}
    body = {"name": "Ada", "username": "ada", "role": "staff", "departments": [], "password": found["password"]}
    assert stack.ask("POST", "/api/v1/users", body)[0] == 201
    stack.ask("POST", "/api/v1/departments", {"departmentId": "CW", "name": "Cash window"})
    found["key"] = stack.ask("POST", "/api/v1/keys", {"label": "kiosk", "role": "desk"})[1]["key"]
    login = {"username": "ada", "password": found["password"]}
    found["session"] = stack.ask("POST", "/api/v1/auth/login", login)[1]["token"]
    answers = used.said
    for about, path, body_ in (
        ("wrong login", "auth/login", login | {"password": found["wrong password"]}),
        ("password as name", "auth/login", {"username": found["wrong password"], "password": "x"}),
        ("wrong field", "auth/login", login | {"pasword": found["password"]}),
        ("no text", "auth/login", login | {"password": [found["password"]]}),
        ("impossible", "users", body | {"username": "eve", "password": f"{found['password']}\0"}),
    ):
        answers[about] = str(stack.ask("POST", f"/api/v1/{path}", body_))
    for path in ("/docs", "/openapi.json", "/metrics", "/readyz", "/api/v1/keys", "/api/v1/users", "/api/v1/audit"):
        headers = {"Authorization": f"Bearer {stack.token}"}
        answers[path] = httpx.get(stack.endpoints.api + path, headers=headers, timeout=20).text
    bad = {"Authorization": f"Bearer {found['bad key']}"}
    answers["bad key"] = httpx.get(f"{stack.endpoints.api}/api/v1/users", headers=bad, timeout=20).text


def test_the_canaries_are_worth_it(used: Used) -> None:
    assert len(used.secrets) >= 10
    assert all(len(secret) >= 12 for secret in used.secrets.values())


def test_answers_and_pages(used: Used) -> None:
    for about, text in used.said.items():
        assert used.found_in(text) == [], about


def test_commands_also_when_they_explain_themselves(used: Used, cli: Cli, home: Path) -> None:
    """Wrong login, ``--debug``, the doctor, the state, a wrong address with a password in it."""
    stack, url = used.stack, used.stack.endpoints.api
    said: list[tuple[tuple[str, ...], str]] = []

    def run(*words: str, **more: str) -> None:
        done = cli(*words, TOKENQ_DATA_DIR=str(stack.data_dir), **more)
        said.append((words, done.out + done.err))

    run("login", url, "--user", "ada", stdin=used.secrets["wrong password"] + "\n")
    run("login", url, "--user", "ada", stdin=used.secrets["password"] + "\n", TOKENQ_DEBUG="1")
    run("--debug", "login", url, "--user", "ada", stdin=used.secrets["password"] + "\n")
    run("whoami")
    run("whoami", "--json")
    run("--debug", "whoami", TOKENQ_TOKEN=used.secrets["bad key"])
    run("--debug", "issue", "NONE", TOKENQ_TOKEN=used.secrets["key"])
    run("passwd", stdin=f"{used.secrets['wrong password']}\n{used.secrets['new password']}\n")
    run("up", "--status")
    run("up", "--status", "--json")
    run("doctor")
    run("doctor", "--json")
    run("doctor", TOKENQ_DATABASE_URL=f"postgresql://u:{used.secrets['wrong password']}@127.0.0.1:1/db")
    run("--debug", "doctor", TOKENQ_REDIS_URL=f"redis://u:{used.secrets['wrong password']}@127.0.0.1:1/0")
    run("--debug", "verify")
    run("key", "list")
    for words, text in said:
        assert used.found_in(text) == [], words


def test_programs_that_cannot_start(used: Used) -> None:
    """A crash at the start names the setting and the fault, and not its value."""
    wrong = used.secrets["wrong password"]
    url = "postgresql://127.0.0.1:1/db"
    for program, settings in (
        ("api", {"TOKENQ_DATABASE_URL": f"mysql://u:{wrong}@127.0.0.1/db"}),
        ("api", {"TOKENQ_DATABASE_URL": url, "TOKENQ_REDIS_URL": f"http://u:{wrong}@127.0.0.1"}),
        ("notify", {"TOKENQ_DATABASE_URL": url, "TOKENQ_SMTP_URL": f"http://u:{wrong}@127.0.0.1"}),
    ):
        assert used.found_in(refusal(program, {"TOKENQ_KAFKA_BOOTSTRAP": "127.0.0.1:1", **settings})) == []


def test_command_lines_of_all_processes(used: Used) -> None:
    """Everybody on the machine reads them; environments only the same user."""
    seen = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            seen += "tokenq" in command
            assert used.found_in(command) == [], command
    assert seen > 3


def test_logs_also_after_a_crash(used: Used) -> None:
    """Of all programs and servers, after one was killed and came back."""
    kill_part(used.stack.data_dir, "tokenq_server api")
    url = f"{used.stack.endpoints.api}/readyz"

    def is_back() -> bool:
        try:
            return httpx.get(url, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    until(is_back)
    logs = [file for file in (used.stack.data_dir / "log").rglob("*") if file.is_file()]
    assert len(logs) > 3
    for log in logs:
        assert used.found_in(log.read_text("utf-8", "replace")) == [], log


def test_files_that_hold_secrets_are_private(used: Used) -> None:
    """Of all files outside the servers' own folders: who holds one is for its owner only."""
    top, holding = used.stack.data_dir, set()
    for file in top.rglob("*"):
        is_small = file.is_file() and not file.is_symlink() and file.stat().st_size < 2_000_000
        if is_small and used.found_in(file.read_bytes().decode("utf-8", "replace")):
            around = [folder for folder in file.parents if top in folder.parents]
            assert any(place.stat().st_mode & 0o077 == 0 for place in (file, *around)), file
            holding.add(file.name)
    assert {"admin.token", "admin.password", "endpoints.json"} <= holding


def test_dumps_of_the_stores(used: Used, tmp_path: Path) -> None:
    """Only hashes of passwords, sessions and keys are stored; a thief of a backup can log in nowhere."""
    binaries = locate(choose_run_as(), tmp_path).postgres
    dsn = used.stack.endpoints.postgres
    dump = subprocess.run([binaries / "pg_dump", "--data-only", dsn], capture_output=True, text=True)
    assert dump.returncode == 0, dump.stderr
    text = dump.stdout
    assert "$argon2id$" in text
    assert "Cash window" in text
    assert used.found_in(text) == []
    with Redis.from_url(used.stack.endpoints.redis) as redis:
        for key in redis.scan_iter():
            assert used.found_in(key.decode("utf-8", "replace") + repr(redis.dump(key))) == []


def test_settings_show_no_secret() -> None:
    """Printed by accident, in a traceback or a log line."""
    from tokenq_server.settings import ServerSettings

    wrong = canary()
    settings = ServerSettings(
        database_url=f"postgresql://u:{wrong}@h/d",
        redis_url=f"redis://u:{wrong}@h/0",
        smtp_url=f"smtp://u:{wrong}@h",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="u",
        kafka_sasl_password=wrong,
    )
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.mail_server)):
        assert wrong not in shown
    assert not re.search("password='[^*']", repr(settings))
