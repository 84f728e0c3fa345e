"""Verifier in parts: the doors, one department's log, and what follows the log."""
