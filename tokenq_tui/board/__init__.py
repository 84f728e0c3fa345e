"""The lobby board: the numbers called, their counters, and how many wait. It never shows names or addresses."""

from tokenq_tui.board.app import of_server, of_topic, replay, run

__all__ = ["of_server", "of_topic", "replay", "run"]
