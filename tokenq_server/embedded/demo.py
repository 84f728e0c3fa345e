"""``tokenq up --demo``: three departments, customers who come and go, and staff who serve them at a human pace."""

import heapq
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol

from tokenq.contract.enums import TokenState
from tokenq.contract.paths import DEPARTMENTS, TOKENS
from tokenq_server.embedded.demo_api import Away, DemoApi

_LONGEST_LINE = 12
_FIRST_PEOPLE = 5
_AWAY_SECONDS = 1.0
_MAIL_SHARE = 0.3

_GIVEN = "Ada Ali Amina Bruno Chen Clara Diego Elif Emma Farid Grace Hana Ivan Jun Kofi Lea Luka Maya Nia Omar Priya"
_FAMILY = "Adeyemi Becker Costa Diaz Eriksen Fischer Garcia Haddad Ito Jansen Kaya Lopez Meyer Novak Okafor Patel Rossi"


@dataclass(frozen=True)
class Scene:
    """One department of the demo. Times are in seconds."""

    department_id: str
    name: str
    ratio: str
    counters: tuple[str, ...]
    between_arrivals: float
    service: tuple[float, float]
    priority_share: float


SCENES = (
    Scene("CW", "Cash window", "2:1", ("1", "2"), 9.0, (6.0, 16.0), 0.15),
    Scene("DOC", "Documents", "3:1", ("5", "6"), 12.0, (10.0, 25.0), 0.25),
    Scene("INF", "Information", "1:1", ("Desk A",), 14.0, (4.0, 14.0), 0.1),
)


class Customers:
    """A department's entrance: customers arrive now and then, unless the queue is long."""

    def __init__(self, scene: Scene, api: DemoApi, chance: random.Random) -> None:
        self._scene, self._api, self._chance = scene, api, chance

    def act(self) -> float:
        """Let one customer in if there is room; return the seconds until the next arrival."""
        if self.waiting() < _LONGEST_LINE:
            self.arrive()
        return self._chance.expovariate(1 / self._scene.between_arrivals)

    def arrive(self) -> None:
        """Issue one token."""
        given, family = (self._chance.choice(names.split()) for names in (_GIVEN, _FAMILY))
        priority = "priority" if self._chance.random() < self._scene.priority_share else "normal"
        body = {"name": f"{given} {family}", "priority": priority}
        if self._chance.random() < _MAIL_SHARE:
            body["email"] = f"{given}.{family}.{self._chance.randrange(1000)}@example.com".lower()
        self._api.ask("POST", f"{DEPARTMENTS}/{self._scene.department_id}/tokens", body)

    def waiting(self) -> int:
        """Return how many wait now."""
        _, queue = self._api.ask("GET", f"{DEPARTMENTS}/{self._scene.department_id}/queue")
        return len(queue.get("waiting", []))


class Counter:
    """A member of staff at a counter."""

    def __init__(self, scene: Scene, counter_id: str, api: DemoApi, chance: random.Random) -> None:
        self._scene, self._counter_id, self._api, self._chance = scene, counter_id, api, chance
        self._token: dict[str, Any] | None = None
        self._was_recalled = False

    def act(self) -> float:
        """Do the next thing at the counter; return the seconds it takes."""
        if self._token is None:
            return self._call()
        if self._token["state"] == TokenState.CALLED:
            return self._greet()
        return self._move("serve", self._chance.uniform(1.0, 4.0))

    def _call(self) -> float:
        path = f"{DEPARTMENTS}/{self._scene.department_id}/call"
        status, answer = self._api.ask("POST", path, {"counterId": self._counter_id})
        if status == 200:
            self._token, self._was_recalled = answer, False
        return self._chance.uniform(3.0, 7.0)

    def _greet(self) -> float:
        luck = self._chance.random()
        if self._was_recalled and luck < 0.5:
            return self._move("no-show", self._chance.uniform(1.0, 3.0))
        if not self._was_recalled and luck < 0.15:
            self._was_recalled = True
            return self._move("recall", self._chance.uniform(4.0, 7.0))
        return self._move("start", self._chance.uniform(*self._scene.service))

    def _move(self, verb: str, seconds: float) -> float:
        token = self._token or {}
        path = f"{TOKENS}/{token['tokenId']}/{verb}"
        status, answer = self._api.ask("POST", path, {"claimVersion": token["claimVersion"]})
        is_here = status == 200 and answer.get("state") in (TokenState.CALLED, TokenState.SERVING)
        # Someone else may have moved it (a console, for instance): call, and get what this counter holds.
        self._token = answer if is_here else None
        return seconds


def set_up(api: DemoApi) -> None:
    """Create the missing departments; changes to existing ones are kept.

    Raises:
        Away: the API does not answer, or refuses.
    """
    for scene in SCENES:
        path = f"{DEPARTMENTS}/{scene.department_id}"
        status, answer = api.ask("GET", path)
        if status == 404:
            status, answer = api.ask("PUT", path, {"name": scene.name, "ratio": scene.ratio})
        if status >= 400:
            raise Away(f"{status} {answer.get('detail', '')}")


class Opening:
    """The setup: the departments, each with a few early customers."""

    def __init__(self, api: DemoApi, doors: list[Customers]) -> None:
        self._api, self._doors = api, doors

    def act(self) -> float:
        """Create what is missing; checked once an hour."""
        set_up(self._api)
        for door in self._doors:
            for _ in range(_FIRST_PEOPLE - door.waiting()):
                door.arrive()
        return 3600.0


class Actor(Protocol):
    """Anyone who does something now and then."""

    def act(self) -> float:
        """Act; return the seconds until the next time. Raises Away."""


def play(api: DemoApi, chance: random.Random, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Play the demo for ever, one step at a time, sleeping in between. Waits while the API is unavailable."""
    doors = [Customers(scene, api, chance) for scene in SCENES]
    desks = [Counter(scene, counter, api, chance) for scene in SCENES for counter in scene.counters]
    actors: list[Actor] = [Opening(api, doors), *doors, *desks]
    agenda = [(number / 4, number, actor) for number, actor in enumerate(actors)]
    clock = 0.0
    while True:
        moment, number, actor = heapq.heappop(agenda)
        sleep(max(moment - clock, 0.0))
        clock = moment
        try:
            pause = actor.act()
        except Away:
            pause = _AWAY_SECONDS
        heapq.heappush(agenda, (clock + pause, number, actor))
        yield


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main() -> None:
    """Play until SIGTERM or SIGINT, with ``TOKENQ_URL``, ``TOKENQ_FINGERPRINT`` and ``TOKENQ_ADMIN_TOKEN_FILE``."""
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _end)
    key = Path(os.environ["TOKENQ_ADMIN_TOKEN_FILE"])
    api = DemoApi(os.environ["TOKENQ_URL"], key, os.environ.get("TOKENQ_FINGERPRINT", ""))
    for _ in play(api, random.Random()):  # noqa: S311 (a play, no secret)
        pass


if __name__ == "__main__":
    main()
