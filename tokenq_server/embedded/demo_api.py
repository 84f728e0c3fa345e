"""The demo's own small client: one request at a time, over the public HTTP API."""

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 10.0


class Away(Exception):
    """The API does not answer now; it may later."""


class DemoApi:
    """Calls the API with the machine's admin key."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._where = urlsplit(url)
        self._token_file = token_file

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the JSON document of the answer.

        Raises:
            Away: there was no answer, or none from the API.
        """
        connection = HTTPConnection(self._where.hostname or "", self._where.port, timeout=_SECONDS)
        try:
            # Read each time: the API may have made a new key.
            token = self._token_file.read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            document = json.loads(answer.read() or b"{}")
        except (OSError, HTTPException, ValueError) as error:
            raise Away(str(error)) from error
        finally:
            connection.close()
        return answer.status, document
