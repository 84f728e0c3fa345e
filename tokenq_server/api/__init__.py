"""The HTTP API: parse, ask one use case, answer."""
