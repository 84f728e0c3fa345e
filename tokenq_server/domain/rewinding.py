"""After the database went back in time: what others were told since then, and how the floor is put right by it.

The topic still holds events that a restored database has forgotten. They are folded into one tale per token; then
tokens that are missing are made again, and readers who believe something else of a token are told what it is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import itemgetter

from tokenq.contract.events import Event, EventType
from tokenq.contract.verbs import STATE_AFTER
from tokenq.contract.words import LIVE, Priority, TokenState
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.token import Token

_WORDS = frozenset(map(str, TokenState))
_BETWEEN_DEPARTMENTS = frozenset({EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED})


@dataclass
class Tale:
    """What lost events tell of one token: ``shown`` is what readers believe of it in each department (None: gone).

    ``events`` is how many there are: its claim version cannot have grown by more.
    """

    last: Event
    events: int = 0
    born: Event | None = None
    is_near_told: bool = False
    shown: dict[str, TokenState | None] = field(default_factory=dict)

    @property
    def end(self) -> TokenState | None:
        """The final state it came to, if it did."""
        return next((state for state in self.shown.values() if state is not None and state not in LIVE), None)


@dataclass
class Mended:
    """What was done, by display number, for the people who look after it."""

    waiting_again: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    told_again: list[str] = field(default_factory=list)
    not_restored: list[str] = field(default_factory=list)


def tales(lost: Iterable[Event]) -> dict[int, Tale]:
    """Fold lost events, each department's in order, by token."""
    found: dict[int, Tale] = {}
    for event in _in_time(lost):
        if event.token_id == 0:
            continue
        tale = found.setdefault(event.token_id, Tale(event))
        tale.last = event
        tale.events += 1
        if event.event_type == EventType.TOKEN_GENERATED:
            tale.born = event
        if event.event_type == EventType.TOKEN_TURN_NEAR:
            tale.is_near_told = True
        elif (state := _told(event)) is not None:
            tale.shown[event.department_id] = None if _leaves(event) else state
    return found


def _in_time(lost: Iterable[Event]) -> list[Event]:
    """By when they happened; a department's stay in their order, also where its clock was set back."""
    latest: dict[str, datetime] = {}
    timed: list[tuple[datetime, Event]] = []
    for event in lost:
        name = event.department_id
        latest[name] = max(latest.get(name, event.timestamp), event.timestamp)
        timed.append((latest[name], event))
    return [event for _, event in sorted(timed, key=itemgetter(0))]


def highest_number(lost: Iterable[Event], department_id: str, day: date) -> int:
    """The highest number that was given out in a department on that day, as the events tell; 0 if none."""
    born = (one for one in lost if one.event_type == EventType.TOKEN_GENERATED and one.department_id == department_id)
    return max((one.token_no for one in born if one.business_day == day.isoformat()), default=0)


def put_right(
    floors: Mapping[str, Floor],
    known: Mapping[int, Token],
    lost: Mapping[int, Tale],
    overwritten: Mapping[str, Collection[int]],
    taken: Collection[tuple[str, int]],
) -> Mended:
    """Change the floors so that nobody who holds a number is forgotten and readers learn what is true.

    ``overwritten`` names, per department that went on after the restore, the tokens whose events readers will not
    see; what staff did there since then stays. ``taken`` are numbers of today that somebody has, by department.
    """
    done = Mended()
    for token_id, tale in sorted(lost.items()):
        if token := known.get(token_id):
            _put_right(floors, token, tale, overwritten, done)
        else:
            _make_again(floors, token_id, tale, taken, done)
    for name, token_ids in overwritten.items():
        for token_id in token_ids:
            token = known.get(token_id)
            if token is not None and token_id not in lost and token.department_id == name:
                floors[name].tell_again(token)
                done.told_again.append(token.display)
    return done


def _put_right(
    floors: Mapping[str, Floor], token: Token, tale: Tale, overwritten: Mapping[str, Collection[int]], done: Mended
) -> None:
    home = floors.get(token.department_id)
    # Some console may hold a claim of the lost hour: it must not fit whoever is called next.
    fenced = replace(token, claim_version=token.claim_version + tale.events)
    end = tale.end
    if home and tale.born is None and end is not None and token.state in LIVE and home.id not in overwritten:
        served_at = tale.last.timestamp if end is TokenState.SERVED else None
        ended = replace(fenced, state=end, counter_id=None, parked_until=None, served_at=served_at, undo=None)
        home.settle(token, ended)
        done.ended.append(token.display)
        return
    if home:
        home.settle(token, fenced)
    is_told = _tell_elsewhere(floors, fenced, tale)
    # With a birth it was given out once more after the restore: the id is another person's, whatever their states.
    if home and (tale.born or tale.shown.get(home.id, token.state) is not token.state):
        home.tell_again(fenced)
        is_told = True
    if tale.born:
        done.not_restored.append(tale.born.display_number)
    elif is_told:
        done.told_again.append(token.display)


def _tell_elsewhere(floors: Mapping[str, Floor], token: Token, tale: Tale) -> bool:
    """Tell the readers who believe a token to be where it is not; answers whether there are any."""
    wrong = [name for name, shown in tale.shown.items() if shown is not None and name != token.department_id]
    deceived = [floors[name] for name in wrong if name in floors]
    for floor in deceived:
        floor.tell_again(token)
    return bool(deceived)


def _make_again(
    floors: Mapping[str, Floor], token_id: int, tale: Tale, taken: Collection[tuple[str, int]], done: Mended
) -> None:
    born = tale.born
    home = floors.get(born.department_id) if born else None
    if born is None or home is None:
        done.not_restored.append(tale.last.display_number)
        return
    if born.business_day != home.standing.day.isoformat():
        return  # the day is over: whoever still waited then has expired
    if (home.id, born.token_no) in taken or (tale.end is None and home.live_token_of(born.user_id)):
        done.not_restored.append(born.display_number)
        return
    token = _token(token_id, born, tale, home)
    home.bring_back(token)
    (done.waiting_again if token.state is TokenState.WAITING else done.ended).append(token.display)
    _tell_elsewhere(floors, token, tale)


def _token(token_id: int, born: Event, tale: Tale, home: Floor) -> Token:
    state = tale.end or TokenState.WAITING
    return Token(
        token_id=token_id,
        department_id=home.id,
        branch_id=home.department.branch_id,
        day=home.standing.day,
        number=born.token_no,
        display=born.display_number,
        state=state,
        priority=Priority(tale.last.priority) if tale.last.priority in set(map(str, Priority)) else Priority.NORMAL,
        # The seq of its first event was its place: whoever came earlier goes earlier, also now.
        place=born.seq,
        original_place=born.seq,
        issued_at=born.timestamp,
        waiting_since=born.timestamp,
        user_id=born.user_id,
        email=born.email,
        claim_version=tale.events,
        served_at=tale.last.timestamp if state is TokenState.SERVED else None,
        issued_in=home.id,
        near_turn=home.department.rules.near_turn if born.email else 0,
        is_near_told=tale.is_near_told,
    )


def _leaves(event: Event) -> bool:
    """Whether a token goes to another department; a change of class names classes under the same word."""
    to = event.data.get("to")
    return event.event_type in _BETWEEN_DEPARTMENTS and isinstance(to, str) and to != event.department_id


def _told(event: Event) -> TokenState | None:
    if event.event_type == EventType.TOKEN_REVERTED:
        state = event.data.get("state")
        return TokenState(state) if isinstance(state, str) and state in _WORDS else None
    return STATE_AFTER.get(EventType(event.event_type)) if event.event_type in EventType.__members__ else None
