"""Questions to the person at the terminal; without one, nothing is asked."""

import getpass
import os
import sys

import typer

from tokenq.cli.exits import WrongUse
from tokenq.errors import TokenqError
from tokenq.printable import printable


def confirm(question: str, *, yes: bool, needs_yes: bool = True) -> None:
    """Ask before something is lost for good; where nobody can be asked, a script must have said ``yes``.

    ``needs_yes`` false: where nobody can be asked, it goes on unasked.

    Raises:
        TokenqError: the answer was no.
        WrongUse: nobody is there to ask.
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
    """One line of text.

    Raises:
        WrongUse: nobody is there to ask; ``missing`` says what to give instead.
    """
    if not sys.stdin.isatty():
        raise WrongUse(f"{prompt} is missing.", missing)
    sys.stderr.write(f"{prompt}: ")
    sys.stderr.flush()
    return input().strip()


def password(prompt: str = "Password") -> str:
    """A password: TOKENQ_PASSWORD, else asked without echo, else one line of stdin."""
    return os.environ.get("TOKENQ_PASSWORD") or secret(prompt)


def secret(prompt: str) -> str:
    """A secret, asked without echo, else one line of stdin.

    Raises:
        WrongUse: there is none.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ", stream=sys.stderr)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise WrongUse(f"{prompt} is missing.", "Give it as a line on stdin, or in TOKENQ_PASSWORD.")
    return line


def new_password() -> str:
    """A password that is being chosen; typed twice at a terminal.

    Raises:
        WrongUse: the two differ.
    """
    known = os.environ.get("TOKENQ_PASSWORD")
    return known or chosen_secret("Password")


def chosen_secret(prompt: str) -> str:
    """A secret that is being chosen; typed twice at a terminal.

    Raises:
        WrongUse: the two differ.
    """
    first = secret(prompt)
    if sys.stdin.isatty() and secret(f"{prompt} once more") != first:
        raise WrongUse("The two are not the same.", "Try again.")
    return first
