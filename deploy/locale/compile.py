"""Compile the message catalogues when tokenq is built or installed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NO_TIME = datetime.fromtimestamp(0, UTC)
"""Otherwise Babel writes the minute of the build, and no two builds are the same."""


class CompileCatalogues(BuildHookInterface):
    """Compile each ``tokenq/locale/<code>/LC_MESSAGES/tokenq.po`` to the ``.mo`` that the wheel contains."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - required by hatch
        """Compile all catalogues."""
        root = Path(self.root)
        for source in sorted((root / "tokenq" / "locale").glob("*/LC_MESSAGES/tokenq.po")):
            compiled = source.with_suffix(".mo")
            with source.open("rb") as text, compiled.open("wb") as out:
                catalogue = read_po(text)
                catalogue.creation_date = catalogue.revision_date = _NO_TIME
                write_mo(out, catalogue)
            build_data["artifacts"].append(str(compiled.relative_to(root)))
