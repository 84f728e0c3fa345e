"""The detached supervisor: ``python -m tokenq_server.embedded PIPE OPTIONS``, with the options as JSON.

It reports progress as JSON lines on the pipe until the API is ready, and then keeps running.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from json import dumps
from typing import Any

from tokenq.contract.problems import Refused
from tokenq_server.embedded.reports import Progress, UpOptions
from tokenq_server.embedded.supervisor import up


def main(pipe: str, options: str) -> int:
    """Run the supervisor; return its exit code."""
    news = os.fdopen(int(pipe), "w", buffering=1)
    os.set_inheritable(news.fileno(), False)
    os.chdir("/")

    def tell(kind: str, body: Any) -> None:
        with suppress(OSError, ValueError):  # the reader has gone
            news.write(dumps([kind, body]) + "\n")

    def tell_progress(progress: Progress) -> None:
        tell("progress", asdict(progress))

    try:
        return up(
            UpOptions.from_json(options),
            tell_progress,
            lambda endpoints: _finish(tell, endpoints.to_json(), news.close),
        )
    except Refused as refusal:
        tell("refused", refusal.problem.to_wire())
        return 1


def _finish(tell: Callable[[str, Any], None], endpoints: str, close: Callable[[], None]) -> None:
    tell("ready", endpoints)
    with suppress(OSError):
        close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
