"""A real Prometheus that watches a running system with the rules in deploy/prometheus, in less time than at night."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.stack import Stack
from tests.waiting import until
from tokenq_server.embedded.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
_SCRAPE_SECONDS = 1

_CONFIGURATION = """
global: {{scrape_interval: {every}s, evaluation_interval: {every}s, scrape_timeout: {every}s}}
rule_files: [alerts.yml]
scrape_configs: [{jobs}]
"""


@dataclass(frozen=True)
class Prometheus:
    """It, by its address."""

    url: str

    def query(self, expression: str) -> list[Any]:
        """The series that an expression has now."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        found: list[Any] = answer["data"]["result"]
        return found

    def firing(self) -> set[str]:
        """The names of the alerts about the system that fire; those about the floor have nobody who opens counters."""
        alerts = httpx.get(f"{self.url}/api/v1/alerts", timeout=10).json()["data"]["alerts"]
        labels = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
        return {each["alertname"] for each in labels if each["severity"] != "floor"}

    def until_fires(self, alert: str, seconds: float = 120) -> None:
        """Return as soon as this alert fires."""
        until(lambda: time.sleep(0.2) or alert in self.firing(), lambda: f"{alert} not among {self.firing()}", seconds)

    def until_none_fires(self) -> None:
        """Return as soon as it sees nothing wrong."""
        until(lambda: time.sleep(0.2) or not self.firing(), lambda: str(self.firing()), 120)


@contextmanager
def prometheus(stack: Stack, folder: Path) -> Iterator[Prometheus]:
    """Start it on a running system; its files are in the folder."""
    port = free_port()
    (folder / "alerts.yml").write_text(_hasty(RULES.read_text()))
    where = {"api": stack.endpoints.api, "relay": stack.endpoints.relay, "notify": stack.endpoints.notify}
    jobs = ", ".join(
        f"{{job_name: tokenq-{name}, static_configs: [{{targets: ['{urlsplit(url).netloc}']}}]}}"
        for name, url in where.items()
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text(_CONFIGURATION.format(every=_SCRAPE_SECONDS, jobs=jobs))
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    found = Prometheus(f"http://127.0.0.1:{port}")
    try:
        until(lambda: _is_ready(found), (folder / "prometheus.log").read_text)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _hasty(rules: str) -> str:
    """The same rules, which wait seconds where these wait minutes."""
    rules = re.sub(r"for: \d+m", f"for: {2 * _SCRAPE_SECONDS}s", rules)
    return re.sub(r"\[(5|10)m\]", "[15s]", rules)


def _is_ready(server: Prometheus) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{server.url}/-/ready").status_code == 200 and len(server.query("up")) == 3
    return False
