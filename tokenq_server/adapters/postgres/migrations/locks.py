"""How long a step of a migration may wait for a table lock; meanwhile everyone else waits behind it."""

SHORT_LOCKS = "SET lock_timeout = '2s'"
"""The usual limit. Not as a startup option to return to by RESET: poolers refuse those."""

LONG_LOCKS = "SET lock_timeout = 0"
"""For an index that is built concurrently: it waits for old transactions, and nobody waits for it."""
