"""PostgreSQL adapters: the authoritative store."""
