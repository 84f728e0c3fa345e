"""The benchmark measures what it says, on real servers: sizes are tiny, figures mean nothing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import main
from tests.bench.processes import PROGRAMS


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a part; returns its document."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["bench", *words, "--json", "--rounds", "1"])
        main()
        (part,) = json.loads(capsys.readouterr().out)
        assert all(figure > 0 for row in part["rows"] for figure in row["figures"]), part["rows"]
        return part

    return run


def test_cost_counts_the_cpu_time_of_every_program(bench: Callable[..., Any]) -> None:
    part = bench("cost", "--seconds", "0.5")
    targets = [row["what"] for row in part["rows"] if row["target"]]
    assert len(targets) == 11, targets
    (phases,) = part["raw"]
    assert list(phases) == ["bare", "empty", "issue", "letter", "call_serve"]
    for program in PROGRAMS:
        assert sum(phases[kind]["cpuMicroseconds"].get(program, 0) for kind in phases) > 0, program
    for kind in ("issue", "letter", "call_serve"):
        assert set(phases[kind]["cpuMicroseconds"]) == set(PROGRAMS)
        assert phases[kind]["events"] >= phases[kind]["requests"] > 0
    assert phases["letter"]["cpuMicroseconds"]["notify"] > phases["issue"]["cpuMicroseconds"]["notify"]


def test_growth_compares_with_a_filled_place_that_verify_finds_in_order(bench: Callable[..., Any]) -> None:
    """The command of that name is among what is measured, and must succeed."""
    sizes = ("--waiting", "300", "--departments", "3", "--past", "600", "--day", "60")
    part = bench("growth", *sizes, "--seconds", "0.3")
    assert [row["what"] for row in part["rows"]] == [
        "issue",
        "call or serve",
        "queue view",
        "why",
        "a token with its estimate",
        "start of a board that asks the server",
        "start of a board that reads Kafka, per event of today",
        "report of the day, per token",
        "verify, per entry",
    ]
