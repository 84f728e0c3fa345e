"""What the Kafka library's callbacks tell of a connection: is the broker there, and is its log the one we know?"""

import json
import time
from collections.abc import Mapping
from typing import Any

from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.kafka_refusals import Refusals


class Pulse:
    """What is known of a connection. The library reports once a second."""

    def __init__(self, access: KafkaAccess) -> None:
        self._refusals = Refusals(access)
        self.is_new = False
        self.heard_at: float | None = None
        self.down = False
        self.doubt = False
        self.partitions: set[int] = set()
        self.high: dict[int, int] = {}
        self._disconnects: dict[str, int] = {}

    def on_statistics(self, text: str) -> None:
        """Take in one report, a JSON text."""
        report = json.loads(text)
        self.is_new = True
        self._look_at_brokers(report["brokers"])
        partitions = report["topics"].get(TOPIC, {}).get("partitions", {})
        known = {int(number): values for number, values in partitions.items() if int(number) >= 0}
        self.partitions = {number for number, values in known.items() if not values.get("unknown")}
        for number, values in known.items():
            high = values["hi_offset"]
            if 0 <= high < self.high.get(number, 0):
                self.doubt = True
            self.high[number] = max(high, self.high.get(number, 0))

    def on_error(self, error: Any) -> None:
        """Heed what explains a refused connection; statistics tell the rest.

        The library reports brokers down when it only renames a connection.
        """
        self._refusals.hear(error.name(), error.str())

    def live(self) -> None:
        """The brokers accept the connection."""
        self._refusals.forget()

    def why_lost(self, otherwise: str) -> str:
        """Return why there is no connection, as a sentence; ``otherwise`` if the brokers do not refuse it."""
        refusal = self._refusals.last
        return f"{refusal.sentence}." if refusal else otherwise

    def _look_at_brokers(self, brokers: Mapping[str, Any]) -> None:
        used = {name: broker for name, broker in brokers.items() if broker["nodeid"] >= 0 and broker["connects"]}
        up = [broker for broker in used.values() if broker["state"] == "UP"]
        if up:
            idle = min(broker["rxidle"] for broker in up)
            self.heard_at = time.monotonic() - max(idle, 0) / 1e6
        self.down = not up
        disconnects = {name: broker["disconnects"] for name, broker in used.items()}
        is_gone = not self._disconnects.keys() <= disconnects.keys()
        was_cut = any(count > self._disconnects.get(name, 0) for name, count in disconnects.items())
        # It may have come back as another log; a killed broker needs milliseconds to restart.
        self.doubt = self.doubt or self.down or is_gone or was_cut
        self._disconnects = disconnects
