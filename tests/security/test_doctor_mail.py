"""L16: the doctor does with the mail server what an e-mail does before it is sent."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from tests.certificates import make_authority, make_certificate
from tokenq_server.adapters.mail_probe import probe
from tokenq_server.embedded.ports import free_port
from tokenq_server.services.findings import Finding
from tokenq_server.settings import ServerSettings

Start = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mail")
    make_authority(made, "ca")
    make_certificate(made, "server", "/CN=mail.example.org")
    return made


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts a mail server that knows one user; returns its address."""
    running: list[Controller] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"tokenq", b"right"), handled=False)

    def make(*, tls: bool = False, **options: Any) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        more = {"tls_context": context, "require_starttls": True} if tls else {"auth_require_tls": False}
        controller = Controller(
            Sink(), hostname="127.0.0.1", port=free_port(), authenticator=authenticate, **more, **options
        )
        controller.start()
        running.append(controller)
        return f"127.0.0.1:{controller.port}"

    yield make
    for controller in running:
        controller.stop()


async def finding(url: str) -> Finding:
    (found,) = await probe(ServerSettings(smtp_url=SecretStr(url)))
    return found


async def test_a_server_without_login_is_well(start: Start) -> None:
    assert (await finding(f"smtp://{start()}")).ok


async def test_the_right_password_is_said_to_work(start: Start) -> None:
    found = await finding(f"smtp://tokenq:right@{start()}")
    assert found.ok
    assert found.detail.endswith("logged in as tokenq")


async def test_a_wrong_password_is_found(start: Start) -> None:
    found = await finding(f"smtp://tokenq:secret-and-wrong@{start()}")
    assert not found.ok
    assert "refuses the login of tokenq: 535" in found.detail
    assert "password" in found.hint
    assert "secret-and-wrong" not in found.detail + found.hint


async def test_a_certificate_that_nobody_signed_is_found(start: Start) -> None:
    found = await finding(f"smtp+starttls://tokenq:right@{start(tls=True)}")
    assert not found.ok
    assert "no certificate that is trusted" in found.detail


async def test_a_trusted_certificate_is_well(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    found = await finding(f"smtp+starttls://tokenq:right@{start(tls=True)}")
    assert found.ok, found
    assert "by TLS" in found.detail


async def test_a_server_without_tls_gets_no_password(start: Start) -> None:
    found = await finding(f"smtp+starttls://tokenq:right@{start()}")
    assert not found.ok
    assert "refuses" in found.detail


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_server_that_needs_a_login_is_found(start: Start) -> None:
    """It answers, and would refuse every e-mail."""
    found = await finding(f"smtp://{start(auth_required=True)}")
    assert not found.ok


async def test_no_server_does_not_answer() -> None:
    found = await finding(f"smtp://127.0.0.1:{free_port()}")
    assert not found.ok
    assert "does not answer" in found.detail
