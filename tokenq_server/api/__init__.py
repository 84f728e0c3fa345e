"""The HTTP API: parse the request, run one use case, answer."""
