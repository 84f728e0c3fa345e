"""The staff console: see who waits, call, serve, and put right what went wrong."""

from tokenq_tui.console.app import run

__all__ = ["run"]
