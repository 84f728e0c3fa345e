"""A fake API behind the console, and the mornings that it can play."""

import queue
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.refusals import refusal
from tokenq.client.events import Arrival, EventArrived, LinkChanged
from tokenq.contract.events import Event
from tokenq.contract.problems import ProblemCode
from tokenq.contract.views import CounterView, DepartmentView, EstimateView, LetterView, MeView, QueueView, TokenView
from tokenq.errors import Unreachable

NOON = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)
MOVES = {
    "WAITING": ["call", "cancel"],
    "CALLED": ["recall", "start", "serve", "no-show", "requeue", "park", "transfer", "cancel"],
    "SERVING": ["serve", "requeue", "park", "transfer"],
    "PARKED": ["resume", "transfer", "cancel"],
    "NO_SHOW": ["reinstate"],
    "CANCELLED": ["reinstate"],
}
MOVES["WAITING"] += ["transfer", "priority"]
AFTER = {
    "start": "SERVING",
    "serve": "SERVED",
    "no-show": "NO_SHOW",
    "requeue": "WAITING",
    "cancel": "CANCELLED",
    "park": "PARKED",
    "resume": "WAITING",
    "reinstate": "WAITING",
    "priority": "WAITING",
    "transfer": "WAITING",
}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def token(department: str, number: int, *, name: str | None = None, minutes: float = 10, **fields: Any) -> TokenView:
    view = {
        "tokenId": sum(map(ord, department)) * 1000 + number,
        "tokenNo": number,
        "displayNumber": f"{department}-{number:03d}",
        "departmentId": department,
        "branchId": "main",
        "businessDay": "2026-08-07",
        "state": "WAITING",
        "priority": "normal",
        "userId": None,
        "name": name,
        "email": None,
        "counterId": None,
        "claimVersion": 1,
        "calls": 0,
        "reason": None,
        "position": None,
        "issuedAt": stamp(NOON - timedelta(minutes=minutes)),
        "calledAt": None,
        "startedAt": None,
        "servedAt": None,
        "parkedUntil": None,
        "nearTurn": 0,
        "estimate": None,
        "moves": MOVES["WAITING"],
    }
    return cast(TokenView, {**view, **fields})


class FakeApi:
    """Keeps tokens and does the moves; ``fault`` is raised by every request while it is set."""

    def __init__(self, tokens: Sequence[TokenView] = (), departments: Sequence[str] = ("CW",)) -> None:
        self.known = {each["tokenId"]: each for each in tokens}
        self.ids = list(departments)
        self.names: dict[str, str] = {}
        self.closed: set[str] = set()
        self.self_service: dict[str, str] = {}
        self.seq = 1
        self.fault: BaseException | None = None
        self.requests: list[tuple[Any, ...]] = []
        self.feed = FakeFeed()
        self.pause: threading.Event | None = None
        self.desks: dict[str, CounterView] = {}
        self.declared: tuple[str, ...] = ()
        self.claimed_by: dict[str, str] = {}
        self.histories: dict[int, list[dict[str, Any]]] = {}
        self.letters: dict[int, list[LetterView]] = {}
        self.histories_asked: list[int] = []
        self.queues_asked: list[str] = []
        self.opens_at: str | None = None
        self.no_estimate = ""
        self.zone = "UTC"
        self.setup: dict[str, Any] = {"branchId": "main"}
        self.before: dict[int, dict[str, Any]] = {}
        self.bodies: list[dict[str, Any]] = []

    def me(self) -> MeView:
        self._asked()
        return cast(MeView, {"kind": "user", "name": "Ann", "role": "staff", "departments": []})

    def departments(self) -> list[DepartmentView]:
        self._asked()
        names, self_service = self.names, self.self_service
        return [
            cast(
                DepartmentView,
                {
                    "departmentId": each,
                    "name": names.get(each, each),
                    "selfService": self_service.get(each, "off"),
                    **self.setup,
                },
            )
            for each in self.ids
        ]

    def queue(self, department: str) -> QueueView:
        self.queues_asked.append(department)
        self._asked()
        if department not in self.ids:
            raise refusal(ProblemCode.UNKNOWN_DEPARTMENT, f"There is no department {department}.")
        mine = [each for each in self.known.values() if each["departmentId"] == department]
        waiting = [each for each in mine if each["state"] == "WAITING"]
        for place, each in enumerate(waiting, 1):
            each["position"] = place
        states = [each["state"] for each in mine]
        view = {
            "departmentId": department,
            "name": self.names.get(department, department),
            "branchId": "main",
            "timezone": self.zone,
            "businessDay": "2026-08-07",
            "open": department not in self.closed,
            "waiting": [dict(each) for each in waiting],
            "called": [dict(each) for each in mine if each["state"] == "CALLED"],
            "serving": [dict(each) for each in mine if each["state"] == "SERVING"],
            "parked": [dict(each) for each in mine if each["state"] == "PARKED"],
            "counts": {"waiting": len(waiting), "served": states.count("SERVED")},
            "estimate": self._estimate(),
            "seq": self.seq,
            "opening": {"isOpen": department not in self.closed, "opensAt": self.opens_at, "closesAt": None},
            "nextReason": "first in line" if waiting else None,
            "counters": [
                desk for desk in self.desks.values() if not desk["departments"] or department in desk["departments"]
            ],
            "classNames": {},
        }
        return cast(QueueView, view)

    def _estimate(self) -> EstimateView | None:
        if self.no_estimate:
            return {"lowMinutes": None, "highMinutes": None, "reason": self.no_estimate}
        return {"lowMinutes": 10, "highMinutes": 20, "reason": None} if self.desks else None

    def call(
        self,
        department: str,
        counter: str,
        *,
        token_id: int | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> TokenView:
        self.requests.append(("call", department, counter, token_id, reason, key))
        self._asked()
        waiting = [t for t in self.known.values() if t["departmentId"] == department and t["state"] == "WAITING"]
        chosen = self.known[token_id] if token_id else waiting[0] if waiting else None
        if chosen is None:
            raise refusal(ProblemCode.QUEUE_EMPTY, f"Nobody waits in {department}.", "Wait for the next person.")
        now = stamp(NOON)
        self.before[chosen["tokenId"]] = {"state": "WAITING", "counterId": None}
        return self._change(chosen, state="CALLED", counterId=counter, calls=chosen["calls"] + 1, calledAt=now)

    def serve_next(self, department: str, counter: str, *, key: str | None = None) -> TokenView:
        return self._change(self.call(department, counter, key=key), state="SERVED")

    def edit_token(
        self, token_id: int, *, name: str | None = None, email: str | None = None, key: str | None = None
    ) -> TokenView:
        self.requests.append(("edit", name, email, key))
        known = self.known[token_id]
        return self._change(known, name=known["name"] if name is None else name or None, email=email or known["email"])

    def move(self, token: TokenView, verb: str, *, key: str | None = None, **body: Any) -> TokenView:
        self.requests.append(("move", verb, token["displayNumber"], key))
        self._asked()
        known = self.known[token["tokenId"]]
        if known["claimVersion"] != token["claimVersion"]:
            raise refusal(ProblemCode.STALE_CLAIM, "Somebody else moved this token.", "Look at the queue again.")
        if verb == "recall":
            return self._change(known, calls=known["calls"] + 1)
        if verb == "undo":
            return self._change(known, **self.before.pop(known["tokenId"]))
        self.before[known["tokenId"]] = {"state": known["state"], "counterId": known["counterId"]}
        if verb == "transfer":
            known["departmentId"] = body["to"]
        if verb == "park" and body.get("untilMinutes"):
            known["parkedUntil"] = stamp(NOON + timedelta(minutes=body["untilMinutes"]))
        self.bodies.append(body)
        counter = known["counterId"] if verb == "start" else None
        return self._change(known, state=AFTER[verb], counterId=counter, startedAt=stamp(NOON))

    def call_at_counter(self, branch: str, counter: str, *, key: str | None = None) -> TokenView:
        first = next(each for each in self.known.values() if each["state"] == "WAITING")
        return self.call(first["departmentId"], counter, key=key)

    def open_counter(
        self,
        branch: str,
        counter: str,
        departments: Sequence[str] | None = None,
        *,
        take_over: bool = False,
        as_it_is: bool = False,
    ) -> CounterView:
        self._asked()
        if (operator := self.claimed_by.get(counter)) and not take_over:
            raise refusal(ProblemCode.COUNTER_CLAIMED, f"Counter {counter} is in use.", operator=operator)
        if self.declared and counter not in self.declared:
            raise refusal(ProblemCode.UNKNOWN_COUNTER, f"There is no counter {counter}.", "Did you mean 1, 2?")
        self.claimed_by.pop(counter, None)
        return self._counter(counter, "OPEN", None)

    def counters(self, branch: str) -> list[CounterView]:
        self._asked()
        return list(self.desks.values())

    def pause_counter(self, branch: str, counter: str, reason: str | None = None) -> CounterView:
        self._asked()
        return self._counter(counter, "PAUSED", reason)

    def leave_counter(self, branch: str, counter: str) -> CounterView:
        if self.pause is not None:
            self.pause.wait(5)
        return self._counter(counter, "CLOSED", None)

    def renew_counter(self, branch: str, counter: str) -> CounterView:
        self._asked()
        return self._counter(counter, "OPEN", None)

    def token_record(self, token_id: int) -> dict[str, Any]:
        self.histories_asked.append(token_id)
        self._asked()
        return {"items": self.histories.get(token_id, []), "letters": self.letters.get(token_id, [])}

    def tokens(self, *, department: str | None = None, state: Any = None, limit: int | None = None) -> Any:
        self._asked()
        mine = [dict(each) for each in self.known.values() if each["departmentId"] == department]
        return {"items": [each for each in mine if each["state"] in state]}

    def _counter(self, counter: str, state: str, reason: str | None) -> CounterView:
        self.seq += 1
        known = {
            "branchId": "main",
            "counterId": counter,
            "state": state,
            "reason": reason,
            "operator": "Ann",
            "leaseUntil": None,
            "departments": self.desks[counter]["departments"] if counter in self.desks else [],
            "isDeclared": False,
            "token": self._held(counter),
        }
        self.desks[counter] = cast(CounterView, known)
        return self.desks[counter]

    def _held(self, counter: str) -> dict[str, Any] | None:
        at_counters = (each for each in self.known.values() if each["state"] in ("CALLED", "SERVING"))
        return next(({**each, "since": each["calledAt"]} for each in at_counters if each["counterId"] == counter), None)

    def other_person(self, token: TokenView, **fields: Any) -> None:
        """Somebody at another desk changes a token, and the events say so."""
        self._change(self.known[token["tokenId"]], **fields)
        self.feed.put(EventArrived(event(token["departmentId"], self.seq), f"{token['departmentId']}:{self.seq}"))

    def _change(self, token: TokenView, **fields: Any) -> TokenView:
        self.seq += 1
        known = self.known[token["tokenId"]]
        known.update(fields)  # type: ignore[typeddict-item]
        known["moves"] = [*MOVES.get(known["state"], []), *(["undo"] if known["tokenId"] in self.before else [])]
        known["claimVersion"] += 1
        known["position"] = None
        return known

    def _asked(self) -> None:
        if self.pause is not None:
            self.pause.wait(5)
        if self.fault is not None:
            raise self.fault


class FakeFeed:
    """The event stream by hand: live from the start, then whatever is put in; an exception is raised."""

    def __init__(self) -> None:
        self._arrivals: queue.Queue[Arrival | Exception] = queue.Queue()
        self._arrivals.put(LinkChanged(is_live=True))

    def put(self, arrival: Arrival | Exception) -> None:
        self._arrivals.put(arrival)

    def __call__(self, departments: Sequence[str], stop: threading.Event) -> Iterator[Arrival]:
        try:
            while not stop.is_set():
                try:
                    arrival = self._arrivals.get(timeout=0.02)
                except queue.Empty:
                    continue
                if isinstance(arrival, Exception):
                    raise arrival
                yield arrival
        finally:
            stop.set()  # as the real one does


def event(department: str, seq: int) -> Event:
    return Event("TOKEN_CALLED", f"e{seq}", seq, NOON, "main", department, "2026-08-07", 1, 1, f"{department}-001")


def busy_api() -> FakeApi:
    """A morning in a clinic, with a person at counter 3."""
    names = [
        "Ada Moore",
        "Bo Lind",
        "Chen Wei",
        "Dana Ruiz",
        "Emil Novak",
        "Fay Stone",
        "Gus Park",
        "Hana Sato",
        "Ivo Maric",
        "June Bell",
    ]
    tokens = [
        token("CW", 13 + place, name=name, minutes=34 - 2.6 * place, priority=priority)
        for place, (name, priority) in enumerate(
            zip(names, ["urgent", "normal", "priority"] + ["normal"] * 7, strict=True)
        )
    ]
    tokens += [token("LAB", number, minutes=9) for number in range(3, 8)]
    tokens += [token("XR", number, minutes=5) for number in range(2, 4)]
    tokens.append(
        token("CW", 12, name="Noor Haddad", minutes=41, state="CALLED", counterId="3", calls=2, claimVersion=3)
        | {"calledAt": stamp(NOON - timedelta(seconds=83)), "moves": MOVES["CALLED"]}  # type: ignore[arg-type]
    )
    tokens.append(
        token("CW", 11, name="Tom Reed", minutes=47, state="SERVING", counterId="1", calls=1)
        | {"calledAt": stamp(NOON), "startedAt": stamp(NOON - timedelta(minutes=6)), "moves": MOVES["SERVING"]}  # type: ignore[arg-type]
    )
    tokens.append(
        token("CW", 10, name="Mia Frost", minutes=52, state="CALLED", counterId="Window 2", calls=1)
        | {"calledAt": stamp(NOON - timedelta(seconds=20)), "moves": MOVES["CALLED"]}  # type: ignore[arg-type]
    )
    tokens += [token("CW", number, state="SERVED", minutes=90) for number in range(1, 10)]
    api = FakeApi(tokens, ("CW", "LAB", "XR"))
    api.names = {"CW": "Children's Ward", "LAB": "Laboratory", "XR": "X-Ray"}
    return api


def away() -> Exception:
    return Unreachable("The server cannot be reached.")
