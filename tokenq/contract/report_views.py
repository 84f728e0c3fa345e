"""What the API tells about a day that was, and about one that might have been."""

from typing_extensions import TypedDict


class TimesView(TypedDict):
    """How long something took, in seconds, over ``count`` people; all null over nobody."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    max: float | None


class HourView(TypedDict):
    """One hour of a day in the branch's time: who came, was called and served, and the mean wait of the called."""

    hour: str
    issued: int
    called: int
    served: int
    meanWait: float | None


class CounterReportView(TypedDict):
    """What one counter did in a day."""

    counterId: str
    served: int
    noShow: int
    service: TimesView


class ServiceLevelView(TypedDict):
    """How many percent were called within so many minutes, and how many should be."""

    minutes: int
    percent: float | None
    target: int


class EstimatesView(TypedDict):
    """How good the estimates given at issue were: by how many seconds their middle missed the wait, on average.

    ``within`` is the percentage of waits that lay in the range.
    """

    count: int
    meanError: float | None
    within: float | None


class ReportView(TypedDict):
    """A department's business day in figures, all from its log; a move that was taken back does not count.

    Waiting is from coming into the line to the call, without the time parked; walking from the last call to the start;
    service from the start (or the call) to the end. Percentages are of those who were called.
    """

    departmentId: str
    name: str
    businessDay: str
    timezone: str
    issued: int
    called: int
    served: int
    noShow: int
    cancelled: int
    expired: int
    transferredIn: int
    transferredOut: int
    noShowPercent: float | None
    waiting: TimesView
    walking: TimesView
    service: TimesView
    serviceLevel: ServiceLevelView
    estimates: EstimatesView
    classes: dict[str, TimesView]
    hours: list[HourView]
    counters: list[CounterReportView]


class SettingView(TypedDict):
    """A day simulated with so many counters and this ratio: the waits, and the percentage within the service level."""

    counters: int
    ratio: str
    waiting: TimesView
    classes: dict[str, TimesView]
    serviceLevel: float | None


class SimulationView(TypedDict):
    """A real day with other counters and ratios; ``asItWas`` is what happened, with its percentage in time."""

    departmentId: str
    businessDay: str
    customers: int
    asItWas: TimesView
    asItWasServiceLevel: float | None
    serviceLevelMinutes: int
    settings: list[SettingView]
