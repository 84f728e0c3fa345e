"""Who waits, at a prefix of the log: the head of each class in constant time."""

from heapq import heappop, heappush

from tokenq.contract.enums import Priority


class PrefixLine:
    """Who waits, per class by place and id."""

    def __init__(self) -> None:
        self._heaps: dict[Priority, list[tuple[int, int]]] = {name: [] for name in Priority}
        self._waiting: dict[int, tuple[Priority, int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, token_id: int, priority: Priority, place: int) -> None:
        """Somebody joins, or changes class or place."""
        self._waiting[token_id] = (priority, place)
        heappush(self._heaps[priority], (place, token_id))

    def leave(self, token_id: int) -> None:
        """Somebody leaves; what is not there is left alone."""
        self._waiting.pop(token_id, None)

    def head(self, priority: Priority) -> int | None:
        """The id of the first of a class."""
        heap = self._heaps[priority]
        while heap and self._waiting.get(heap[0][1]) != (priority, heap[0][0]):
            heappop(heap)
        return heap[0][1] if heap else None

    def count(self, priority: Priority) -> int:
        """How many of a class wait."""
        return sum(kept is priority for kept, _ in self._waiting.values())
