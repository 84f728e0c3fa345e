"""The whole configuration as one document."""

from collections.abc import Mapping
from typing import Any

from tokenq.client.calls import Calls
from tokenq.contract.paths import FLOOR


class FloorCalls(Calls):
    """Reads and sets the whole configuration. Every method raises ``Refused`` or a ``TokenqError``."""

    def floor(self, *, with_defaults: bool = False) -> dict[str, Any]:
        """Return the configuration as a document; settings at their defaults only if asked for.

        A server older than that question never sends them.
        """
        document: dict[str, Any] = self.get(f"{FLOOR}?all=true" if with_defaults else FLOOR)
        return document

    def apply_floor(
        self, document: Mapping[str, Any], *, dry_run: bool = False, prune: bool = False, end_day: bool = False
    ) -> dict[str, Any]:
        """Apply a configuration document, or only compare it (``dry_run``).

        Returns ``changes`` and, of a dry run, ``ends``: how many tokens would expire, per department and state. A
        change that would end a business day is refused without ``end_day``; older servers neither count nor refuse.
        """
        options = {"dryRun": dry_run, "prune": prune, "endDay": end_day}
        flags = "&".join(f"{name}=true" for name, is_set in options.items() if is_set)
        answer: dict[str, Any] = self.put(f"{FLOOR}?{flags}" if flags else FLOOR, document)
        return answer
