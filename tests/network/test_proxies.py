"""The samples in deploy/proxy, run as they are but for names and ports."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.certificates import make_authority, make_certificate
from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tests.waiting import until
from tokenq.client import Client
from tokenq.client.events import EventArrived, LinkChanged, follow
from tokenq.client.transport import Server
from tokenq_server.embedded.ports import free_port

pytestmark = pytest.mark.network

SAMPLES = Path(__file__).parents[2] / "deploy" / "proxy"


@dataclass(frozen=True)
class Proxy:
    """A proxy in front of an API."""

    url: str
    authority: Path
    api: Api

    def http(self, **options: Any) -> httpx.Client:
        """A bare client that trusts it, from another address than the proxy's own."""
        trust = ssl.create_default_context(cafile=self.authority)
        way = httpx.HTTPTransport(verify=trust, local_address="127.0.0.2", trust_env=False)
        return httpx.Client(base_url=self.url, transport=way, trust_env=False, **options)


@pytest.fixture(scope="module")
def api(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = {"TOKENQ_MIGRATE": "1", "TOKENQ_TRUSTED_PROXIES": "127.0.0.1"}
    servers.empty_redis()
    with running_api(beside(servers, servers.new_database()) | settings, tmp_path_factory.mktemp("api")) as running:
        with Client(running.url, running.token) as client:
            client.create_department({"name": "Customer window", "departmentId": "CW"})
        yield running


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    make_authority(folder, "ca")
    make_certificate(folder, "proxy", "/CN=localhost")
    make = {"nginx": _nginx, "caddy": _caddy}[request.param]
    command = make(folder, port, httpx.URL(api.url).port or 0)
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"https://localhost:{port}"
    try:
        made = Proxy(url, folder / "ca.pem", api)
        until(lambda: _answers(made), (folder / "log").read_text)
        yield made
    finally:
        process.terminate()
        process.wait(15)


def _program(name: str) -> str:
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if program is None:
        pytest.fail(f"{name} is not installed: apt-get install nginx-light caddy")
    return program


def _nginx(folder: Path, port: int, api: int) -> list[str]:
    sample = _changed(
        (SAMPLES / "nginx.conf").read_text(),
        {
            "listen 443": f"listen 127.0.0.1:{port}",
            "queue.example.org;": "localhost;",
            "/etc/ssl/queue.example.org.crt": f"{folder}/proxy.crt",
            "/etc/ssl/private/queue.example.org.key": f"{folder}/proxy.key",
            "127.0.0.1:8080": f"127.0.0.1:{api}",
        },
    )
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(
        f"{user} pid {folder}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n{folders}{sample}}}\n"
    )
    return [_program("nginx"), "-p", str(folder), "-c", str(folder / "main.conf"), "-g", "daemon off;"]


def _caddy(folder: Path, port: int, api: int) -> list[str]:
    tls = f"queue.example.org:{port} {{\n\ttls {folder}/proxy.crt {folder}/proxy.key"
    changes = {"queue.example.org {": tls, "127.0.0.1:8080": f"127.0.0.1:{api}"}
    sample = _changed((SAMPLES / "Caddyfile").read_text(), changes).replace("queue.example.org", "localhost")
    own = "{\n\tadmin off\n\tgrace_period 1s\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"
    (folder / "Caddyfile").write_text(own + sample)
    return [_program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _changed(sample: str, changes: dict[str, str]) -> str:
    for before, after in changes.items():
        assert before in sample, f"the sample has no {before!r}"
        sample = sample.replace(before, after)
    return sample


def _answers(proxy: Proxy) -> bool:
    try:
        with proxy.http() as client:
            return client.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_commands_go_through_it(proxy: Proxy) -> None:
    variables = {
        "TOKENQ_URL": proxy.url,
        "TOKENQ_TOKEN": proxy.api.token,
        "SSL_CERT_FILE": str(proxy.authority),
        "XDG_CONFIG_HOME": str(proxy.authority.parent / "config"),
    }
    for words in (["issue", "CW"], ["queue", "CW"], ["whoami"]):
        command = [sys.executable, "-m", "tokenq", *words]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_an_event_passes_at_once(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that collects what it passes on would keep it until much more has come."""
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.authority))
    stream = follow(Server(proxy.url, proxy.api.token), ["CW"], None, threading.Event())
    assert next(stream) == LinkChanged(is_live=True)
    with Client(proxy.url, proxy.api.token) as client:
        issued = client.issue("CW")
    arrival = next(stream)
    stream.close()
    assert isinstance(arrival, EventArrived)
    assert arrival.event.token_id == issued["tokenId"]


def test_a_forged_address_counts_as_the_clients_own(proxy: Proxy) -> None:
    """Row 32: wrong passwords are counted for the address that the proxy saw."""
    with proxy.http() as client:
        answers = [
            client.post(
                "/api/v1/auth/login",
                json={"username": f"nobody-{proxy.authority.parent.name}", "password": "wrong"},
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            ).status_code
            for number in range(12)
        ]
    assert answers[0] == 401
    assert 429 in answers


def test_a_request_has_the_proxy_s_id(proxy: Proxy) -> None:
    """So that its log can be compared with the API's; what a client sends is replaced."""
    with proxy.http() as client:
        ids = [client.get("/healthz", headers={"X-Request-Id": "chosen-by-a-client"}) for _ in range(2)]
    first, second = (answer.headers["x-request-id"] for answer in ids)
    assert first != second
    assert all(
        re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in (first, second)
    )


def test_figures_stay_inside(proxy: Proxy) -> None:
    with proxy.http() as client:
        assert client.get("/metrics").status_code == 404


def test_a_request_that_is_too_large_is_refused(proxy: Proxy) -> None:
    headers = {"Authorization": f"Bearer {proxy.api.token}", "Content-Type": "application/json"}
    with proxy.http(headers=headers) as client:
        assert client.post("/api/v1/departments/CW/tokens", content=b" " * 300_000).status_code == 413
