"""PostgreSQL, which decides."""
