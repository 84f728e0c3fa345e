"""The API as it is started, with one more route: a POST with the same body as issuing a token, which does nothing."""

import json
import sys
from collections.abc import Callable

from fastapi import FastAPI, Response

from tests.bench.bare import ANSWER
from tokenq_server import programs
from tokenq_server.api import app as product
from tokenq_server.api.schemas import IssueToken

EMPTY = "/empty"


def with_empty_route(create: Callable[..., FastAPI]) -> Callable[..., FastAPI]:
    """Add the route to what the product makes: a request passes all of its layers, and then does nothing."""

    def create_app(*arguments: object) -> FastAPI:
        app = create(*arguments)
        answer = json.dumps(ANSWER, separators=(",", ":"))

        @app.post(EMPTY, status_code=201)
        async def empty(body: IssueToken) -> Response:
            return Response(answer, 201, media_type="application/json")

        return app

    return create_app


if __name__ == "__main__":
    product.create_app = with_empty_route(product.create_app)
    sys.exit(programs.run("api"))
