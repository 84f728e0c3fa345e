"""Steps of housekeeping that fail."""

import logging

import pytest

from tokenq_server.services.housekeeping import Failures


async def test_a_failure_is_logged_once_until_its_step_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    failures, is_broken = Failures(), True

    async def step() -> bool:
        if is_broken:
            raise RuntimeError("no such function")
        return True

    with caplog.at_level(logging.ERROR):
        assert [await failures.alone("audit", step) for _ in range(3)] == [False] * 3
        assert len(caplog.records) == 1
        assert vars(caplog.records[0])["step"] == "audit"
        is_broken = False
        assert await failures.alone("audit", step)
        is_broken = True
        await failures.alone("audit", step)
        assert len(caplog.records) == 2
