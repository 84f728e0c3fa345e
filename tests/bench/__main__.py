"""``python -m tests.bench [PART]``: what tokenq costs, in comparison with something of the same run.

Nothing here passes or fails. Without a part: ``cost`` and ``programs``.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping

from tests.bench import cost, days, group_commit, growth, latency, programs, scale
from tests.bench.report import Part, say

_SIMULATED: Mapping[str, Callable[[], str]] = {"fairness": days.fairness, "estimates": days.estimates}
"""Days in simulated time: text without figures of this machine."""


def main() -> None:
    """Measure and print."""
    given = _arguments()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything anew would be most of what a start costs
    if given.part in _SIMULATED:
        print(_SIMULATED[given.part]())
        return
    measured = [_measure(name, given) for name in ([given.part] if given.part else ["cost", "programs"])]
    say("")
    if given.json:
        print(json.dumps([part.as_json() for part in measured], indent=2))
    else:
        print("\n\n".join(part.as_text() for part in measured))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts = ["cost", "latency", "programs", "growth", "batches", "scale", *_SIMULATED]
    parser.add_argument("part", nargs="?", choices=parts)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long each load runs")
    parser.add_argument("--idle-seconds", type=float, default=20.0, help="programs: how long to look at an idle one")
    parser.add_argument("--events", type=int, default=200_000, help="programs: what the board replays")
    parser.add_argument("--waiting", type=int, default=100_000, help="growth: tokens waiting in a department")
    parser.add_argument("--departments", type=int, default=1000, help="growth: departments with a past")
    parser.add_argument("--past", type=int, default=2_000_000, help="growth: tokens of earlier days, in all of them")
    parser.add_argument("--day", type=int, default=100_000, help="growth: tokens served today in that department")
    return parser.parse_args()


def _measure(name: str, given: argparse.Namespace) -> Part:
    if name == "cost":
        return cost.measure(given.rounds, given.seconds)
    if name == "scale":
        return scale.measure(given.rounds, given.seconds)
    if name == "latency":
        return latency.measure(given.rounds, given.seconds)
    if name == "programs":
        return programs.measure(given.rounds, given.idle_seconds, given.events)
    if name == "growth":
        sizes = growth.Sizes(given.waiting, given.departments, given.past, given.day)
        return growth.measure(sizes, given.rounds, given.seconds)
    return group_commit.measure(given.rounds, given.seconds)


if __name__ == "__main__":
    main()
