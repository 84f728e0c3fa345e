"""The next step for somebody who types ``tokenq`` alone in a terminal."""

import threading
from contextlib import suppress

from tokenq.cli.context import connect, identify
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import Unreachable
from tokenq.settings import load

MAKE_A_DEPARTMENT = "tokenq dept create 'Customer window' --id CW"
_SECONDS = 2.0
"""How long the server may take for an answer."""
_MOST_SECONDS = 5.0
"""How long a menu may take, whatever is slow: the search for an address by its name knows no timeout."""


def next_step_in_time() -> str:
    """Return what ``next_step`` does; empty if it fails, or takes too long."""
    found: list[str] = []

    def ask() -> None:
        with suppress(Exception):
            found.append(next_step())

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_MOST_SECONDS)
    return found[0] if found else ""


def next_step() -> str:
    """Return two short lines: how things are, and the next command. Empty if the server cannot say.

    The command starts a server, signs in, or makes a department; where there is one, it shows who waits.

    Raises:
        TokenqError: the server's certificate or answer is not as it should be.
        Refused: a setting is wrong.
    """
    settings = load(timeout=_SECONDS)
    url = identify(settings).url
    try:
        with connect(settings, attempts=1) as client:
            departments = client.departments()
    except Unreachable:
        return (
            f"No server answers at {url}.\n  Start one here: 'tokenq up', or 'tokenq up --demo' to look around first."
        )
    except Refused as refusal:
        is_stranger = refusal.problem.code is ProblemCode.UNAUTHENTICATED
        return f"You are not signed in at {url}.\n  Sign in: 'tokenq login {url}'." if is_stranger else ""
    if not departments:
        return f"There is no department yet at {url}.\n  An admin makes the first one: {MAKE_A_DEPARTMENT}"
    first = departments[0]["departmentId"]
    return f"tokenq runs at {url}.\n  See who waits: 'tokenq queue {first}'. Serve them: 'tokenq console {first}'."
