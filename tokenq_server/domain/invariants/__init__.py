"""The rules that hold whatever happened: pure checks over what the stores hold, by the codes of :mod:`catalog`."""
