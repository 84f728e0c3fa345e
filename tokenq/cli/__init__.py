"""The command line: parse, ask the client, show. One verb or noun per file in ``commands``."""
