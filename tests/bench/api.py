"""The API with one more route: a POST with the same body as issuing a token, which does nothing."""

import json
from typing import Any

import uvicorn
from fastapi import Response

from tokenq_server import logs, settings
from tokenq_server.api.app import create_app
from tokenq_server.api.schemas import IssueToken

EMPTY = "/empty"
TOKEN: dict[str, Any] = {
    "tokenId": 100001, "tokenNo": 4711, "displayNumber": "B-4711", "departmentId": "B", "branchId": "main",
    "businessDay": "2026-11-22", "state": "WAITING", "priority": "normal", "userId": None, "name": None,
    "email": None, "counterId": None, "claimVersion": 0, "calls": 0, "reason": None, "position": 4711,
    "issuedAt": "2026-11-22T22:28:44.866Z", "calledAt": None, "startedAt": None, "servedAt": None,
    "estimate": None, "moves": ["call", "cancel"],
}  # fmt: skip
"""As long as a real response."""


def main() -> None:
    """Serve like ``tokenq server start``."""
    logs.to_stderr()
    read = settings.load()
    app = create_app(read)
    answer = json.dumps(TOKEN, separators=(",", ":"))

    @app.post(EMPTY, status_code=201)
    async def empty(body: IssueToken) -> Response:
        return Response(answer, 201, media_type="application/json")

    uvicorn.run(
        app,
        host=read.host,
        port=read.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
