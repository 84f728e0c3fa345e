"""``python -m tokenq_server api|relay|notify|migrate|rebuild``."""

import sys

from tokenq.contract.problems import Refused
from tokenq_server import programs


def main() -> int:
    """Run the program named by the first argument."""
    try:
        return programs.run(sys.argv[1])
    except Refused as refusal:
        sys.stderr.write(f"tokenq: {refusal.problem.detail} {refusal.problem.hint}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
