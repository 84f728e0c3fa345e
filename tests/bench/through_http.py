"""Issuing, and calling and serving, through HTTP; compared with an empty POST to the same process."""

import asyncio
import itertools
import json
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

from tests.bench.api import EMPTY
from tests.bench.load import Load, Rate
from tests.bench.report import Ratio
from tests.stack import Stack
from tests.waiting import until
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import spawn, stop
from tokenq_server.embedded.programs import program

_BODY = b'{"email":"user@example.com","priority":"normal"}'
_DEPARTMENT = "/api/v1/departments/B"
_ROUNDS = 3

Script = Callable[[int], Callable[[bytes], bytes]]


def measure(stack: Stack, seconds: float) -> list[Ratio]:
    """Alternate the three kinds of request; the median of the rounds counts."""
    assert stack.ask("PUT", _DEPARTMENT, {"name": "Bench", "maxWaitMinutes": 600})[0] == 200
    with _api_process(stack) as url:
        load = Load(url, stack.token, seconds=seconds)
        kinds = {"empty": _empty(load), "issue": _issue(load), "call_serve": _call_serve(load)}
        asyncio.run(replace(load, seconds=1.0).run(kinds["issue"]))
        rounds = [{name: asyncio.run(load.run(kind)) for name, kind in kinds.items()} for _ in range(_ROUNDS)]
    rates = {name: _middle([measured[name] for measured in rounds]) for name in kinds}
    return [
        _ratio("durable issue / empty POST, 64 connections", rates["issue"], rates["empty"], 0.60),
        _ratio("call + serve / empty POST, 64 connections", rates["call_serve"], rates["empty"], 0.50),
    ]


@contextmanager
def _api_process(stack: Stack) -> Iterator[str]:
    where, port = stack.endpoints, free_port()
    settings = {
        "TOKENQ_PORT": str(port),
        "TOKENQ_DATABASE_URL": where.postgres,
        "TOKENQ_REDIS_URL": where.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": where.kafka,
        "TOKENQ_KAFKA_EMBEDDED": "1",
    }
    log = stack.data_dir / "bench-api.log"
    process = spawn(program("tests.bench.api", [], log, settings, []))
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: takes_tokens(url), lambda: log.read_text()[-2000:])
        yield url
    finally:
        stop(process, signal.SIGTERM, 10.0)


def _empty(load: Load) -> Script:
    request = load.post(EMPTY, _BODY, "x" * 16)
    return lambda connection: lambda answer: request


def _issue(load: Load) -> Script:
    run, numbers = secrets.token_hex(4), itertools.count()
    return lambda connection: lambda answer: load.post(f"{_DEPARTMENT}/tokens", _BODY, f"{run}-{next(numbers):07}")


def _call_serve(load: Load) -> Script:
    run, numbers = secrets.token_hex(4), itertools.count()

    def script(connection: int) -> Callable[[bytes], bytes]:
        counter = json.dumps({"counterId": f"c{connection}"}).encode()

        def following(answer: bytes) -> bytes:
            key = f"{run}-{next(numbers):07}"
            token = json.loads(answer) if answer else {}
            if token.get("state") == "CALLED":
                body = json.dumps({"claimVersion": token["claimVersion"]}).encode()
                return load.post(f"/api/v1/tokens/{token['tokenId']}/serve", body, key)
            return load.post(f"{_DEPARTMENT}/call", counter, key)

        return following

    return script


def _middle(rates: list[Rate]) -> Rate:
    return Rate(*(median(getattr(rate, name) for rate in rates) for name in ("per_second", "p50_ms", "p99_ms")))


def _ratio(what: str, ours: Rate, theirs: Rate, target: float) -> Ratio:
    note = f"{ours.per_second:.0f}/s of {theirs.per_second:.0f}/s; p50 {ours.p50_ms:.1f} ms, p99 {ours.p99_ms:.1f} ms"
    return Ratio(what, ours.per_second / theirs.per_second, f">= {target:.2f}", note)
