"""Use cases of the server, over ports and without any driver."""
