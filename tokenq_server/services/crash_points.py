"""The failpoints of a batch: one set for batches that issue, one for batches that call or move."""

from collections.abc import Sequence

from tokenq_server import failpoints
from tokenq_server.services.command_handlers import handler_of
from tokenq_server.services.requests import Request


def reach(step: str, requests: Sequence[Request]) -> None:
    """The batch has reached this step. Raises InjectedFault if a test armed it."""
    if failpoints.is_any_armed():
        failpoints.reach(*_points(step, requests))


async def reach_answered(step: str, requests: Sequence[Request]) -> None:
    """The same, after the answers have been sent."""
    if failpoints.is_any_armed():
        await failpoints.reach_answered(*_points(step, requests))


def _points(step: str, requests: Sequence[Request]) -> list[str]:
    ways = {handler_of(request.command).failpoints for request in requests} - {None}
    return [f"{way}.{step}" for way in ("issue", "call") if way in ways]
