"""Threads that go on: what ends their work is told, and the work begins again."""

import threading
from collections.abc import Callable


def start_lasting(
    name: str, work: Callable[[], None], failed: Callable[[Exception], object], stop: threading.Event, pause: float
) -> threading.Thread:
    """Do work in a thread of this name until ``stop`` is set; begin again ``pause`` seconds after it ended.

    ``failed`` gets what the work raised.
    """

    def keep() -> None:
        while not stop.is_set():
            try:
                work()
            except Exception as error:
                failed(error)
            stop.wait(pause)

    thread = threading.Thread(target=keep, name=name, daemon=True)
    thread.start()
    return thread
