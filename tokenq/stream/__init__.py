"""What a board reads: its items, and topic ``token-events`` as their source (:mod:`tokenq.stream.event_stream`)."""

from tokenq.stream.items import (
    Arrived,
    Began,
    CaughtUp,
    Item,
    Link,
    LinkChanged,
    Rewound,
    Skipped,
    Source,
    WaitsChanged,
)

__all__ = [
    "Arrived",
    "Began",
    "CaughtUp",
    "Item",
    "Link",
    "LinkChanged",
    "Rewound",
    "Skipped",
    "Source",
    "WaitsChanged",
]
