"""What the server's programs of one release do on the tables of the other. Change it here, and nowhere else.

While both releases have the same schema, each works on the other's tables. With a migration of this release's own, the
old programs do not start on the new tables any more, and the new ones not on the old: they refuse with these codes.
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
"""Whether old programs that run already continue when the tables become this release's under them."""
