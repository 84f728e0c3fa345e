"""A call of the API: JSON out, JSON in, retried with the same idempotency key after a connection failure."""

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote, urlencode

from tokenq.client.transport import CutOff, NothingSent, Reply, Server, Transport
from tokenq.contract.advice import Action
from tokenq.contract.paths import IDEMPOTENCY_KEY_HEADER
from tokenq.contract.problems import Problem, ProblemCode, Refused
from tokenq.contract.reasons.system import FieldReason
from tokenq.errors import BadReply, InterruptedChange, OlderServer, Unreachable
from tokenq.locale import N_

ATTEMPTS = 5
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_REPEATABLE = frozenset({"GET", "PUT"})
_BUSY = 503
_UNSURE = N_("The server may have carried it out: check before you retry.")
_SAFE = N_("The server may have carried it out; it is safe to do the same again.")
_NO_SUCH_OPERATION = frozenset({ProblemCode.NOT_FOUND, ProblemCode.METHOD_NOT_ALLOWED})
"""About the address of a request; a thing that does not exist has another code."""


class Calls:
    """The base of :class:`tokenq.client.Client`: sends requests, with retries.

    A repeatable call (GET, PUT, and POST with an idempotency key) is tried up to ``attempts`` times within the server's
    ``timeout``, with growing random pauses, if the connection was lost or the server was too busy. The key stays the
    same, so the server carries it out once. Other calls are retried only if nothing can have been sent.
    """

    def __init__(self, server: Server, attempts: int = ATTEMPTS) -> None:
        self.server = server
        self.attempts = attempts
        self._transport = Transport(server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the server; a later call opens a new one."""
        self._transport.close()

    def get(self, path: str, **query: Any) -> Any:
        """GET ``path``; query parameters that are ``None`` are left out, lists repeat the name."""
        return self._call("GET", path, query=query)

    def all_of(self, path: str) -> list[Any]:
        """Every item of a list, whatever the number of pages."""
        page = self.get(path)
        items: list[Any] = page["items"]
        while page["nextCursor"]:
            page = self.get(path, cursor=page["nextCursor"])
            items = items + page["items"]
        return items

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST a change without an idempotency key."""
        return self._call("POST", path, body=body)

    def post_once(self, path: str, body: Mapping[str, Any], key: str | None) -> Any:
        """POST with an idempotency key (generated unless given), so that a retry does nothing twice."""
        return self._call("POST", path, body=body, key=key or new_key())

    def patch_once(self, path: str, body: Mapping[str, Any], key: str | None) -> Any:
        """PATCH with an idempotency key, as :meth:`post_once`."""
        return self._call("PATCH", path, body=body, key=key or new_key())

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """PUT the whole of something."""
        return self._call("PUT", path, body=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH a part of something."""
        return self._call("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        """DELETE something."""
        self._call("DELETE", path)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        timeout: float = 0.0,
    ) -> Any:
        """Send a call and return its answer; ``timeout`` is for what may take longer than the server's timeout."""
        try:
            return self._try(method, path, query, body, key, timeout)
        except KeyboardInterrupt:
            if method == "GET":
                raise
            interrupted = InterruptedChange(hint=_SAFE if method == "PUT" else _UNSURE)
            interrupted.key = key
            raise interrupted from None

    def _try(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        key: str | None,
        timeout: float,
    ) -> Any:
        target = path + _query_string(query or {})
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        headers = self._headers(content, key)
        may_repeat = method in _REPEATABLE or key is not None
        give_up = time.monotonic() + max(self.server.timeout, timeout)
        is_unsure = False
        for attempt in range(1, self.attempts + 1):
            left = give_up - time.monotonic()
            try:
                reply = self._transport.exchange(method, target, content, headers, timeout=left)
            except (NothingSent, CutOff) as error:
                pause = _pause(attempt)
                is_unsure = is_unsure or (method != "GET" and isinstance(error, CutOff))
                if self._is_over(attempt, give_up - pause) or not (may_repeat or isinstance(error, NothingSent)):
                    if is_unsure:
                        error.is_unsure, error.key = True, key
                        error.hint_source = _SAFE if method == "PUT" else _UNSURE
                    raise
                time.sleep(pause)
                continue
            pause = _pause(attempt, reply.headers.get("retry-after"))
            if reply.status == _BUSY and may_repeat and not self._is_over(attempt, give_up - pause):
                time.sleep(pause)
                continue
            return _read(reply, self.server.url, key, is_unsure=is_unsure)
        raise Unreachable

    def _is_over(self, attempt: int, latest: float) -> bool:
        """Return whether no other attempt follows: the timeout covers all attempts together."""
        return attempt == self.attempts or time.monotonic() >= latest

    def _headers(self, content: bytes | None, key: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "tokenq"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self.server.token:
            headers["Authorization"] = f"Bearer {self.server.token}"
        if key is not None:
            headers[IDEMPOTENCY_KEY_HEADER] = key
        return headers


def new_key() -> str:
    """Return a new idempotency key."""
    return os.urandom(16).hex()


def segment(value: object) -> str:
    """Quote a value as one path segment."""
    return quote(str(value), safe="")


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not ``None``."""
    return {name: value for name, value in fields.items() if value is not None}


def _query_string(query: Mapping[str, Any]) -> str:
    text = urlencode(given(**query), doseq=True)
    return f"?{text}" if text else ""


def _pause(attempt: int, retry_after: str | None = None) -> float:
    """Return the seconds to wait: what the server asked for (at most five), else doubling, always with jitter."""
    longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    wait = random.uniform(longest / 2, longest)  # noqa: S311 - spreads clients, guards nothing
    if retry_after and retry_after.isascii() and retry_after.isdigit():
        return min(int(retry_after) + wait / 4, _LONGEST_PAUSE)
    return wait


def _read(reply: Reply, url: str, key: str | None = None, *, is_unsure: bool = False) -> Any:
    """Return the answer's JSON object. A refusal that leaves the outcome of a change open carries the change's key.

    Raises:
        OlderServer: the server does not know this operation.
        BadReply: the answer is not a tokenq server's.
        Refused: the server refuses.
    """
    if 300 <= reply.status < 400:
        raise BadReply(
            N_("{url} redirects to {target}; the token is not sent there."),
            N_("Set TOKENQ_URL to the address of the tokenq server itself."),
            url=url,
            target=reply.headers.get("location", "another address"),
        )
    if reply.status == 204:
        return None
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        body = None
    if 200 <= reply.status < 300 and isinstance(body, dict):
        return body
    if reply.status >= 400 and (isinstance(body, dict) or reply.status == _BUSY):
        problem = _seen_from_here(Problem.from_wire(body, reply.status), url)
        in_doubt = problem.advice is not None and problem.advice.action is Action.REPEAT_WITH_KEY
        if key is not None and reply.status == _BUSY and (is_unsure or in_doubt):
            problem = replace(problem, extra={**problem.extra, "idempotencyKey": key})
        raise Refused(problem)
    raise BadReply(N_("{url} answered {status}, but not like a tokenq server."), url=url, status=reply.status)


def _seen_from_here(problem: Problem, url: str) -> Problem:
    """Return a server's refusal; where an older release may be the cause, its hint says so.

    Raises:
        OlderServer: the server does not know this operation.
    """
    if problem.code in _NO_SUCH_OPERATION:
        raise OlderServer(
            N_("{url} is of an older release of tokenq, which cannot do this."),
            N_("Update the server. If it is up to date, check the address."),
            url=url,
        )
    if "field" in problem.extra and problem.reason in (None, FieldReason.UNKNOWN.id):
        # The client sends no fields that its own release does not know; a server without reasons is of the one before.
        return replace(problem, hint="Correct it, or update the server: its older release may not know this.")
    return problem
