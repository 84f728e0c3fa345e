"""The queue at a given point of the log, with constant-time access to the head of each class."""

from heapq import heappop, heappush

from tokenq.contract.enums import Priority


class PrefixQueue:
    """Waiting tokens, per class by sort key and id."""

    def __init__(self) -> None:
        self._heaps: dict[Priority, list[tuple[int, int]]] = {name: [] for name in Priority}
        self._waiting: dict[int, tuple[Priority, int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, token_id: int, priority: Priority, place: int) -> None:
        """A token joins, or changes its class or sort key."""
        self._waiting[token_id] = (priority, place)
        heappush(self._heaps[priority], (place, token_id))

    def leave(self, token_id: int) -> None:
        """A token leaves; an absent token is ignored."""
        self._waiting.pop(token_id, None)

    def head(self, priority: Priority) -> int | None:
        """The id of the first token of a class."""
        heap = self._heaps[priority]
        while heap and self._waiting.get(heap[0][1]) != (priority, heap[0][0]):
            heappop(heap)
        return heap[0][1] if heap else None

    def count(self, priority: Priority) -> int:
        """How many tokens of a class wait."""
        return sum(kept is priority for kept, _ in self._waiting.values())
