"""The denominator: FastAPI with one route, which takes the body of issuing a token and answers with as much as that.

Frozen. It imports nothing of tokenq, so that no work on tokenq changes what tokenq is divided by. Its flags are those
of ``tokenq server start``, and its loop and HTTP parser the ones that the server's own are made of.

``python -m tests.bench.bare PORT``
"""

import sys
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PATH = "/bare"
FLAGS = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "none",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": 5,
    "limit_concurrency": 4096,
    "backlog": 2048,
}
ANSWER: dict[str, Any] = {
    "tokenId": 100001, "tokenNo": 4711, "displayNumber": "B-4711", "departmentId": "B", "branchId": "main",
    "businessDay": "2026-11-22", "state": "WAITING", "priority": "normal", "userId": None, "name": None,
    "email": None, "counterId": None, "claimVersion": 0, "calls": 0, "reason": None, "position": 4711,
    "issuedAt": "2026-11-22T22:28:44.866Z", "calledAt": None, "startedAt": None, "servedAt": None,
    "estimate": None, "moves": ["call", "cancel"],
}  # fmt: skip
"""As long as a real one."""


class Body(BaseModel):
    """What issuing a token takes."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, validate_by_alias=True)

    user_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    email: Annotated[str, Field(pattern="^[^@\\s]+@[^@\\s]+$", max_length=254)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    priority: Literal["normal", "priority", "urgent"] = "normal"
    near_turn: Annotated[int, Field(ge=0, le=50)] | None = None
    force: bool = False


app = FastAPI()


@app.post(PATH, status_code=201)
async def post(body: Body) -> dict[str, Any]:
    """Answer at once, as such an application usually does."""
    return ANSWER


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), **FLAGS)
