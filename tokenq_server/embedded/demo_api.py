"""The demo's own small client: one request at a time, over the public HTTP API."""

import json
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tokenq_server.embedded.addresses import connection

_SECONDS = 10.0


class Away(Exception):
    """The API does not answer now; it may later."""


class DemoApi:
    """Calls the API with the machine's admin key."""

    def __init__(self, url: str, token_file: Path, fingerprint: str = "") -> None:
        self._url, self._token_file, self._fingerprint = url, token_file, fingerprint

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the JSON document of the answer.

        Raises:
            Away: there was no answer, or none from the API.
        """
        api = connection(self._url, self._fingerprint, _SECONDS)
        try:
            # Read each time: the API may have made a new key.
            token = self._token_file.read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            api.request(method, path, None if body is None else json.dumps(body), headers)
            answer = api.getresponse()
            document = json.loads(answer.read() or b"{}")
        except (OSError, HTTPException, ValueError) as error:
            raise Away(str(error)) from error
        finally:
            api.close()
        return answer.status, document
