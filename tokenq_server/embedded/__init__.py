"""PostgreSQL, Valkey and a Kafka-compatible broker from wheels, and a supervisor that runs tokenq on them."""
