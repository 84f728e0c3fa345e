"""Topic ``token-events``, read from Kafka directly, for the board."""

from tokenq.stream.event_stream import WINDOW, EventStream
from tokenq.stream.items import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound, Skipped

__all__ = ["WINDOW", "Arrived", "CaughtUp", "EventStream", "Item", "Link", "LinkChanged", "Rewound", "Skipped"]
