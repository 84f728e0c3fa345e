"""What the server's programs of one release do on the tables of the other. Change it here, and nowhere else.

While both releases have the same schema, each works on the other's tables. If this release has a migration, the
old programs do not start on the new tables, nor the new ones on the old: they refuse with these codes.
"""

from enum import StrEnum


class Meeting(StrEnum):
    """What happens when a program is started."""

    WORKS = "works"
    AHEAD = "schema_ahead"
    BEHIND = "schema_behind"


OLD_ON_NEW_TABLES = Meeting.AHEAD
"""WORKS or AHEAD."""

NEW_ON_OLD_TABLES = Meeting.BEHIND
"""WORKS or BEHIND."""

OLD_GOES_ON_WHILE_MIGRATED = True
"""Whether running old programs continue while the tables are migrated to this release."""
