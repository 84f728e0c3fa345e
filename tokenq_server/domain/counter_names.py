"""Names of counters: which may be new, and what a mistyped one may have been meant to be."""

from collections.abc import Collection, Iterable, Sequence

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import CounterReason
from tokenq.contract.spelling import letters_of, similar_numbered

_NAMES_SHOWN = 10

Place = tuple[str, str]
"""A counter's key: branch and counter id."""


def check_looks_like_no_other(place: Place, known: Iterable[str]) -> None:
    """Check that the name of a new counter differs from the ``known`` ones of its branch in more than case or spaces.

    Boards and calls would show both alike.

    Raises:
        Refused: ``unknown_counter``, with the name that was presumably meant.
    """
    branch_id, counter_id = place
    if alike := [name for name in known if name != counter_id and letters_of(name) == letters_of(counter_id)]:
        raise refuse(CounterReason.MISSPELT, counter=counter_id, branch=branch_id, similar=", ".join(sorted(alike)))


def check_can_be_new(place: Place, declared: Sequence[str]) -> None:
    """Check that a counter may be created by its first use: no counter of its branch is ``declared``.

    Otherwise its name is presumably a typing mistake, and customers would be sent to a desk that does not exist.

    Raises:
        Refused: ``unknown_counter``, with the declared names that may have been meant.
    """
    if not declared:
        return
    branch_id, counter_id = place
    if similar := similar_numbered(counter_id, declared):
        named = ", ".join(similar)
        raise refuse(CounterReason.UNDECLARED_MISSPELT, counter=counter_id, branch=branch_id, similar=named)
    names = sorted(declared, key=lambda name: (len(name), name))
    shown = [*names[:_NAMES_SHOWN], *(["…"] if len(names) > _NAMES_SHOWN else [])]
    raise refuse(CounterReason.UNDECLARED, counter=counter_id, branch=branch_id, counters=shown)


def check_listed(names: Iterable[str], branch_id: str, known: Collection[str], declared: Sequence[str]) -> None:
    """Check the counters that a setting names, as for a first use.

    Raises:
        Refused: ``unknown_counter`` for a name that is not ``known``.
    """
    for name in names:
        if name not in known:
            check_looks_like_no_other((branch_id, name), known)
            check_can_be_new((branch_id, name), declared)


def unknown_counter(place: Place, known: Iterable[str] = ()) -> Refused:
    """There is no such counter; says which of the ``known`` ones of its branch may have been meant."""
    branch_id, counter_id = place
    if similar := similar_numbered(counter_id, known):
        return refuse(CounterReason.MISSPELT, counter=counter_id, branch=branch_id, similar=", ".join(similar))
    return refuse(CounterReason.UNKNOWN, counter=counter_id, branch=branch_id)
