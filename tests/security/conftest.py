"""The command line as a process of its own, as in its own tests."""

from tests.cli.conftest import cli, home

__all__ = ["cli", "home"]
