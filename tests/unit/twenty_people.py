"""A day of twenty people, and what it adds up to, written out by hand.

Department CW, target 10 minutes; ann works at counter 1, bob at counter 2. Times are minutes after nine.

| token | came | what happened                                                              | wait | end         |
|-------|------|----------------------------------------------------------------------------|------|-------------|
| 1     | 0    | called 2 by ann, started 3, served 8                                       | 2    | served      |
| 2     | 0    | called 3 by bob, served 10 without a start                                 | 3    | served      |
| 3     | 1    | called 9 by ann, requeued 10, called 12 by bob, started 13, served 18      | 8    | served      |
| 4     | 2    | called 13 by ann, requeued 14, again 15-16, 17-18, 19, served 24           | 11   | served      |
| 5     | 3    | called 20 by bob, recalled 21 and 22, started 23, served 30                | 17   | served      |
| 6     | 4    | called 25 by ann, recalled 26, no-show 27                                  | 21   | no-show     |
| 7     | 5    | called 31 by bob, no-show 33, reinstated 40, called 45 by bob, served 50   | 26   | served      |
| 8     | 6    | cancelled by the customer at 10, before the target                         | –    | cancelled   |
| 9     | 6    | cancelled by the customer at 20, after the target                          | –    | cancelled   |
| 10    | 7    | cancelled by the desk at 30, after the target                              | –    | cancelled   |
| 11    | 8    | called 28 by ann, cancelled 29 at the counter by ann                       | 20   | cancelled   |
| 12    | 50   | called 52 by ann, started 53, transferred to HR at 56                      | 2    | transferred |
| 13    | 51   | transferred to HR at 55, never called here, before the target              | –    | transferred |
| 14    | 55   | priority: called 57 by ann, started 58, served 62                          | 2    | served      |
| 15    | 56   | called 58 by bob, parked 59, resumed 70, called 74, started 75, served 80 | 2    | served      |
| 16    | 60   | called 63 by ann, undone, called 66 by ann, served 71                      | 6    | served      |
| 17    | 62   | from HR: called 72 by ann, no-show 75                                      | 10   | no-show     |
| 18    | 64   | called 81 by bob, still at the counter                                     | 17   | –           |
| 19    | 65   | never called, expired at 500                                               | –    | expired     |
| 20    | 595  | never called, has waited for 5 minutes at 600                              | –    | –           |
"""

from typing import Any

from tests.unit.logs import DayLog

REPORT_MADE_AT = 600
ISSUED_BY = {17: "HR"}


def twenty_people() -> DayLog:
    """The log of CW on that day."""
    log = DayLog()
    for minutes, kind, token, *more in sorted(_MOVES, key=lambda move: move[0]):
        operator = {"1": "ann", "2": "bob"}.get(str(more[0]) if more else "", "desk")
        fields: dict[str, Any] = {"actor": operator, **(more[1] if len(more) > 1 else {})}
        log.add(minutes, f"TOKEN_{kind}", token, more[0] if more else None, **fields)
    return log


_TO_HR = {"from": "CW", "to": "HR"}
_BY_CUSTOMER = {"actor": "customer"}

_MOVES: list[tuple[Any, ...]] = [
    *((came, "GENERATED", token) for token, came in enumerate((0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 50, 51), 1)),
    (55, "GENERATED", 14, None, {"priority": "priority"}),
    *((came, "GENERATED", token) for token, came in ((15, 56), (16, 60), (18, 64), (19, 65), (20, 595))),
    (62, "TRANSFERRED", 17, None, {"from": "HR", "to": "CW"}),
    *((2, "CALLED", 1, "1"), (3, "SERVICE_STARTED", 1, "1"), (8, "SERVED", 1, "1")),
    *((3, "CALLED", 2, "2"), (10, "SERVED", 2, "2")),
    *((9, "CALLED", 3, "1"), (10, "REQUEUED", 3, "1")),
    *((12, "CALLED", 3, "2"), (13, "SERVICE_STARTED", 3, "2"), (18, "SERVED", 3, "2")),
    *((13, "CALLED", 4, "1"), (14, "REQUEUED", 4, "1"), (15, "CALLED", 4, "1"), (16, "REQUEUED", 4, "1")),
    *((17, "CALLED", 4, "1"), (18, "REQUEUED", 4, "1"), (19, "CALLED", 4, "1"), (24, "SERVED", 4, "1")),
    *((20, "CALLED", 5, "2"), (21, "RECALLED", 5, "2"), (22, "RECALLED", 5, "2")),
    *((23, "SERVICE_STARTED", 5, "2"), (30, "SERVED", 5, "2")),
    *((25, "CALLED", 6, "1"), (26, "RECALLED", 6, "1"), (27, "NO_SHOW", 6, "1")),
    *((31, "CALLED", 7, "2"), (33, "NO_SHOW", 7, "2"), (40, "REINSTATED", 7)),
    *((45, "CALLED", 7, "2"), (50, "SERVED", 7, "2")),
    (10, "CANCELLED", 8, None, _BY_CUSTOMER),
    (20, "CANCELLED", 9, None, _BY_CUSTOMER),
    (30, "CANCELLED", 10),
    *((28, "CALLED", 11, "1"), (29, "CANCELLED", 11, "1")),
    *((52, "CALLED", 12, "1"), (53, "SERVICE_STARTED", 12, "1"), (56, "TRANSFERRED", 12, "1", _TO_HR)),
    (55, "TRANSFERRED", 13, None, _TO_HR),
    (57, "CALLED", 14, "1", {"priority": "priority"}),
    (58, "SERVICE_STARTED", 14, "1", {"priority": "priority"}),
    (62, "SERVED", 14, "1", {"priority": "priority"}),
    *((58, "CALLED", 15, "2"), (59, "PARKED", 15, "2"), (70, "RESUMED", 15)),
    *((74, "CALLED", 15, "2"), (75, "SERVICE_STARTED", 15, "2"), (80, "SERVED", 15, "2")),
    *((63, "CALLED", 16, "1"), (64, "REVERTED", 16, None, {"undone": "call", "state": "WAITING"})),
    *((66, "CALLED", 16, "1"), (71, "SERVED", 16, "1")),
    *((72, "CALLED", 17, "1"), (75, "NO_SHOW", 17, "1")),
    (81, "CALLED", 18, "2"),
    (500, "EXPIRED", 19),
]


def _times(count: int, mean: int | None = None, p50: int | None = None, p90: int | None = None, top: int | None = None):
    return {"count": count, "mean": mean, "p50": p50, "p90": p90, "max": top}


COUNTS = {
    "issued": 19,  # all but 17, who came from HR
    "transferredIn": 1,
    "furtherLegs": 0,
    "called": 14,  # 1-7, 11, 12, 14-18
    "furtherCalls": 6,  # 3 once, 4 three times, 7 after the no-show, 15 after the parking
    "recalls": 3,  # 5 twice, 6 once
    "served": 9,  # 1-5, 7, 14-16
    "noShow": 2,  # 6 and 17; 7 came back
    "cancelled": 4,  # 8-11
    "expired": 1,  # 19
    "transferredOut": 2,  # 12, 13
    "unfinished": 2,  # 18, 20
    "abandoned": 3,  # 8, 9, 19; the desk cancelled 10, and 11 had been called
    "noShowPercent": 14.3,  # 2 of 14
}

# Waits in minutes: 2 2 2 2 3 6 8 10 11 17 17 20 21 26, in all 147 of 14 visits: 10.5 on average.
WAITING = _times(14, 630, 480, 1260, 1560)
# 3: 2; 4: 1, 1, 1; 7: 5; 15: 4 after the parking. In all 14 minutes of 6 calls, 140 seconds.
FURTHER_WAITING = _times(6, 140, 60, 300, 300)
# Each walk takes a minute, from the last call: 1, 3, 5, 12, 14, 15.
WALKING = _times(6, 60, 60, 60, 60)
# From the start: 1: 5, 3: 5, 5: 7, 14: 4, 15: 5; from the call: 2: 7, 4: 5, 7: 5, 16: 5. In all 48 minutes of 9: 320 s.
SERVICE = _times(9, 320, 300, 420, 420)
# In time (at most 10 minutes): 1, 2, 3, 12, 14, 15, 16, 17. Late: 4, 5, 6, 7, 11, 18. Never called and late: 9, 10, 19.
# Not counted: 8 and 13 left before the target, 20 has waited for five minutes so far.
SERVICE_LEVEL = {"minutes": 10, "percent": 47.1, "target": 80, "inTime": 8, "counted": 17}

# Hour: issued, called, further calls, served, mean wait. Each figure stands in the hour in which it happened.
# First calls from 9 to 10: 2 3 8 11 17 21 26 20 2 2 2, 114 minutes of 11: 622 s (621.8). From 10 on: 6, 10, 17.
HOURS = {
    "09": (15, 11, 5, 6, 622),
    "10": (3, 3, 1, 3, 660),
    "18": (1, 0, 0, 0, None),
}

# Counter: called, further calls, recalls, served, no-shows, cancelled, out, mean service, in time of counted.
# 1 first called 1 3 4 6 11 12 14 16 17, again 4 (three times); 2 first called 2 5 7 15 18, again 3 7 15.
COUNTERS = {
    "1": (9, 3, 1, 4, 2, 1, 1, 285, 6, 9),  # served 1 4 14 16: 5 5 4 5 minutes
    "2": (5, 3, 2, 5, 0, 0, 0, 348, 2, 5),  # served 2 3 5 7 15: 7 5 7 5 5 minutes
}
OPERATORS = {"ann": COUNTERS["1"], "bob": COUNTERS["2"]}

# Of the fourteen waits, one is of the class priority; the others have 145 minutes in all: 669 s (669.2).
CLASSES = {"normal": (13, 669), "priority": (1, 120), "urgent": (0, None)}
