"""What the shell may complete: names that the server knows, by the word that stands for them in the help.

A completion must not make anybody wait, so a server that does not answer at once completes nothing.
"""

from collections.abc import Callable, Iterable, Mapping

from tokenq.client import Client

_SECONDS = 0.15
"""How long the server may take; whoever types is faster than anything above."""
_MOST = 100
_LIVE = ("CALLED", "SERVING", "PARKED", "WAITING")

_ACTING = frozenset("\\`$\"'")
"""Characters that act within a shell's quotes. Not all of them are escaped on their way to zsh."""

Found = Iterable[tuple[str, str]]
"""Words, each with what it means."""


def _departments(client: Client) -> Found:
    return ((each["departmentId"], each["name"]) for each in client.departments())


def _tokens(client: Client) -> Found:
    for state in _LIVE:
        for each in client.tokens(state=state, limit=_MOST)["items"]:
            yield each["displayNumber"], f"{each['state'].lower()} in {each['departmentId']}"


def _branches(client: Client) -> Found:
    return ((each["branchId"], each["name"]) for each in client.branches())


def _counters(client: Client) -> Found:
    for branch in client.branches():
        for each in client.counters(branch["branchId"]):
            yield each["counterId"], f"{each['state'].lower()} in {branch['branchId']}"


def _users(client: Client) -> Found:
    return ((each["username"], f"{each['name']}, {each['role']}") for each in client.users() if each["username"])


def _keys(client: Client) -> Found:
    return ((str(each["keyId"]), f"{each['label']}, {each['role']}") for each in client.keys())  # noqa: SIM118


def _settings(_: Client) -> Found:
    from tokenq.cli.department_settings import NAMES
    from tokenq.contract.settings import SETTINGS

    for name, key in NAMES.items():
        for value in SETTINGS[key].choices or ("",):
            yield f"{name}={value}", SETTINGS[key].about


def _languages(_: Client) -> Found:
    from tokenq.locale import languages

    return ((tag, "") for tag in languages())


_FOUND_BY: Mapping[str, Callable[[Client], Found]] = {
    "DEPT": _departments,
    "TOKEN": _tokens,
    "BRANCH": _branches,
    "COUNTER": _counters,
    "C": _counters,
    "USER": _users,
    "KEY_ID": _keys,
    "NAME=VALUE": _settings,
    "TAG": _languages,
}
"""How to find what a word of the help stands for, such as ``DEPT`` in ``[DEPT]...``."""
_WITHOUT_CASE = frozenset({"DEPT", "TOKEN"})


def completer_of(metavar: str | None) -> Callable[[str], list[tuple[str, str]]] | None:
    """Return what completes a parameter that the help shows so; ``None`` if nothing does."""
    words = [word for word in (metavar or "").strip("[].").replace("]...", "").split("|") if word in _FOUND_BY]
    if not words:
        return None
    return lambda typed: [found for word in words for found in _complete(word, typed)]


def _harmless(found: Found) -> Found:
    """Leave out words that a shell could act on, and such characters of what they mean: zsh evaluates both."""
    for name, about in found:
        if _ACTING.isdisjoint(name) and name.isprintable():
            yield name, "".join(" " if each in _ACTING or not each.isprintable() else each for each in about)


def _complete(word: str, typed: str) -> list[tuple[str, str]]:
    from tokenq.cli.context import connect
    from tokenq.settings import load

    try:
        with connect(load(timeout=_SECONDS), attempts=1) as client:
            found = list(_harmless(_FOUND_BY[word](client)))
    except Exception:  # no server, no login, no rights: there is nothing to complete
        return []
    if word not in _WITHOUT_CASE:
        return [(name, about) for name, about in found if name.startswith(typed)]
    # The shell keeps only words that start with what was typed, in the same case.
    return [(typed + name[len(typed) :], about) for name, about in found if name.startswith(typed.upper())]
