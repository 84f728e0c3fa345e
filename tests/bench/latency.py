"""How long one waits for an answer: at rest, and under load."""

from dataclasses import replace

from tests.bench import bare
from tests.bench.load import Load, Rate
from tests.bench.phases import send
from tests.bench.report import Part, Row, say
from tests.bench.running import bare_application, everything_running
from tests.bench.traffic import calls_and_serves, issues, same

_PAUSE = 0.05
_AT_REST = 3
"""How much longer than under load: there are few requests a second."""
_CONNECTIONS = (1, 8, 64, 256)


def measure(rounds: int, seconds: float) -> Part:
    """Alternate a bare POST, an issue and a call; of calls, the serves in between are not counted."""
    with everything_running() as running, bare_application() as (url, _):
        load = Load(running.stack.endpoints.api, running.stack.token, seconds=seconds)
        running.new_department("LAT")
        send(load, issues(load, "LAT"))  # so that there is always somebody to call
        kinds = {
            "bare POST": (replace(load, url=url), lambda one: same(one, bare.PATH)),
            "issue": (load, lambda one: issues(one, "LAT")),
            "call": (replace(load, counted=b"/call", group=2), lambda one: calls_and_serves(one, "LAT")),
        }
        found: dict[str, list[Rate]] = {}
        for number in range(1, rounds + 1):
            for name, settings in _loads(seconds):
                for kind, (one, script) in kinds.items():
                    say(f"round {number} of {rounds}: {kind}, {name}")
                    there = replace(one, **settings)
                    found.setdefault(f"{kind}, {name}", []).append(send(there, script(there)))
                running.rest.finish()
    rows = []
    for what, rates in found.items():
        count = f"{sum(rate.requests for rate in rates)} requests"
        rows.append(Row(f"{what}, p50 ms", [rate.p50_ms for rate in rates], seen=count))
        rows.append(Row(f"{what}, p99 ms", [rate.p99_ms for rate in rates]))
    return Part(f"Latency, {rounds} rounds", rows)


def _loads(seconds: float) -> list[tuple[str, dict[str, float]]]:
    at_rest = {"connections": 1, "pause": _PAUSE, "seconds": seconds * _AT_REST}
    under_load = [(f"{number} connections", {"connections": number, "seconds": seconds}) for number in _CONNECTIONS]
    return [("at rest", at_rest), *under_load]
