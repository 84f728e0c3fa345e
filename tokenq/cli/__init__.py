"""The command line: parse arguments, call the client, show the result. One verb or noun per module in ``commands``."""
