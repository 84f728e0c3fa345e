"""What stands on a ticket."""

from typing_extensions import TypedDict

from tokenq.contract.views import EstimateView


class TicketView(TypedDict):
    """What is printed on a ticket. ``language`` is the customer's or the branch's.

    ``url`` shows the customer the state of the number; null where the branch has no public address.
    """

    displayNumber: str
    state: str
    departmentName: str
    branchName: str
    timezone: str
    language: str
    issuedAt: str
    position: int | None
    estimate: EstimateView | None
    url: str | None
