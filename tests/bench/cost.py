"""What a request costs: CPU time of every program, divided by that of an empty POST to a bare FastAPI application.

How busy the machine is changes these ratios little; the rates beside them, a lot.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from tests.bench import bare
from tests.bench.api import EMPTY
from tests.bench.load import Load
from tests.bench.phases import Phase, of_everything, of_one_process, send
from tests.bench.report import Part, Row, say
from tests.bench.running import Running, api_with_empty_route, bare_application, everything_running
from tests.bench.traffic import calls_and_serves, issues, issues_with_letters, same

_WARM_UP_SECONDS = 0.3

Round = dict[str, Phase]
"""A phase of each kind: ``bare``, ``empty``, ``issue``, ``letter``, ``call_serve``."""


def measure(rounds: int, seconds: float) -> Part:
    """Run all kinds one after the other, that many times, each time on everything new.

    What has gone before would count otherwise: the embedded broker's work per record grows with what it holds.
    """
    with bare_application() as (url, pid):
        load = Load(url, "", seconds=seconds)
        send(replace(load, seconds=_WARM_UP_SECONDS), same(load, bare.PATH))
        done = []
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}: starting everything")
            with everything_running() as running:
                done.append(_one_round(running, load, pid, f"round {number} of {rounds}: "))
    raw = [{kind: phase.as_json() for kind, phase in each.items()} for each in done]
    return Part(f"Cost in empty POSTs of a bare FastAPI application, {rounds} rounds", _rows(done), raw)


def _one_round(running: Running, bare_load: Load, bare_pid: int, where: str) -> Round:
    load = replace(bare_load, url=running.stack.endpoints.api, token=running.stack.token)
    for name in ("WARM", "ISSUE", "LETTER"):
        running.new_department(name)
    send(replace(load, seconds=_WARM_UP_SECONDS), issues(load, "WARM"))
    running.rest.finish()
    done: Round = {}
    say(where + "bare POST")
    done["bare"] = of_one_process(bare_load, same(replace(load, url=bare_load.url), bare.PATH), bare_pid)
    say(where + "tokenq's own empty POST")
    with api_with_empty_route(running.stack) as (url, pid):
        there = replace(load, url=url)
        send(replace(there, seconds=_WARM_UP_SECONDS), same(there, EMPTY))
        done["empty"] = of_one_process(there, same(there, EMPTY), pid)
    say(where + "issue")
    done["issue"] = of_everything(running, load, issues(load, "ISSUE"))
    say(where + "issue with letter")
    sent = running.rest.letters()
    done["letter"] = of_everything(running, load, issues_with_letters(load, "LETTER"))
    sent = running.rest.letters() - sent
    assert sent == done["letter"].rate.requests, f"{sent} letters were sent, for {done['letter'].rate.requests} tokens"
    say(where + "call and serve")
    done["call_serve"] = of_everything(running, replace(load, group=2), calls_and_serves(load, "ISSUE"))
    return done


def _rows(rounds: Sequence[Round]) -> list[Row]:
    bare_seconds = [each["bare"].per_request() for each in rounds]

    def per_request(kind: str, *programs: str) -> list[float]:
        return [each[kind].per_request(*programs) / unit for each, unit in zip(rounds, bare_seconds, strict=True)]

    def per_event(program: str) -> list[float]:
        return [each["issue"].per_event(program) / unit for each, unit in zip(rounds, bare_seconds, strict=True)]

    without, more = per_request("issue", "postgres"), per_request("letter", "notify", "postgres")
    letter = [with_letter - less for with_letter, less in zip(more, without, strict=True)]
    rates = [each["issue"].rate.per_second / each["bare"].rate.per_second for each in rounds]
    return [
        Row("bare POST, µs", [seconds * 1e6 for seconds in bare_seconds], seen=_rate(rounds, "bare")),
        Row("API, per durable issue", per_request("issue", "api"), "<= 2.0", _rate(rounds, "issue")),
        Row("API, per call or serve", per_request("call_serve", "api"), "<= 2.5", _rate(rounds, "call_serve")),
        Row("tokenq's own empty POST", per_request("empty"), "<= 1.2", _rate(rounds, "empty")),
        Row("PostgreSQL, per issue without letter", without, "<= 0.6"),
        Row("relay, per event", per_event("relay"), "<= 0.3"),
        Row("notify, per event without letter", per_event("notify"), "<= 0.2"),
        Row("notify + PostgreSQL, per letter", letter, "<= 4", "without what PostgreSQL does for the issue"),
        Row("embedded broker, per event", per_event("broker"), "<= 0.5"),
        Row("everything, per issue without letter", per_request("issue"), "<= 4"),
        Row("everything, per issue with its letter", per_request("letter"), "<= 9", _rate(rounds, "letter")),
        Row("durable issues/s beside bare POSTs/s", rates, ">= 0.35"),
        Row("Valkey, per issue without letter", per_request("issue", "valkey")),
        Row("PostgreSQL, per call or serve", per_request("call_serve", "postgres")),
        Row("everything, per call or serve", per_request("call_serve")),
    ]


def _rate(rounds: Sequence[Round], kind: str) -> str:
    rates = [each[kind].rate for each in rounds]
    p50, p99 = median(rate.p50_ms for rate in rates), median(rate.p99_ms for rate in rates)
    return f"{median(rate.per_second for rate in rates):.0f}/s; p50 {p50:.1f} ms, p99 {p99:.1f} ms"
