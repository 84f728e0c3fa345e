"""After a command of our own the queue is fetched once, whichever comes first: the answer or the event."""

import threading

import pytest

from tests.screens.console_driver import at_work
from tests.screens.console_seeds import FakeApi, busy_api, event, token
from tests.screens.reading import until, until_shown
from tokenq.client.events import EventArrived
from tokenq.contract.views import TokenView
from tokenq_tui.console.own_changes import counter_change, token_change


def event_of_serve(api: FakeApi) -> None:
    api.feed.put(EventArrived(event("CW", api.seq), f"CW:{api.seq}"))


async def test_the_answer_comes_first() -> None:
    async with at_work() as (api, _app, pilot):
        before = api.queues_asked.count("CW")
        await pilot.press("v")
        await until_shown(pilot, "Nobody is at your counter.")
        event_of_serve(api)
        # What is noted for the other department is fetched after what would be fetched for this one.
        api.seq += 1
        api.feed.put(EventArrived(event("LAB", api.seq), f"LAB:{api.seq}"))
        await until(pilot, lambda: api.queues_asked[-1] == "LAB")
        assert api.queues_asked.count("CW") == before + 1


async def test_the_event_comes_first() -> None:
    """At 300 ms to the server: the fetch for the event is over before the answer arrives."""
    api = busy_api()
    move, may_answer = api.move, threading.Event()

    def late(t: TokenView, verb: str, **rest: object) -> TokenView:
        moved = move(t, verb, **rest)  # type: ignore[arg-type]
        event_of_serve(api)
        assert may_answer.wait(10)
        return moved

    api.move = late  # type: ignore[method-assign]
    async with at_work(api) as (_, _app, pilot):
        before = api.queues_asked.count("CW")
        await pilot.press("v")
        await until_shown(pilot, "Nobody is at your counter.")
        may_answer.set()
        await until_shown(pilot, "CW-012 is served.")
        api.seq += 1
        api.feed.put(EventArrived(event("LAB", api.seq), f"LAB:{api.seq}"))
        await until(pilot, lambda: api.queues_asked[-1] == "LAB")
        assert api.queues_asked.count("CW") == before + 1


async def test_without_events_the_answer_alone_leads_to_a_fetch() -> None:
    async with at_work() as (api, app, pilot):
        before = api.queues_asked.count("CW")
        await pilot.press("s")
        await until(pilot, lambda: app.main.state.held is not None and app.main.state.held["state"] == "SERVING")
        assert api.queues_asked.count("CW") == before + 1


def test_a_queue_shows_a_change_only_if_it_was_asked_for_after_it_and_has_the_new_version() -> None:
    api = busy_api()
    queue = api.queue("CW")
    here = queue["waiting"][0]
    later: TokenView = {**here, "claimVersion": 9}
    renamed: TokenView = {**here, "name": "Somebody"}
    gone: TokenView = {**token("CW", 77), "state": "SERVED"}
    beyond: TokenView = {**token("CW", 78), "state": "WAITING"}
    for changed, is_shown in ((here, True), (later, False), (renamed, False), (gone, True), (beyond, False)):
        assert token_change(5.0, changed).is_shown_by(queue, 6.0) is is_shown
    assert not token_change(5.0, here).is_shown_by(queue, 4.0)


@pytest.mark.parametrize(
    ("state", "is_shut", "shown"), [("OPEN", True, False), ("PAUSED", True, True), ("OPEN", False, True)]
)
def test_a_queue_shows_whether_the_counter_is_open(state: str, is_shut: bool, shown: bool) -> None:
    api = busy_api()
    api._counter("3", state, None)
    assert counter_change(0.0, "3", is_shut=is_shut).is_shown_by(api.queue("CW"), 1.0) is shown
    assert not counter_change(0.0, "4", is_shut=is_shut).is_shown_by(api.queue("CW"), 1.0)
