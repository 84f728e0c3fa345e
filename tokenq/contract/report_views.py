"""What the API says about past days, and about simulated ones.

A *visit* is a token's whole life within what the report covers: one department, or a branch. A *leg* is one
wait-and-service in one department. Durations are whole seconds and percentages have one decimal, both rounded half up;
every reader shows them as they are.
"""

from typing_extensions import TypedDict


class TimesView(TypedDict):
    """How long something took, in seconds, over ``count`` cases; all null over none."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    max: float | None


class ServiceLevelView(TypedDict):
    """The percentage of visits first called within so many minutes, and the percentage it should be.

    ``inTime`` of ``counted`` visits. Not counted are those that left (cancelled, or transferred uncalled) before the
    minutes had passed, and those for whom they have not passed yet; who is never called is not in time. Minutes and
    target are null over departments with different ones.
    """

    minutes: int | None
    percent: float | None
    target: int | None
    inTime: int
    counted: int


class EstimatesView(TypedDict):
    """The accuracy of the estimates given at issue: by how many seconds their midpoint missed the wait, on average.

    ``within`` is the percentage of waits in the estimated range.
    """

    count: int
    meanError: float | None
    within: float | None


class FiguresView(TypedDict):
    """The figures of some visits, all from the log; an undone move does not count.

    Each visit came (``issued``, or ``transferredIn`` from outside) and ended in one way: ``served``, ``noShow``,
    ``cancelled``, ``expired``, ``transferredOut``, or not yet (``unfinished``). ``called`` visits were called at least
    once; the first call ends their wait (``waiting``), from their arrival, without time when they were cancelled.
    ``abandoned`` were never called, and were cancelled by the customer or expired.

    Apart from that: ``furtherCalls`` after a return to the queue or in a further leg, with their waits
    (``furtherWaiting``), ``recalls`` of somebody already called, and ``furtherLegs`` of visits counted here.
    ``walking`` is from the last call to the start, ``service`` from the start (or call) to the end of those served.
    ``noShowPercent`` is of the called.
    """

    issued: int
    transferredIn: int
    furtherLegs: int
    called: int
    furtherCalls: int
    recalls: int
    served: int
    noShow: int
    cancelled: int
    expired: int
    transferredOut: int
    unfinished: int
    abandoned: int
    noShowPercent: float | None
    waiting: TimesView
    furtherWaiting: TimesView
    walking: TimesView
    service: TimesView
    serviceLevel: ServiceLevelView
    estimates: EstimatesView


class HourView(FiguresView):
    """One hour in the branch's time. Each figure is in the hour in which it happened; ``meanWait`` of those called."""

    hour: str
    meanWait: float | None


class CounterReportView(FiguresView):
    """What one counter did. Each figure is at the counter where it happened."""

    counterId: str


class OperatorReportView(FiguresView):
    """What one operator did at counters."""

    operator: str


class ReportView(FiguresView):
    """A department's business day; a day's visits are those whose number was issued on that day.

    ``classes`` has the waits to the first call by class.
    """

    departmentId: str
    name: str
    businessDay: str
    timezone: str
    classes: dict[str, TimesView]
    hours: list[HourView]
    counters: list[CounterReportView]
    operators: list[OperatorReportView]


class ReportRowView(FiguresView):
    """One row of a report over several days.

    ``key`` is a day, an ISO week (``2026-W48``), an hour (``09``), a weekday (``mon``), a department, a counter or an
    operator; null for what happened at no counter. ``name`` is the department's.
    """

    key: str | None
    name: str | None


class ReportTableView(TypedDict):
    """A range of days of a department, or of a branch (``departmentId`` is null), in total and by rows.

    ``departments`` are those covered: of a branch, those that the reader works in, deleted ones included. The rows add
    up to the total, with one exception: by department, a transferred visit is in the row of each department.
    """

    branchId: str
    departmentId: str | None
    name: str
    timezone: str
    firstDay: str
    lastDay: str
    departments: list[str]
    by: str | None
    total: FiguresView
    classes: dict[str, TimesView]
    rows: list[ReportRowView]


class SettingView(TypedDict):
    """A day simulated with so many counters and this ratio: the waits, and the percentage within the service level."""

    counters: int
    ratio: str
    waiting: TimesView
    classes: dict[str, TimesView]
    serviceLevel: float | None


class SimulationView(TypedDict):
    """A real day with other counters and ratios, for all ``customers`` who came.

    ``neverCalled`` of them have no service time of their own: theirs are drawn from the day's, or are the department's
    expected one if there are none. ``asItWas`` has the actual waits of those called; its percentage in time is the
    report's.
    """

    departmentId: str
    businessDay: str
    customers: int
    neverCalled: int
    asItWas: TimesView
    asItWasServiceLevel: float | None
    serviceLevelMinutes: int
    settings: list[SettingView]
