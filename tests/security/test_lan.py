"""``up --lan``: https with a certificate of its own, which other machines ask about once and then know."""

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.certificates import make_authority, make_certificate
from tests.cli.conftest import Cli
from tests.stack import Stack, kill_part, start, up_folder
from tests.waiting import until
from tokenq.cli.context import credentials_file, identify
from tokenq.client import Client
from tokenq.client.credentials import read
from tokenq.contract.certificates import fingerprint_of
from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import Refused
from tokenq.settings import load
from tokenq_server.api.connections import HANDSHAKE_SECONDS
from tokenq_server.embedded import UpOptions, down, status
from tokenq_server.embedded.addresses import network_addresses, network_urls
from tokenq_server.tls import check_certificate

OTHER = fingerprint_of(b"another certificate")


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    """It listens on loopback only, but speaks as it would to the network."""
    with up_folder() as folder:
        yield start(folder, own_certificate=True)


@pytest.fixture
def password(up: Stack) -> str:
    return (up.data_dir / "secrets" / "admin.password").read_text()


def test_it_runs_by_https_and_says_with_which_certificate(up: Stack) -> None:
    assert up.endpoints.api.startswith("https://")
    assert status(up.data_dir).ready
    with Client(up.endpoints.api, up.token, fingerprint=up.endpoints.fingerprint) as client:
        assert client.me()["role"] == "admin"


def test_connections_without_a_handshake_keep_nobody_out_and_are_closed(up: Stack) -> None:
    """Row 36, before TLS: a hundred that say nothing, and a hundred that begin to speak and stop."""
    place = urlsplit(up.endpoints.api)
    idle = [socket.create_connection((place.hostname, place.port), timeout=20) for _ in range(200)]
    for connection in idle[:100]:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a ClientHello
    began = time.monotonic()
    with Client(up.endpoints.api, up.token, fingerprint=up.endpoints.fingerprint, timeout=5) as client:
        assert client.me()["role"] == "admin"
    for connection in idle:
        with suppress(ConnectionError):
            connection.settimeout(max(began + HANDSHAKE_SECONDS + 5 - time.monotonic(), 0.1))
            assert connection.recv(1) == b""
        connection.close()
    assert time.monotonic() - began < HANDSHAKE_SECONDS + 5


def test_the_private_key_is_private(up: Stack) -> None:
    made = up.data_dir / "secrets" / "tls.pem"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert check_certificate(made, None) == up.endpoints.fingerprint


def test_a_restart_keeps_the_certificate() -> None:
    """Otherwise every machine would be told that it changed."""
    with up_folder() as folder:
        before = start(folder, own_certificate=True).endpoints
        down(folder)
        after = start(folder, own_certificate=True).endpoints
        assert (after.fingerprint, after.api) == (before.fingerprint, before.api)


def test_without_a_terminal_nobody_is_trusted_by_default(up: Stack, cli: Cli, password: str) -> None:
    done = cli("login", up.endpoints.api, "-u", "admin", stdin=password)
    assert done.code == 2
    assert up.endpoints.fingerprint in done.err
    assert "--fingerprint" in done.err


def test_a_login_keeps_the_certificate_for_all_later_commands(
    up: Stack,
    cli: Cli,
    home: Path,
    password: str,
) -> None:
    done = cli("login", up.endpoints.api, "-u", "admin", "--fingerprint", up.endpoints.fingerprint, stdin=password)
    assert done.code == 0, done.err
    kept = read(home / "tokenq" / "credentials.json")
    assert kept.certificates == {up.endpoints.api: up.endpoints.fingerprint}
    assert cli("whoami").code == 0
    assert cli("logout").code == 0
    again = cli("login", up.endpoints.api, "-u", "admin", stdin=password)
    assert again.code == 0, "the certificate stays known after a logout"


def test_a_key_signs_a_kiosk_in(up: Stack, cli: Cli) -> None:
    fingerprint = ("--fingerprint", up.endpoints.fingerprint)
    done = cli("login", up.endpoints.api, "--key", *fingerprint, stdin=f"{up.token}\n")
    assert done.code == 0, done.err
    assert cli("whoami", "--json").code == 0
    wrong = cli("login", up.endpoints.api, "--key", *fingerprint, stdin="tq_wrong\n")
    assert wrong.code == 5
    assert cli("whoami").code == 0, "a wrong key replaces nothing"
    assert cli("login", up.endpoints.api, "--key", "-u", "admin", stdin=f"{up.token}\n").code == 2


def test_a_changed_certificate_is_said_loudly_and_gets_nothing(up: Stack, cli: Cli, home: Path) -> None:
    """Row 29: neither key nor password is sent."""
    cli("login", up.endpoints.api, "--key", "--fingerprint", up.endpoints.fingerprint, stdin=f"{up.token}\n")
    file = home / "tokenq" / "credentials.json"
    file.write_text(file.read_text().replace(up.endpoints.fingerprint, OTHER))
    for words in (["whoami"], ["issue", "CW"], ["login", "-u", "admin"]):
        done = cli(*words, "--json", stdin="password\n")
        assert done.code == 1
        assert json.loads(done.out)["error"]["code"] == "certificate_changed"
        assert "Somebody may be intercepting" in done.err
        assert up.endpoints.fingerprint in done.err
    mended = cli("login", "--key", "--fingerprint", up.endpoints.fingerprint, stdin=f"{up.token}\n")
    assert mended.code == 0, mended.err


def test_an_authority_can_take_over(up: Stack, cli: Cli, home: Path) -> None:
    """A floor that moves to a real certificate: the pin is lifted explicitly, and then the system decides."""
    cli("login", up.endpoints.api, "--key", "--fingerprint", up.endpoints.fingerprint, stdin=f"{up.token}\n")
    lifted = cli("login", "--key", "--fingerprint", "none", stdin=f"{up.token}\n")
    assert lifted.code == 2, "this one is signed by nobody, so the question comes again"
    trusted = home / "own.pem"
    trusted.write_text((up.data_dir / "secrets" / "tls.pem").read_text())
    lifted = cli("login", "--key", "--fingerprint", "none", stdin=f"{up.token}\n", SSL_CERT_FILE=str(trusted))
    assert lifted.code == 0, lifted.err
    assert read(home / "tokenq" / "credentials.json").certificates == {}
    assert cli("whoami", SSL_CERT_FILE=str(trusted)).code == 0


def test_an_address_in_capitals_is_the_same_server(up: Stack, cli: Cli, home: Path) -> None:
    capitals = up.endpoints.api.replace("https", "HTTPS")
    done = cli("login", capitals, "--key", "--fingerprint", up.endpoints.fingerprint, stdin=f"{up.token}\n")
    assert done.code == 0, done.err
    assert read(home / "tokenq" / "credentials.json").current == up.endpoints.api
    assert cli("whoami", TOKENQ_URL=capitals, TOKENQ_TOKEN=up.token, TOKENQ_FINGERPRINT=OTHER).code == 1


def test_a_fingerprint_that_the_server_does_not_have_is_refused(up: Stack, cli: Cli) -> None:
    done = cli("login", up.endpoints.api, "--key", "--fingerprint", OTHER, stdin=f"{up.token}\n")
    assert done.code == 1
    assert "is another one" in done.err
    assert cli("login", up.endpoints.api, "--fingerprint", "abc").code == 2
    assert cli("login", "http://127.0.0.1:1", "--fingerprint", OTHER).code == 2


def test_a_machine_without_a_login_names_the_fingerprint(up: Stack, cli: Cli) -> None:
    where = {"TOKENQ_URL": up.endpoints.api, "TOKENQ_TOKEN": up.token}
    assert cli("whoami", **where).code == 1
    assert cli("whoami", **where, TOKENQ_FINGERPRINT=up.endpoints.fingerprint).code == 0
    assert cli("whoami", **where, TOKENQ_FINGERPRINT=OTHER).code == 1


def test_the_settings_win_over_a_known_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name, value in {"URL": "https://a.example.org", "TOKEN": "tq_x", "FINGERPRINT": OTHER}.items():
        monkeypatch.setenv(f"TOKENQ_{name}", value)
    assert identify(load()).fingerprint == OTHER
    assert not credentials_file().exists()


def test_ones_own_certificate_is_used_and_a_wrong_one_refused(tmp_path: Path) -> None:
    make_authority(tmp_path, "ca")
    make_certificate(tmp_path, "real", "/CN=queue.example.org")
    make_certificate(tmp_path, "other", "/CN=queue.example.org")
    certificate, key = tmp_path / "real.crt", tmp_path / "real.key"
    locked = tmp_path / "locked.key"
    os.system(f"openssl rsa -aes256 -passout pass:secret -in {key} -out {locked} 2>/dev/null")
    for files, fault in {
        (certificate, tmp_path / "other.key"): "the key belongs to another certificate",
        (certificate, locked): "the key has a password",
        (certificate, tmp_path / "missing.key"): "No such file",
        (tmp_path / "missing.crt", key): "No such file",
        (key, None): "no certificate",
        (certificate, None): "no certificate with its key",
    }.items():
        with pytest.raises(Refused, match=fault):
            check_certificate(*files)
    with up_folder() as folder:
        with pytest.raises(Refused, match="the key belongs to another"):
            start(folder, tls_cert=certificate, tls_key=tmp_path / "other.key")
        running = start(folder, tls_cert=certificate, tls_key=key)
        with Client(running.endpoints.api, running.token, fingerprint=check_certificate(certificate, key)) as client:
            assert client.me()["role"] == "admin"


def test_a_renewed_certificate_counts_from_the_api_s_next_start_on(tmp_path: Path) -> None:
    """Renewed under a running ``up`` whose API then dies: it is ready again, and tells the new fingerprint."""
    make_authority(tmp_path, "ca")
    make_certificate(tmp_path, "real", "/CN=queue.example.org")
    certificate, key = tmp_path / "real.crt", tmp_path / "real.key"
    with up_folder() as folder:
        before = start(folder, tls_cert=certificate, tls_key=key).endpoints.fingerprint
        make_certificate(tmp_path, "real", "/CN=queue.example.org")
        kill_part(folder, "tokenq_server api")
        until(lambda: (state := status(folder)).ready and state.endpoints.fingerprint != before, seconds=60)
        assert status(folder).endpoints.fingerprint == check_certificate(certificate, key)


def test_wrong_options_are_refused_before_anything_starts(cli: Cli) -> None:
    assert "not on the network" in cli("up", "--lan", "--host", "127.0.0.1").err
    assert "A key needs its certificate" in cli("up", "--tls-key", "x.pem").err
    assert cli("up", "--lan", "--status").code == 2


def test_the_addresses_are_those_of_the_network() -> None:
    assert not any(is_loopback(address) for address in network_addresses())
    assert network_urls("127.0.0.1", 1) == network_urls("localhost", 1) == ()
    assert network_urls("192.0.2.7", 8080, is_tls=True) == ("https://192.0.2.7:8080",)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("192.0.2.1", 9))
        assert f"http://{asking.getsockname()[0]}:8080" in network_urls("0.0.0.0", 8080)


def test_options_survive_the_way_into_the_background() -> None:
    options = UpOptions(Path("/data"), "0.0.0.0", 8443, True, True, Path("/c.pem"), None)
    assert UpOptions.from_json(options.to_json()) == options
    assert UpOptions.from_json(replace(options, tls_cert=None).to_json()).tls_cert is None
