"""Redis (or Valkey) adapters: the queues and the number counters."""
