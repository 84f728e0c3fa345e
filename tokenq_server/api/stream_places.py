"""How many streams each caller may have open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.domain.principal import Principal

_MOST_PER_CALLER = 32
_open: Counter[str] = Counter()


@contextmanager
def place_of(caller: Principal) -> Iterator[None]:
    """Take one of the caller's places for as long as this lasts. Raises Refused (``rate_limited``) if none is left.

    Counted where it is checked, so that many requests at once get no more places than one after the other.
    """
    if _open[caller.identity] >= _MOST_PER_CALLER:
        raise refuse(RequestReason.TOO_MANY_STREAMS, {"retryAfter": 5}, seconds=5)
    _open[caller.identity] += 1
    try:
        yield
    finally:
        _open[caller.identity] -= 1
        if not _open[caller.identity]:
            del _open[caller.identity]
