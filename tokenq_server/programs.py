"""The server's programs: each reads its settings from the environment and runs until stopped."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from tokenq_server import failpoints, logs
from tokenq_server.tls import check_certificate

if TYPE_CHECKING:
    from tokenq_server.recovery.ports import Stores
    from tokenq_server.services.ports import Guard
    from tokenq_server.settings import ServerSettings

_SELDOM = 20_000, 20, 20
"""When garbage is collected: a batch makes thousands of values, and next to none of them in circles."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


def run(name: str) -> int:
    """Run ``api``, ``relay``, ``notify``, ``migrate`` or ``rebuild``; return the exit code.

    Raises:
        Refused: a setting is wrong, or a required store is unavailable.
    """
    from tokenq_server import settings

    logs.to_stderr()
    chosen = settings.load()
    logs.to_stderr(logging.getLevelNamesMapping()[chosen.log_level.upper()], chosen.log_format)
    failpoints.arm(chosen.failpoints)
    return _PROGRAMS[name](chosen)


def _keep_for_good() -> None:
    """Look less for garbage, and never among what has been made until now: that stays as long as the process.

    Else it would take a fifth of the time of a request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)


def _api(settings: "ServerSettings") -> int:
    import uvicorn

    from tokenq_server import bootstrap
    from tokenq_server.api.app import create_app
    from tokenq_server.api.connections import BoundedConnection

    if settings.certificate:
        check_certificate(*settings.certificate)
    exposure_guard = asyncio.run(bootstrap.check_production(settings))
    if settings.migrate:
        _migrate(settings)
    asyncio.run(bootstrap.refuse_unusable_database(settings))
    guards = [guard for guard in (exposure_guard, asyncio.run(bootstrap.check_at_start(settings))) if guard]
    app = create_app(settings, partial(_pass_all, guards) if guards else None)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedConnection,
        loop="tokenq_server.api.connections:BoundedLoop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn would trust any process of this machine; see api/proxies.py
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        limit_concurrency=4096,
        backlog=2048,
    )

    class Server(uvicorn.Server):
        """Ends the event streams on shutdown: they would never end by themselves."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            super().handle_exit(sig, frame)
            if (services := getattr(app.state, "services", None)) is not None:
                asyncio.get_event_loop().call_soon_threadsafe(services.feed.end)

    server = Server(config)
    _keep_for_good()
    server.run()
    return 0 if server.started else 1


async def _pass_all(guards: "Sequence[Guard]") -> None:
    for guard in guards:
        await guard()


def _relay(settings: "ServerSettings") -> int:
    from tokenq_server import bootstrap
    from tokenq_server.relay import PART
    from tokenq_server.services.vital_signs import VitalSigns

    asyncio.run(bootstrap.refuse_unusable_database(settings))
    signs = VitalSigns(PART)
    relay = bootstrap.open_relay(settings, signs)
    _keep_for_good()
    with bootstrap.monitored(settings, "relay", signs):
        return _until_told(relay.run, relay.stop)


def _notify(settings: "ServerSettings") -> int:
    from tokenq_server import bootstrap
    from tokenq_server.notify import program

    asyncio.run(bootstrap.refuse_unusable_database(settings))
    guard = asyncio.run(bootstrap.check_at_start(settings))
    _keep_for_good()
    _run_for_long(program.serve(settings, guard))
    return 0


def dlq_list() -> list[dict[str, Any]]:
    """Return the open dead letters. Raises Refused."""
    from tokenq_server.notify import program

    return asyncio.run(program.dead_letters())


def dlq_show(dlq_id: int) -> dict[str, Any]:
    """Return one dead letter with all details. Raises Refused."""
    from tokenq_server.notify import program

    return asyncio.run(program.dead_letter(dlq_id))


def dlq_retry(dlq_ids: list[int]) -> int:
    """Retry dead letters; return how many. Raises Refused."""
    from tokenq_server.notify import program

    return asyncio.run(program.retry(dlq_ids))


def dlq_drop(dlq_ids: list[int]) -> int:
    """Close dead letters for good; return how many. Raises Refused."""
    from tokenq_server.notify import program

    return asyncio.run(program.drop(dlq_ids))


def migrate() -> str:
    """Migrate the schema; return its revision. Raises Refused."""
    return _upgrade(_for_a_person())


def rebuild() -> dict[str, int]:
    """Rebuild the queues in Redis; return the tokens waiting in each. Raises Refused."""
    return _refill(_for_a_person())


def rewind_look() -> list[dict[str, Any]]:
    """Return the departments for which the topic or Redis is ahead of the log. Raises Refused."""
    from tokenq_server import bootstrap
    from tokenq_server.recovery.rewind import show

    chosen = _for_a_person(logging.ERROR)
    asyncio.run(bootstrap.refuse_unusable_database(chosen))
    return _recover(chosen, show)


def rewind_carry_out() -> dict[str, Any]:
    """Move the log past what others have seen, and restore lost tokens; return a summary. Raises Refused."""
    from tokenq_server.recovery.rewind import rewind

    return _recover(_for_a_person(logging.ERROR), rewind)


def rewind_lines_only() -> dict[str, Any]:
    """Rebuild only the queues if nothing is missing; return a summary. Raises Refused."""
    from tokenq_server.recovery.rewind import rebuild_only

    return _recover(_for_a_person(logging.ERROR), rebuild_only)


def _for_a_person(level: int = logging.WARNING) -> "ServerSettings":
    """Settings of a command that ends by itself: its result is its answer, not log lines."""
    from tokenq_server import settings

    logs.for_people(level)
    chosen = settings.load()
    failpoints.arm(chosen.failpoints)
    return chosen


def _migrate(settings: "ServerSettings") -> int:
    logger.info("the schema is up to date", extra={"revision": _upgrade(settings)})
    return 0


def _upgrade(settings: "ServerSettings") -> str:
    from tokenq_server import bootstrap

    return bootstrap.migrate(settings)


def _rebuild(settings: "ServerSettings") -> int:
    _refill(settings)
    return 0


def _refill(settings: "ServerSettings") -> dict[str, int]:
    from tokenq.contract.problems import refuse
    from tokenq.contract.reasons.system import StoreReason
    from tokenq_server import bootstrap
    from tokenq_server.recovery.rebuild import rebuild_lines

    asyncio.run(bootstrap.refuse_unusable_database(settings))
    # A queue that is ahead of the database is evidence: keep it until a rewind has read it.
    if asyncio.run(bootstrap.check_at_start(settings)) is not None:
        raise refuse(StoreReason.DATABASE_NEEDED)
    return _recover(settings, rebuild_lines)


def _recover(settings: "ServerSettings", work: "Callable[[Stores], Awaitable[T]]") -> T:
    """Open the stores and run a recovery task on them."""
    from tokenq_server import bootstrap

    async def main() -> T:
        async with bootstrap.open_recovery(settings) as stores:
            return await work(stores)

    return asyncio.run(main())


def _until_told(work: Callable[[], Any], stop: Callable[[], None]) -> int:
    """Run ``work`` until it ends or SIGTERM or SIGINT stops it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        await work()

    _run_for_long(main())
    return 0


def _run_for_long(work: Coroutine[Any, Any, None]) -> None:
    """Run it on the event loop that the API has, too."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        from asyncio import new_event_loop  # type: ignore[assignment]
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(work)


_PROGRAMS: dict[str, Callable[["ServerSettings"], int]] = {
    "api": _api,
    "relay": _relay,
    "notify": _notify,
    "migrate": _migrate,
    "rebuild": _rebuild,
}
