"""The front desk: issue numbers at a key, print their tickets, and find a number by its ticket."""

from tokenq_tui.desk.app import run

__all__ = ["run"]
