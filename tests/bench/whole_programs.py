"""Whole programs: one ``tokenq issue``, and ``tokenq up`` to the first token."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import median
from urllib.parse import urlsplit

from tests.bench.report import Ratio
from tests.stack import Stack, start, up_folder
from tokenq_server.embedded import down

_TIMES = 15
_BARE = """
import http.client, json, os, sys
connection = http.client.HTTPConnection(os.environ["BENCH_ADDRESS"], timeout=10)
headers = {"Authorization": "Bearer " + os.environ["TOKENQ_TOKEN"], "Content-Type": "application/json"}
connection.request("POST", "/api/v1/departments/P/tokens", json.dumps({"priority": "normal"}), headers)
answer = connection.getresponse()
token = json.loads(answer.read())
print(token["displayNumber"], token["state"])
sys.exit(answer.status != 201)
"""


def measure(stack: Stack) -> list[Ratio]:
    """Alternate both programs; medians count."""
    assert stack.ask("PUT", "/api/v1/departments/P", {"name": "Programs"})[0] == 200
    address = urlsplit(stack.endpoints.api).netloc
    environ = {**os.environ, **stack.environment, "BENCH_ADDRESS": address}
    ours, bare = [], []
    for _ in range(_TIMES):
        bare.append(_wall(["-c", _BARE], environ))
        ours.append(_wall(["-m", "tokenq", "issue", "P"], environ))
    seen = f"{median(ours) * 1e3:.0f} ms of {median(bare) * 1e3:.0f} ms"
    return [Ratio("`tokenq issue` / bare interpreter with http.client", median(ours) / median(bare), "<= 2.5", seen)]


def measure_up() -> list[Ratio]:
    """From ``up`` to a token, on a new folder and again on the same one."""
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(3):
        with up_folder() as folder:
            for seconds in (cold, warm):
                began = time.perf_counter()
                stack = start(folder)
                assert stack.ask("PUT", "/api/v1/departments/U", {"name": "Up"})[0] == 200
                assert stack.ask("POST", "/api/v1/departments/U/tokens", {})[0] == 201
                seconds.append(time.perf_counter() - began)
                down(folder)
    return [
        Ratio("`tokenq up` to the first token, cold, s", median(cold), "<= 4", _each(cold)),
        Ratio("`tokenq up` to the first token, warm, s", median(warm), "<= 2", _each(warm)),
    ]


def _wall(arguments: list[str], environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _each(times: list[float]) -> str:
    return ", ".join(f"{seconds:.1f} s" for seconds in times)
