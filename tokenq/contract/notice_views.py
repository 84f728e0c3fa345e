"""The JSON objects behind notices: what to know about a call, a closed counter or a queue."""

from typing_extensions import TypedDict


class OtherCounterView(TypedDict):
    """Another counter at which the customer of a token is now.

    The number and its department are null unless the reader is staff there.
    """

    branchId: str
    counterId: str
    displayNumber: str | None
    departmentId: str | None


class UnservedView(TypedDict):
    """A department with waiting customers that no open counter serves; ``displayNumbers`` are the first ones."""

    departmentId: str
    waiting: int
    displayNumbers: list[str]


class AlarmView(TypedDict):
    """An alarm that is on: ``serviceLevel`` or ``longestWait``, and the limit that was passed.

    ``late`` is how many have waited longer than the service level's minutes, ``longestMinutes`` the longest wait.
    """

    name: str
    limitMinutes: int
    late: int
    longestMinutes: int
