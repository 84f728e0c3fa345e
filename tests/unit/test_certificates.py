"""A server that is known by its certificate's fingerprint: another one gets nothing, whichever library connects."""

import http.client
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.certificates import make_authority
from tests.http_fake import FakeServer, fake_server, says
from tokenq.client.calls import Calls
from tokenq.client.client import Client
from tokenq.client.events import LinkChanged, follow
from tokenq.client.transport import Server, offered_fingerprint
from tokenq.contract.certificates import OtherCertificate, fingerprint_of, parse_fingerprint, pinned_context
from tokenq.contract.hosts import normal_url
from tokenq.errors import BadReply, ChangedCertificate, Unreachable, UntrustedCertificate
from tokenq_server.tls import check_certificate

HEALTHY = says(200, {"status": "ok"})
OTHER = fingerprint_of(b"another certificate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    make_authority(made, "server")
    return made


@pytest.fixture(scope="module")
def fingerprint(folder: Path) -> str:
    return fingerprint_of(ssl.PEM_cert_to_DER_cert((folder / "server.pem").read_text()))


@pytest.fixture
def server(folder: Path) -> Iterator[FakeServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with fake_server(*[HEALTHY] * 3, tls=context) as running:
        yield running


def test_a_fingerprint_may_be_written_as_openssl_and_browsers_do(folder: Path, fingerprint: str) -> None:
    words = ["openssl", "x509", "-in", "server.pem", "-noout", "-fingerprint", "-sha256"]
    shown = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert parse_fingerprint(shown) == fingerprint
    assert parse_fingerprint(shown.partition("=")[2].strip().lower().replace(":", " ")) == fingerprint
    assert parse_fingerprint(f" {fingerprint}\n") == fingerprint
    assert parse_fingerprint(fingerprint.removeprefix("SHA256:")) == fingerprint


@pytest.mark.parametrize("text", ["", "SHA256:", "SHA256:abc", "MD5:00", "zz" * 32, "é" * 43, "A" * 44])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256 fingerprint"):
        parse_fingerprint(text)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_certificate_file_may_name_its_owner_in_any_letters(folder: Path, fingerprint: str, encoding: str) -> None:
    """As openssl writes it above the certificate of a city with an umlaut."""
    named = folder / f"named-{encoding}.pem"
    named.write_bytes("subject=O = Stadt Köln\n".encode(encoding) + (folder / "server.pem").read_bytes())
    assert check_certificate(named, folder / "server.key") == fingerprint


def test_the_known_server_is_reached(server: FakeServer, fingerprint: str) -> None:
    """Though no authority has signed its certificate and its name is another one."""
    with Client(server.url, "tq_secret", fingerprint=fingerprint) as client:
        assert client.health() == {"status": "ok"}
    assert server.asked[0].headers["authorization"] == "Bearer tq_secret"


def test_another_certificate_gets_nothing_and_is_named(server: FakeServer, fingerprint: str) -> None:
    with Client(server.url, "tq_secret", fingerprint=OTHER) as client, pytest.raises(ChangedCertificate) as failure:
        client.health()
    assert OTHER in str(failure.value)
    assert fingerprint in str(failure.value)
    assert "Nothing was sent" in str(failure.value)
    assert not server.asked


def test_no_library_sends_anything_to_another_certificate(server: FakeServer) -> None:
    """The check is part of the handshake."""
    where = httpx.URL(server.url)
    bare = http.client.HTTPSConnection(where.host, where.port, context=pinned_context(OTHER), timeout=5)
    with pytest.raises(OtherCertificate):
        bare.request("GET", "/", headers={"Authorization": "tq_secret"})
    with httpx.Client(verify=pinned_context(OTHER), trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(server.url, headers={"Authorization": "tq_secret"})
    assert not server.asked


def test_without_a_fingerprint_an_authority_must_have_signed(server: FakeServer, fingerprint: str) -> None:
    with Client(server.url, "tq_secret") as client, pytest.raises(UntrustedCertificate, match="not trusted") as failure:
        client.health()
    assert f"tokenq login {server.url}" in failure.value.hint
    assert not server.asked
    assert offered_fingerprint(client.server) == fingerprint


def test_a_plain_server_is_said_not_to_speak_tls() -> None:
    with fake_server(HEALTHY) as plain:
        client = Client(plain.url.replace("http:", "https:"), fingerprint=OTHER, attempts=1)
        with pytest.raises(BadReply, match="does not speak TLS"):
            client.health()


def test_plain_http_to_a_tls_server_gets_the_hint(server: FakeServer) -> None:
    client = Client(server.url.replace("https:", "http:"), attempts=1)
    with pytest.raises(Unreachable, match="lost before its answer") as failure:
        client.health()
    assert "https://" in failure.value.hint


def test_the_event_stream_says_that_the_certificate_changed(server: FakeServer) -> None:
    """It goes on trying: the right server may come back."""
    stop = threading.Event()
    stream = follow(Server(server.url, "tq_secret", fingerprint=OTHER), [], None, stop)
    lost = next(stream)
    stream.close()
    assert isinstance(lost, LinkChanged)
    assert not lost.is_live
    assert "has changed" in lost.sentence
    assert not server.asked


def test_the_event_stream_checks_whatever_the_case_of_the_address(server: FakeServer) -> None:
    """An address in capitals is the same one: nothing may be sent over a connection that nobody checked."""
    for fingerprint in (OTHER, None):
        where = Server(server.url.replace("https", "HTTPS"), "tq_secret", fingerprint=fingerprint)
        stream = follow(where, [], None, threading.Event())
        lost = next(stream)
        stream.close()
        assert isinstance(lost, LinkChanged)
        assert not lost.is_live
    assert not server.asked


async def test_asynchronous_libraries_are_checked_too(server: FakeServer, fingerprint: str) -> None:
    async with httpx.AsyncClient(verify=pinned_context(OTHER), trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url, headers={"Authorization": "tq_secret"})
    assert not server.asked
    async with httpx.AsyncClient(verify=pinned_context(fingerprint), trust_env=False) as client:
        assert (await client.get(server.url)).status_code == 200


def test_an_address_has_one_form() -> None:
    assert normal_url(" HTTPS://Queue.Example.org:8443/base/ ") == "https://queue.example.org:8443/base"
    assert Client("HTTPS://Queue.Example.org/").server.url == "https://queue.example.org"
    assert normal_url("http://[") == "http://["


def test_a_clone_trusts_the_same_certificate() -> None:
    client: Calls = Client("https://queue.example.org", fingerprint=OTHER).clone(timeout=1.5, attempts=1)
    assert (client.server.fingerprint, client.server.timeout, client.attempts) == (OTHER, 1.5, 1)
