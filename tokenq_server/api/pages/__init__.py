"""Pages for browsers: the lobby's board, and a customer's own ticket. No build step, no files of others."""
