"""A naive model of the serving floor in a hundred lines: plain lists, no caching.

The state machine in ``test_floor_machine.py`` drives this and the real API side by side.
"""

from copy import copy
from dataclasses import dataclass, field

BUSY = ("CALLED", "SERVING")
SOURCES = {
    "recall": ("CALLED",),
    "start": ("CALLED",),
    "serve": BUSY,
    "no-show": ("CALLED",),
    "requeue": BUSY,
    "park": BUSY,
    "resume": ("PARKED",),
    "transfer": ("WAITING", "CALLED", "SERVING", "PARKED"),
    "priority": ("WAITING",),
    "cancel": ("WAITING", "CALLED", "PARKED"),
    "reinstate": ("NO_SHOW", "CANCELLED"),
}
TARGET = {"start": "SERVING", "serve": "SERVED", "no-show": "NO_SHOW", "park": "PARKED", "cancel": "CANCELLED"}


class No(Exception):
    """The model refuses, with the code that the API must give."""


@dataclass
class Token:
    """A token in the model.

    ``arrived`` are the ends of the logs at its arrival, ``before`` is its state before its last move.
    """

    id: int
    dept: str
    priority: str
    place: int
    original: int
    arrived: dict[str, int]
    state: str = "WAITING"
    counter: str | None = None
    before: "Token | None" = None


@dataclass
class Model:
    """Two departments and their counters; ``seq`` is the last entry of each log."""

    seq: dict[str, int]
    tokens: dict[int, Token] = field(default_factory=dict)
    turn: dict[str, list[str]] = field(default_factory=dict)

    def line(self, dept: str, priority: str) -> list[Token]:
        """Waiting tokens of a class, first to last."""
        waiting = [t for t in self.tokens.values() if (t.dept, t.priority, t.state) == (dept, priority, "WAITING")]
        return sorted(waiting, key=lambda t: (t.place, t.id))

    def order(self, dept: str) -> list[int]:
        """All waiting tokens, in calling order at two priority to one normal."""
        lines = {name: self.line(dept, name) for name in ("urgent", "priority", "normal")}
        turn, found = list(self.turn.get(dept, [])), []
        while any(lines.values()):
            name = self.class_next({name: bool(line) for name, line in lines.items()}, turn)
            found.append(lines[name].pop(0).id)
            turn = self.turned(turn, name)
        return found

    def class_next(self, waits: dict[str, bool], turn: list[str]) -> str:
        """The class whose turn it is."""
        if waits["urgent"]:
            return "urgent"
        if waits["priority"] and waits["normal"]:
            return "priority" if turn.count("priority") < 2 else "normal"
        return "priority" if waits["priority"] else "normal"

    def turned(self, turn: list[str], name: str) -> list[str]:
        """The round after one more call; it ends when both have had their share."""
        turn = turn if name == "urgent" else [*turn, name]
        return [] if turn.count("priority") >= 2 and turn.count("normal") >= 1 else turn

    def at(self, counter: str) -> Token | None:
        """The token that a counter holds."""
        return next((t for t in self.tokens.values() if t.counter == counter and t.state in BUSY), None)

    def log(self, dept: str) -> int:
        """One more entry in a department's log."""
        self.seq[dept] += 1
        return self.seq[dept]

    def issue(self, token_id: int, dept: str, priority: str) -> None:
        """Issue a token."""
        place = self.log(dept)
        self.tokens[token_id] = Token(token_id, dept, priority, place, place, dict(self.seq))

    def call(self, dept: str, counter: str) -> int:
        """Call the next token, or return the one that the counter holds."""
        held = self.at(counter)
        if held:
            if held.dept != dept:
                raise No("counter_busy")
            return held.id
        order = self.order(dept)
        if not order:
            raise No("queue_empty")
        self.turn[dept] = self.turned(self.turn.get(dept, []), self.tokens[order[0]].priority)
        self._change(self.tokens[order[0]], state="CALLED", counter=counter)
        return order[0]

    def pick(self, token_id: int, counter: str) -> None:
        """Call one out of order."""
        token, held = self.tokens[token_id], self.at(counter)
        if held is token:
            return
        if held:
            raise No("counter_busy")
        if token.state != "WAITING":
            raise No("wrong_state")
        self._change(token, state="CALLED", counter=counter)

    def serve_next(self, dept: str, counter: str) -> int:
        """Call and serve in one step."""
        token = self.tokens[self.call(dept, counter)]
        self._change(token, state="SERVED")
        return token.id

    def move(self, token_id: int, verb: str, *, position: str = "original", priority: str = "", to: str = "") -> None:
        """One verb on one token."""
        token = self.tokens[token_id]
        if token.state == TARGET.get(verb):
            return
        if token.state not in SOURCES[verb] or (verb == "priority" and token.priority == priority):
            raise No("wrong_state")
        if verb == "transfer":
            self._transfer(token, to, position)
        elif verb == "recall":
            self.log(token.dept)
        elif verb == "priority":
            self._change(token, priority=priority, place=token.original)
        elif verb in TARGET:
            self._change(token, state=TARGET[verb], counter=None if verb == "park" else token.counter)
        else:
            self._change(
                token,
                state="WAITING",
                counter=None,
                place=self._place(token.dept, token.priority, token.original, position),
            )

    def undo(self, token_id: int) -> None:
        """Undo the last move."""
        token = self.tokens[token_id]
        if token.before is None:
            raise No("nothing_to_undo")
        before = token.before
        held = self.at(before.counter) if before.counter and before.state in BUSY else None
        if held and held is not token:
            raise No("counter_busy")
        for dept in {token.dept, before.dept}:
            self.log(dept)
        self.tokens[token_id] = before
        before.before = None

    def _transfer(self, token: Token, to: str, position: str) -> None:
        if to == token.dept:
            raise No("wrong_state")
        self.log(token.dept)
        original = self.seq[to] + 1 if position == "last" else token.arrived[to]
        place = self._place(to, token.priority, original, position)
        self._change(token, dept=to, state="WAITING", counter=None, place=place, original=original)

    def _place(self, dept: str, priority: str, original: int, position: str) -> int:
        line = self.line(dept, priority)
        if position == "last":
            return self.seq[dept] + 1
        return min(line[0].place - 1, original) if position == "first" and line else original

    def _change(self, token: Token, **fields: object) -> None:
        token.before = copy(token)
        for name, value in fields.items():
            setattr(token, name, value)
        self.log(token.dept)
