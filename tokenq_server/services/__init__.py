"""The use cases: what the server does for its callers, over ports and without any driver."""
