"""All of tokenq on its own data folder, for tests from the outside."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tokenq.client import Client
from tokenq_server.embedded import Endpoints, UpOptions, down, start_detached, status

Enter = Callable[..., Client]
"""A client with a key of its own: a role and its departments."""


@dataclass(frozen=True)
class Stack:
    """A running ``tokenq up``."""

    data_dir: Path
    endpoints: Endpoints
    token: str
    """The admin key of this machine."""

    @property
    def environment(self) -> dict[str, str]:
        """What a client command needs to find it."""
        return {
            "TOKENQ_URL": self.endpoints.api,
            "TOKENQ_TOKEN": self.token,
            "TOKENQ_KAFKA_BOOTSTRAP": self.endpoints.kafka,
            "TOKENQ_DATA_DIR": str(self.data_dir),
        }

    def ask(
        self, method: str, path: str, body: Any = None, key: str | None = None, timeout: float = 10
    ) -> tuple[int, Any]:
        """Send a request as admin; return status and JSON. ``key`` is an idempotency key."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.endpoints.api + path, data, headers, method=method)
        try:
            with urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read() or b"null")


@contextmanager
def up_folder() -> Iterator[Path]:
    """A new data folder; at the end what runs on it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="tokenq-up-"))  # not pytest's: that is private, and its path may be too long
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        down(folder)
        shutil.rmtree(folder)


def start(data_dir: Path, *, port: int = 0, **options: Any) -> Stack:
    """Start it in the background on any free port; ``options`` are those of ``up``."""
    endpoints = start_detached(UpOptions(data_dir, port=port, **options), lambda progress: None)
    return Stack(data_dir, endpoints, Path(endpoints.admin_token_file).read_text().strip())


def kill_part(data_dir: Path, mark: str) -> None:
    """Kill what the supervisor has started with this in its command line, such as ``tokenq_server api``."""
    supervisor = status(data_dir).pid
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended by itself meanwhile
            if mark in Path(f"/proc/{child}/cmdline").read_text().replace("\0", " "):
                os.kill(int(child), signal.SIGKILL)
