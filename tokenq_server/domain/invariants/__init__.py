"""Invariants: pure checks over what the stores contain, with the codes of :mod:`catalog`."""
