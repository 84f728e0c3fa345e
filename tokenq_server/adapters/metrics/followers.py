"""The metrics of relay and notify: what their vital signs say."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tokenq_server.services.vital_signs import WORKING, VitalSigns

_COUNTS: dict[str, tuple[str, Sequence[str]]] = {
    "relay_published": ("Events published by this process.", ()),
    "relay_restarts": ("Times it began again after a failure.", ()),
    "notify_records": ("Records of the topic taken in.", ()),
    "notify_bad_records": ("Records that were unreadable or unknown, and became dead letters.", ()),
    "notifications": ("Attempts to send a notification.", ("channel", "kind", "result")),
    "notifications_overtaken": ("Notifications that were no longer true, and were not sent.", ("channel", "kind")),
}
"""What is counted: the name, what it means, its labels. The first word of an unlabelled one is its program."""


class SignsCollector:
    """Reads the signs whenever somebody looks."""

    def __init__(self, program: str, signs: VitalSigns) -> None:
        self._program, self._signs = program, signs

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for the registry."""
        up = GaugeMetricFamily("tokenq_part_working", "1 while the part does its work.", labels=["part"])
        for part, state in self._signs.parts().items():
            up.add_metric([part], state == WORKING)
        yield up
        for name, (about, labels) in _COUNTS.items():
            family = CounterMetricFamily(f"tokenq_{name}", about, labels=labels)
            if not labels and name.startswith(f"{self._program}_"):
                family.add_metric([], self._signs.counts[name, ()])
            for (counted, values), times in self._signs.counts.items():
                if labels and counted == name:
                    family.add_metric([text for _, text in values], times)
            if family.samples:
                yield family
