"""Reports on past days."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, segment
from tokenq.contract.days import TODAY
from tokenq.contract.paths import BRANCHES, DEPARTMENTS
from tokenq.errors import OlderServer

if TYPE_CHECKING:
    from tokenq.contract.enums import ReportBy
    from tokenq.contract.report_views import ReportTableView, ReportView, SimulationView

_TIMEOUT = 120.0
"""Seconds that a report of many days, or a simulation, may take."""


class ReportCalls(Calls):
    """Reports. Days are dates or words (:mod:`tokenq.contract.days`), which the server reads on the branch's calendar.

    Every method raises ``Refused`` or a ``TokenqError``.
    """

    def report(self, department: str, business_day: str | None = None) -> "ReportView":
        """Return the statistics of a day; default: the current day."""
        path = f"{DEPARTMENTS}/{segment(department)}/report"
        view: ReportView = self._call("GET", path, query={"businessDay": business_day}, timeout=_TIMEOUT)
        return view

    def department_table(
        self, department: str, first: str | None = None, last: str | None = None, by: "ReportBy | None" = None
    ) -> "ReportTableView":
        """Return the statistics of a department from the first to the last day, and by rows."""
        return self._table(f"{DEPARTMENTS}/{segment(department)}/report", first, last, by)

    def branch_table(
        self, branch: str, first: str | None = None, last: str | None = None, by: "ReportBy | None" = None
    ) -> "ReportTableView":
        """Return the same of a branch."""
        return self._table(f"{BRANCHES}/{segment(branch)}/report", first, last, by)

    def simulate(
        self, department: str, counters: str, ratios: Sequence[str] = (), business_day: str | None = None
    ) -> "SimulationView":
        """Simulate a day with other numbers of counters (``3``, ``3-6``) and ratios."""
        path = f"{DEPARTMENTS}/{segment(department)}/simulation"
        query = {"counters": counters, "ratio": list(ratios) or None, "businessDay": business_day}
        view: SimulationView = self._call("GET", path, query=query, timeout=_TIMEOUT)
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

    def _table(self, path: str, first: str | None, last: str | None, by: "ReportBy | None") -> "ReportTableView":
        is_default = first is None and last is None and by is None
        query = {"from": TODAY if is_default else first, "to": last, "by": by and str(by)}
        view: ReportTableView = self._call("GET", path, query=query, timeout=_TIMEOUT)
        if "rows" not in view:
            raise OlderServer(
                f"{self.server.url} is of an older release of tokenq, which reports single days only.",
                "Ask for a day, or update the server.",
            )
        return view
