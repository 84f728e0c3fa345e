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
        self, document: Mapping[str, Any], *, dry_run: bool = False, prune: bool = False
    ) -> list[dict[str, Any]]:
        """Apply a configuration document, or only compare it (``dry_run``); return the changes."""
        flags = "&".join(name for name, is_set in (("dryRun=true", dry_run), ("prune=true", prune)) if is_set)
        changes: list[dict[str, Any]] = self.put(f"{FLOOR}?{flags}" if flags else FLOOR, document)["changes"]
        return changes
