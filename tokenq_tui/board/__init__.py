"""The lobby board: who is called, to which counter, and how many wait. It shows numbers, never names or addresses."""

from tokenq_tui.board.app import replay, run

__all__ = ["replay", "run"]
