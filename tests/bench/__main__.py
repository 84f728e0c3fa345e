"""``python -m tests.bench [fairness|estimates] [--json] [--seconds N]``: ratios within one run.

Nothing here passes or fails: a figure means something only in comparison with the other one in its row.
"""

import argparse
import json
import os

from tests.bench import days, group_commit, through_http, whole_programs
from tests.bench.report import table
from tests.stack import start, up_folder


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long each load runs")
    parser.add_argument("part", nargs="?", choices=["fairness", "estimates"], help="only this, in simulated time")
    given = parser.parse_args()
    if given.part:
        print({"fairness": days.fairness, "estimates": days.estimates}[given.part]())
        return
    # Counted, and never reached: all numbers are issued by one key, for one address.
    os.environ |= {"TOKENQ_LIMIT_STAFF_ISSUES": "1000000", "TOKENQ_LIMIT_LETTERS": "1000000"}
    ratios = whole_programs.measure_up()
    with up_folder() as folder:
        stack = start(folder)
        ratios += whole_programs.measure(stack)
        ratios += group_commit.measure(stack, given.seconds)
        ratios += through_http.measure(stack, given.seconds)
    print(json.dumps([ratio.as_json() for ratio in ratios], indent=2) if given.json else table(ratios))


if __name__ == "__main__":
    main()
