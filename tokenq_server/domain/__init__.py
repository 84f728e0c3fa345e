"""The rules of a queue, as pure functions and frozen values: no input, no output, no clock."""
