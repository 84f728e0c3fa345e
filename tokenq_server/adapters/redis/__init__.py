"""Redis or Valkey, which orders the waiting."""
