"""What ``up`` leaves for the commands that follow: whom they speak to, and where the board reads."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Cli
from tests.http_fake import Step, fake_server, says
from tokenq.cli import launch
from tokenq.cli.broker import configured_broker
from tokenq.cli.checks import client_checks
from tokenq.cli.commands import board
from tokenq.cli.commands.up import _is_new, _run, _welcome
from tokenq.cli.context import credentials_file
from tokenq.cli.local_login import server_of_other_commands, sign_in
from tokenq.client.credentials import Credential, read, store
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.errors import Unreachable
from tokenq.settings import load
from tokenq_server.embedded import Endpoints, UpOptions, default_data_dir, down_command, status
from tokenq_server.embedded.folder import DataFolder, Hold

HEALTHY = says(200, {"status": "ok"})


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TOKENQ_URL", "TOKENQ_TOKEN", "TOKENQ_KAFKA_BOOTSTRAP", "TOKENQ_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TOKENQ_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    """Those of an ``up`` that just became ready."""
    key = tmp_path / "admin.token"
    key.write_text("tq_admin\n")
    return Endpoints("http://127.0.0.1:8099", "127.0.0.1:9", "postgresql://", "redis://", str(key), str(tmp_path))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_the_first_up_is_the_server_of_all_commands(endpoints: Endpoints) -> None:
    assert sign_in(endpoints)
    assert read(credentials_file()).current == endpoints.api
    assert server_of_other_commands(endpoints.api) is None


def test_a_second_up_takes_no_command_away_from_a_server_that_answers(endpoints: Endpoints) -> None:
    """Somebody would call people of the wrong place."""
    with fake_server(HEALTHY) as other:
        store(credentials_file(), other.url, Credential("tq_other"))
        assert sign_in(endpoints)
        kept = read(credentials_file())
        assert (kept.current, kept.servers[endpoints.api].token) == (other.url, "tq_admin")
        assert server_of_other_commands(endpoints.api) == other.url


def test_an_up_replaces_a_server_that_is_gone(endpoints: Endpoints) -> None:
    """With '--port 0' each start has another address."""
    store(credentials_file(), f"http://127.0.0.1:{closed_port()}", Credential("tq_old"))
    assert sign_in(endpoints)
    assert read(credentials_file()).current == endpoints.api


def test_a_set_address_is_said_to_win(endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENQ_URL", "https://queue.example.org")
    assert sign_in(endpoints)
    assert server_of_other_commands(endpoints.api) == "https://queue.example.org"


def test_what_to_type_next_goes_to_the_system_it_is_about(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKENQ_URL", "https://queue.example.org")
    _welcome(endpoints, demo=False, detach=True, as_json=False)
    assert f"\n  TOKENQ_URL={endpoints.api} tokenq board " in capsys.readouterr().err


def test_where_e_mails_go_is_said(endpoints: Endpoints, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there, away = (f"127.0.0.1:{port}" for port in (listener.getsockname()[1], closed_port()))
        for server, said in (
            ("", f"E-mails are written to {endpoints.mail_outbox}"),
            (there, f"E-mails are sent through {there}."),
            (away, f"Warning: the mail server {away} does not answer now: Connection refused.\nE-mails wait until"),
        ):
            _welcome(replace(endpoints, mail_server=server), demo=False, detach=True, as_json=False)
            assert said in capsys.readouterr().err


def test_the_board_finds_the_broker_that_runs_here_without_a_login(endpoints: Endpoints) -> None:
    """The board needs no login, so logging out must not take it away."""
    folder = DataFolder(default_data_dir())
    folder.make(None)
    folder.write_endpoints(endpoints)
    assert configured_broker(load()) is None, "nothing runs there"
    hold = Hold(folder)
    try:
        assert configured_broker(load()) == KafkaAccess(endpoints.kafka)
        assert configured_broker(replace(load(), url="https://queue.example.org")) is None
    finally:
        hold.release()


def test_commands_beside_up_use_its_broker_without_a_login(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board's broker and login may be set on the same machine; they have nothing to do with up's database."""
    folder = DataFolder(default_data_dir())
    folder.make(None)
    folder.write_endpoints(endpoints)
    for name in ("DATABASE_URL", "REDIS_URL", "KAFKA_EMBEDDED", "MAIL_OUTBOX"):
        monkeypatch.setenv(f"TOKENQ_{name}", "")  # so that what the command sets is forgotten afterwards
        monkeypatch.delenv(f"TOKENQ_{name}")
    monkeypatch.setenv("TOKENQ_KAFKA_BOOTSTRAP", "kafka.example.org:9093")
    monkeypatch.setenv("TOKENQ_KAFKA_SASL_USERNAME", "lobby")
    hold = Hold(folder)
    try:
        with launch.server("tokenq_server.settings") as settings:
            assert settings.load().kafka_access == KafkaAccess(endpoints.kafka)
    finally:
        hold.release()


def test_the_doctor_names_a_contradiction_in_the_board_s_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENQ_KAFKA_BOOTSTRAP", "kafka.example.org:9093")
    monkeypatch.setenv("TOKENQ_KAFKA_SASL_USERNAME", "lobby")
    broker = next(check for check in client_checks() if check.name == "broker")
    assert not broker.ok
    assert "TOKENQ_KAFKA_SECURITY_PROTOCOL" in broker.detail


def test_a_guessed_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{closed_port()}"
    monkeypatch.setattr(board, "DEFAULT_BOOTSTRAP", address)
    with pytest.raises(Unreachable, match=address) as failure:
        board._default_broker(load())
    assert "TOKENQ_KAFKA_BOOTSTRAP" in failure.value.hint


def test_doctor_never_leaves_the_broker_out(cli: Cli) -> None:
    checks = json.loads(cli("doctor", "--json", TOKENQ_URL="http://127.0.0.1:1").out)["checks"]
    assert "broker" in [check["name"] for check in checks]


def test_doctor_warns_of_the_mail_server_of_up_whose_address_it_is_not_given(
    endpoints: Endpoints, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is started later is no failure; that e-mails go to a folder would be wrong."""
    folder = DataFolder(default_data_dir())
    folder.make(None)
    away = f"127.0.0.1:{closed_port()}"
    folder.write_endpoints(replace(endpoints, mail_server=away))

    def mail(**variables: str) -> list[tuple[bool, str]]:
        typed = ("doctor", "--json", "--server")
        done = cli(*typed, TOKENQ_URL=endpoints.api, TOKENQ_DATA_DIR=str(default_data_dir()), **variables)
        return [(one["ok"], one["detail"]) for one in json.loads(done.out)["checks"] if one["name"] == "mail"]

    hold = Hold(folder)
    try:
        assert mail() == [(True, f"{away} does not answer now (Connection refused); e-mails wait until it does")]
        assert mail(TOKENQ_SMTP_URL=f"smtp://{away}") == [(False, f"{away} does not answer")]
    finally:
        hold.release()


def test_doctor_shows_the_limits_with_which_up_runs(
    endpoints: Endpoints, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those of the settings here, which ``up`` may not have; nor those of ``up`` if the server is another one."""
    folder = DataFolder(default_data_dir())
    folder.make(None)
    folder.write_endpoints(replace(endpoints, limits={"limit_letters": 7, "limit_public_requests": 0}))

    def limits(url: str, *more: str) -> dict[str, tuple[str, bool]]:
        variables = {"TOKENQ_URL": url, "TOKENQ_DATA_DIR": str(default_data_dir()), "TOKENQ_LIMIT_LETTERS": "9"}
        checks = json.loads(cli("doctor", "--json", *more, **variables).out)["checks"]
        found = [check for check in checks if check["name"].startswith("limit of")]
        return {check["name"]: (check["detail"], check["warning"]) for check in found}

    hold = Hold(folder)
    try:
        shown = limits(endpoints.api)
        assert shown == {
            "limit of requests": ("unlimited a minute per address, without login (TOKENQ_LIMIT_PUBLIC_REQUESTS)", True),
            "limit of e-mails": ("7 an hour to one address (TOKENQ_LIMIT_LETTERS)", False),
        }
        assert shown.items() <= limits(endpoints.api, "--server").items()
        assert limits("http://127.0.0.1:1") == {}
    finally:
        hold.release()


def test_doctor_says_when_it_does_not_know_the_limits_of_a_server_on_this_machine(cli: Cli, tmp_path: Path) -> None:
    """An ``up`` with a folder of its own is found only by that folder."""

    def said(url: str) -> list[str]:
        done = cli("doctor", "--json", TOKENQ_URL=url, TOKENQ_DATA_DIR=str(tmp_path))
        return [check["detail"] for check in json.loads(done.out)["checks"] if check["name"] == "limits"]

    here = "http://127.0.0.1:1"
    detail = f"not known: no 'tokenq up' in {tmp_path} serves {here}; for another folder set TOKENQ_DATA_DIR"
    assert said(here) == [detail]
    assert said("http://tokenq.invalid") == []


def test_doctor_names_a_full_disk(cli: Cli, tmp_path: Path) -> None:
    """Nothing can be issued then. A folder that is not there is nobody's, and nothing is said of it."""

    def told(folder: str | Path) -> list[dict[str, object]]:
        done = cli("doctor", "--json", TOKENQ_URL="http://127.0.0.1:1", TOKENQ_DATA_DIR=str(folder))
        return [one for one in json.loads(done.out)["checks"] if one["name"] == "disk"]

    (full,) = told("/proc")  # has no room, and never will

    assert not full["ok"]
    assert full["detail"] == "0 MB free in /proc, where 'tokenq up' keeps its data"
    assert "Free up space" in str(full["hint"])
    assert [one["ok"] for one in told(tmp_path)] == [True]
    assert told(tmp_path / "nothing") == []


def test_the_demo_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its staff serve whoever waits; TOKENQ_DATA_DIR still names both."""
    assert default_data_dir(demo=True) == default_data_dir()
    monkeypatch.delenv("TOKENQ_DATA_DIR")
    assert default_data_dir(demo=True) == default_data_dir().with_name("tokenq-demo")


def test_what_stops_it_names_its_folder_unless_it_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another terminal may have another TOKENQ_DATA_DIR, or none."""
    assert down_command(default_data_dir()) == f"tokenq down --data-dir {default_data_dir()}"
    assert down_command(Path("/srv/two queues")) == "tokenq down --data-dir '/srv/two queues'"
    monkeypatch.delenv("TOKENQ_DATA_DIR")
    assert down_command(default_data_dir()) == "tokenq down"


@pytest.mark.parametrize(
    ("answer", "down"),
    [
        (says(503, {"status": "unavailable", "parts": {"postgres": "down", "redis": "up"}}), ["postgres"]),
        (says(500, b"oh"), ["api"]),
    ],
)
def test_what_is_not_ready_is_named(endpoints: Endpoints, answer: Step, down: list[str]) -> None:
    folder = DataFolder(default_data_dir())
    folder.make(None)
    with fake_server(answer) as fake:
        folder.write_endpoints(replace(endpoints, api=fake.url))
        hold = Hold(folder)
        try:
            found = status(folder.path)
        finally:
            hold.release()
    assert (found.running, found.ready) == (True, False)
    assert [name for name, is_up in found.parts.items() if is_up == "down"] == down


@pytest.mark.parametrize("kafka", ["environment", "login", "none"])
def test_the_board_reads_kafka_where_a_broker_is_set_and_else_the_server_of_the_login(
    monkeypatch: pytest.MonkeyPatch, kafka: str
) -> None:
    broker = "127.0.0.1:9" if kafka == "login" else None
    store(credentials_file(), "https://queue.example.org", Credential("tq_lobby", kafka=broker))
    if kafka == "environment":
        monkeypatch.setenv("TOKENQ_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    assert board._broker(load()) == (None if kafka == "none" else KafkaAccess("127.0.0.1:9"))


def test_a_key_and_an_address_are_a_login_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENQ_URL", "https://queue.example.org")
    monkeypatch.setenv("TOKENQ_TOKEN", "tq_lobby")
    assert board._broker(load()) is None


def test_without_broker_and_login_the_board_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "DEFAULT_BOOTSTRAP", f"127.0.0.1:{closed_port()}")
    with pytest.raises(Unreachable, match="No broker and no login") as lost:
        board._broker(load())
    assert "--server URL" in lost.value.hint


@pytest.mark.parametrize("is_found", [False, True])
@pytest.mark.parametrize("detach", [False, True])
def test_a_terminal_is_told_where_the_command_is(
    endpoints: Endpoints,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_found: bool,
    detach: bool,
) -> None:
    """Who typed ``.venv/bin/tokenq up`` has not put that folder on the path."""
    folder = Path(endpoints.mail_outbox) / "a place" / "bin"
    folder.mkdir(parents=True)
    (folder / "tokenq").touch(0o755)
    monkeypatch.setattr("sys.argv", [str(folder / "tokenq"), "up"])
    monkeypatch.setenv("PATH", str(folder) if is_found else "/nowhere")
    _welcome(endpoints, demo=False, detach=detach, as_json=False)
    assert (f"\n  export PATH='{folder}':$PATH\n" in capsys.readouterr().err) is not is_found


@pytest.mark.parametrize(("found", "demo", "is_told"), [("", False, True), ("", True, False), ("log", False, False)])
def test_whoever_starts_a_new_place_is_told_of_the_demo(
    endpoints: Endpoints, capsys: pytest.CaptureFixture[str], tmp_path: Path, found: str, *, demo: bool, is_told: bool
) -> None:
    """Starting fills the folder, so what was in it before counts; a folder that is there may be empty."""
    folder = tmp_path / "place"
    (folder / found).mkdir(parents=True)

    def start(options: UpOptions, report: object, ready: Callable[[Endpoints], None]) -> int:
        (options.data_dir / "postgres").mkdir()
        ready(endpoints)
        return 0

    embedded = SimpleNamespace(up=start, down_command=down_command)
    assert _run(embedded, UpOptions(folder, demo=demo), detach=False, as_json=False) == 0
    assert ("'tokenq up --demo --port 0'" in capsys.readouterr().err) is is_told


def test_a_folder_that_is_not_there_yet_is_new(tmp_path: Path) -> None:
    assert _is_new(tmp_path / "data")
