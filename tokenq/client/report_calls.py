"""Reports on past days."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, segment
from tokenq.contract.paths import DEPARTMENTS

if TYPE_CHECKING:
    from tokenq.contract.report_views import ReportView, SimulationView


class ReportCalls(Calls):
    """Reports. Every method raises ``Refused`` or a ``TokenqError``."""

    def report(self, department: str, business_day: str | None = None) -> "ReportView":
        """Return the statistics of a day; default: the current day."""
        view: ReportView = self.get(f"{DEPARTMENTS}/{segment(department)}/report", businessDay=business_day)
        return view

    def simulate(
        self, department: str, counters: str, ratios: Sequence[str] = (), business_day: str | None = None
    ) -> "SimulationView":
        """Simulate a day with other numbers of counters (``3``, ``3-6``) and ratios."""
        path = f"{DEPARTMENTS}/{segment(department)}/simulation"
        view: SimulationView = self.get(path, counters=counters, ratio=list(ratios) or None, businessDay=business_day)
        return view

    def day_log(self, department: str, business_day: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield all events of a department on a day, in wire format, fetching page by page."""
        path, cursor = f"{DEPARTMENTS}/{segment(department)}/events", None
        while True:
            page = self.get(path, businessDay=business_day, cursor=cursor)
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return
