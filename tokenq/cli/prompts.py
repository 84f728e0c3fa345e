"""Prompts at a terminal; without one, nothing is asked."""

import getpass
import os
import sys
from functools import cache

import typer

from tokenq.cli.exits import WrongUse
from tokenq.errors import TokenqError
from tokenq.printable import printable


def confirm(question: str, *, yes: bool, needs_yes: bool = True) -> None:
    """Ask before an irreversible change; ``yes`` skips the question.

    Without a terminal, ``yes`` is required unless ``needs_yes`` is false.

    Raises:
        TokenqError: the answer was no.
        WrongUse: there is no terminal, and ``yes`` is required.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        if needs_yes:
            raise WrongUse(
                f"There is no terminal to ask on: {question}", "Nothing was changed. If you are sure, add --yes."
            )
        return
    if not typer.confirm(printable(question), err=True):
        raise TokenqError("Nothing was changed.")


def text(prompt: str, missing: str) -> str:
    """Ask for one line of text.

    Raises:
        WrongUse: there is no terminal; ``missing`` is the hint.
    """
    if not sys.stdin.isatty():
        raise WrongUse(f"{prompt} is missing.", missing)
    sys.stderr.write(f"{prompt}: ")
    sys.stderr.flush()
    return input().strip()


def password(prompt: str = "Password") -> str:
    """Return a password: TOKENQ_PASSWORD, else asked for without echo, else a line of stdin."""
    return os.environ.get("TOKENQ_PASSWORD") or secret(prompt)


def secret(prompt: str, missing: str = "Give it as a line on stdin, or in TOKENQ_PASSWORD.") -> str:
    """Ask for a secret without echo; without a terminal, read a line of stdin.

    Raises:
        WrongUse: stdin is empty; ``missing`` is the hint.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ", stream=sys.stderr)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise WrongUse(f"{prompt} is missing.", missing)
    return line


@cache
def new_password() -> str:
    """Return a new password: TOKENQ_PASSWORD, else typed twice at a terminal. Asks once, however often it is called.

    Raises:
        WrongUse: the two differ.
    """
    return os.environ.get("TOKENQ_PASSWORD") or chosen_secret("Password")


def chosen_secret(prompt: str) -> str:
    """Ask for a new secret, typed twice at a terminal.

    Raises:
        WrongUse: the two differ.
    """
    first = secret(prompt)
    if sys.stdin.isatty() and secret(f"{prompt} again") != first:
        raise WrongUse("The two entries differ.", "Try again.")
    return first
