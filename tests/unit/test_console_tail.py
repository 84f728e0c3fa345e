import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from textual.message import Message

from tests.refusals import refusal
from tests.screens.console_seeds import FakeApi, away, busy_api, event
from tests.waiting import until
from tokenq.client.events import EventArrived, LinkChanged, Resync
from tokenq.contract.problems import ProblemCode
from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.messages import DepartmentsLoaded, LinkMoved, QueueArrived, Trouble
from tokenq_tui.console.tail import REASSURE_SECONDS, Tail
from tokenq_tui.link_badge import Health


@contextmanager
def tailing(api: FakeApi, *departments: str) -> Iterator[tuple[Tail, list[Message]]]:
    told: list[Message] = []
    tail = Tail(api, api.feed, departments, told.append)
    tail.start()
    try:
        yield tail, told
    finally:
        tail.stop()


def seen(told: list[Message], department: str) -> int:
    return max(
        (
            each.queue["seq"]
            for each in told
            if isinstance(each, QueueArrived) and each.queue["departmentId"] == department
        ),
        default=0,
    )


def health(told: list[Message]) -> Health | None:
    return next((each.health for each in reversed(told) if isinstance(each, LinkMoved)), None)


def test_asks_for_the_departments_and_fetches_each_queue() -> None:
    with tailing(busy_api()) as (_, told):
        until(lambda: all(seen(told, each) for each in ("CW", "LAB", "XR")))
        assert isinstance(told[0], DepartmentsLoaded)
        assert list(told[0].departments) == ["CW", "LAB", "XR"]


def test_another_persons_action_is_fetched_when_its_event_comes() -> None:
    api = busy_api()
    with tailing(api, "CW") as (_, told):
        until(lambda: health(told) is Health.LIVE)
        api.other_person(api.queue("CW")["waiting"][0], state="CALLED", counterId="7")
        until(lambda: seen(told, "CW") == api.seq, seconds=REASSURE_SECONDS / 2)


class CountingDesk(FakeApi):
    """Counts how often each queue is asked for; ``slow`` is how long the answer to that takes."""

    slow = 0.0

    def __init__(self, like: FakeApi) -> None:
        super().__init__(list(like.known.values()), like.ids)
        self.fetches: list[str] = []

    def queue(self, department: str) -> QueueView:
        self.fetches.append(department)
        view = super().queue(department)
        time.sleep(self.slow)
        return view


def fetches_of_one_serve(api: CountingDesk, told: list[Message], serve: Callable[[], object]) -> int:
    """Serve somebody when all is quiet, and count the fetches until something later is shown."""
    show_something_later(api, told)
    api.fetches.clear()
    serve()
    show_something_later(api, told)
    return api.fetches.count("CW")


def show_something_later(api: FakeApi, told: list[Message]) -> None:
    """Events and fetches are taken one after the other: once this is shown, so is all that came before."""
    api.other_person(token_of(api, "LAB"), state="CALLED", counterId="7")
    until(lambda: seen(told, "LAB") == api.seq, seconds=REASSURE_SECONDS / 2)


def token_of(api: FakeApi, department: str) -> TokenView:
    return next(one for one in api.known.values() if one["departmentId"] == department and one["state"] == "WAITING")


@pytest.mark.parametrize("slow", [0.0, 0.05])
@pytest.mark.parametrize("events_first", [True, False])
def test_a_queue_is_fetched_once_for_what_we_have_done_ourselves(events_first: bool, slow: float) -> None:
    """The answer and the two events of one step come in any order, also while the queue is being fetched."""
    api = CountingDesk(busy_api())
    with tailing(api, "CW", "LAB") as (tail, told):
        api.slow = slow

        def serve() -> None:
            api.serve_next("CW", "9")
            events = [EventArrived(event("CW", seq), f"CW:{seq}") for seq in (api.seq - 1, api.seq)]
            if events_first:
                for each in events:
                    api.feed.put(each)
            tail.refresh("CW")
            if not events_first:
                until(lambda: api.fetches)
                for each in events:
                    api.feed.put(each)

        assert fetches_of_one_serve(api, told, serve) == 1


def test_what_happened_while_a_queue_was_fetched_is_fetched_too() -> None:
    api = CountingDesk(busy_api())
    with tailing(api, "CW") as (tail, told):
        until(lambda: health(told) is Health.LIVE and seen(told, "CW") == api.seq)
        api.slow = 0.1
        api.fetches.clear()
        tail.refresh("CW")
        until(lambda: api.fetches)
        api.other_person(token_of(api, "CW"), state="CALLED", counterId="7")
        until(lambda: seen(told, "CW") == api.seq, seconds=REASSURE_SECONDS / 2)


def test_a_log_that_went_back_is_followed_again_after_the_next_look() -> None:
    """A restored server counts from where it was: its events are not old news for ever."""
    api = busy_api()
    api.seq = 500
    with tailing(api, "CW") as (tail, told):
        until(lambda: seen(told, "CW") == 500 and health(told) is Health.LIVE)
        api.seq = 3
        tail.refresh()
        until(lambda: told[-1].queue["seq"] == 3 if isinstance(told[-1], QueueArrived) else False)
        api.other_person(token_of(api, "CW"), state="CALLED", counterId="7")
        until(lambda: isinstance(told[-1], QueueArrived) and told[-1].queue["seq"] == 4, seconds=REASSURE_SECONDS / 2)


def test_a_resync_fetches_everything() -> None:
    api = busy_api()
    with tailing(api, "CW", "LAB") as (_, told):
        until(lambda: health(told) is Health.LIVE)
        api.seq += 5
        api.feed.put(Resync())
        until(lambda: seen(told, "CW") == seen(told, "LAB") == api.seq, seconds=REASSURE_SECONDS / 2)


def test_lost_events_are_stale_and_a_silent_server_is_offline_until_it_answers() -> None:
    api = busy_api()
    with tailing(api, "CW") as (tail, told):
        until(lambda: health(told) is Health.LIVE)
        api.feed.put(LinkChanged(is_live=False, sentence="The server ended the event stream."))
        until(lambda: health(told) is Health.STALE)
        api.fault = away()
        tail.refresh()
        until(lambda: health(told) is Health.OFFLINE)
        api.fault = None
        tail.refresh()
        until(lambda: health(told) is Health.STALE)
        api.feed.put(LinkChanged(is_live=True))
        until(lambda: health(told) is Health.LIVE)


def test_without_the_server_it_tries_again_until_it_is_there() -> None:
    api = busy_api()
    api.fault = away()
    with tailing(api) as (_, told):
        until(lambda: health(told) is Health.OFFLINE)
        api.fault = None
        until(lambda: seen(told, "CW"))


def test_a_caller_who_is_not_let_in_is_told_to_leave_with_code_5() -> None:
    api = busy_api()
    api.fault = refusal(ProblemCode.UNAUTHENTICATED, "You are not signed in.", "Sign in: tokenq login")
    with tailing(api) as (_, told):
        until(lambda: told)
        assert isinstance(told[0], Trouble)
        assert (told[0].sentence, told[0].hint, told[0].exit_code) == (
            "You are not signed in.",
            "Sign in: tokenq login",
            5,
        )


def test_a_department_deleted_meanwhile_is_dropped_and_the_others_go_on() -> None:
    api = busy_api()
    with tailing(api) as (tail, told):
        until(lambda: health(told) is Health.LIVE)
        api.ids.remove("LAB")
        tail.refresh()
        until(
            lambda: any(isinstance(each, DepartmentsLoaded) and list(each.departments) == ["CW", "XR"] for each in told)
        )


def test_a_department_that_does_not_exist_is_told_to_leave_with_code_3() -> None:
    with tailing(busy_api(), "NOPE") as (_, told):
        until(lambda: any(isinstance(each, Trouble) and each.exit_code == 3 for each in told))


def test_no_department_at_all_is_said() -> None:
    with tailing(FakeApi([], ())) as (_, told):
        until(lambda: any(isinstance(each, Trouble) and each.exit_code == 3 for each in told))
