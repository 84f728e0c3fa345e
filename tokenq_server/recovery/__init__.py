"""After a restore: detect that a database knows less than others do, reconcile it with them, rebuild the lines.

``guard`` looks before anything is committed; ``rewind`` is the command that carries the log past what others know.
Nothing here opens a store: bootstrap hands them over as the ``ports`` say.
"""
