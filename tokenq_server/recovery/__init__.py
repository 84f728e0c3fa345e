"""Recovery after a restore: detect that the database is behind, reconcile it, rebuild the queues in Redis.

``guard`` checks before anything is committed; ``rewind`` is the command that moves the log past what other stores have
seen. Nothing here opens a store: bootstrap passes them in as the ``ports`` specify.
"""
