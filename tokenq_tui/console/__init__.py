"""The staff console: see the queue, call, serve and correct mistakes."""

from tokenq_tui.console.app import run

__all__ = ["run"]
