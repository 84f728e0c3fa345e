"""Pages for browsers: the lobby's board, a customer's own ticket, and where people take numbers.

No build step, no files of others.
"""
