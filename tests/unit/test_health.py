"""What the health routes say while a part is away."""

from types import SimpleNamespace

import pytest

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import RequestReason, StoreReason
from tokenq_server.adapters.metrics.api import Metrics
from tokenq_server.api.routes.health import _state, metrics
from tokenq_server.domain.wait_alarms import WaitFigures
from tokenq_server.services.ports import LedgerDown


async def test_a_ready_part_says_its_own_state_or_answers() -> None:
    async def answer(what: bool | str | None) -> bool | str | None:
        return what

    async def refuse() -> None:
        raise LedgerDown

    assert [await _state(answer(what)) for what in (None, True, False, "unused")] == ["up", "up", "down", "unused"]
    assert await _state(refuse()) == "down"


@pytest.mark.parametrize("failure", [refuse(StoreReason.DATABASE_UNAVAILABLE), refuse(RequestReason.OVERLOADED)])
async def test_metrics_are_shown_while_the_database_is_away(failure: Refused) -> None:
    """With the waits that were known last: they come from memory."""

    async def fails() -> None:
        raise failure

    async def answers() -> None:
        return None

    services = SimpleNamespace(
        metrics=Metrics(),
        commit=SimpleNamespace(queued=3),
        feed=SimpleNamespace(watchers=0),
        database=SimpleNamespace(ping=fails),
        line=SimpleNamespace(ping=answers),
        topic=SimpleNamespace(ping=answers),
        log=SimpleNamespace(unpublished_for=fails, notify_status=fails),
        forecasts=SimpleNamespace(counters_open=lambda: {"CW": 2}),
        watching=SimpleNamespace(figures=fails),
        reading=SimpleNamespace(waits=lambda: {"CW": (WaitFigures(2, 1, 1200.0), [])}),
    )
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace()))
    page = bytes((await metrics(request, services)).body).decode()

    assert "tokenq_commit_queued 3.0" in page
    assert 'tokenq_part_up{part="postgres"} 0.0' in page
    assert 'tokenq_part_up{part="redis"} 1.0' in page
    assert "tokenq_relay_lag_seconds NaN" in page
    assert 'tokenq_longest_wait_seconds{department="CW"} 1200.0' in page
