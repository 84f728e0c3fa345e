"""The names of the server's settings, which share the file and the environment with those of the command line."""

NAMES = frozenset(
    {
        "env",
        "strict",
        "host",
        "port",
        "tls_cert",
        "tls_key",
        "trusted_proxies",
        "database_url",
        "owner_database_url",
        "redis_url",
        "redis_functions_url",
        "kafka_bootstrap",
        "kafka_security_protocol",
        "kafka_sasl_mechanism",
        "kafka_sasl_username",
        "kafka_sasl_password",
        "kafka_ca",
        "kafka_cert",
        "kafka_key",
        "kafka_partitions",
        "kafka_embedded",
        "kafka_fetch_wait_ms",
        "events_email",
        "smtp_url",
        "mail_from",
        "mail_outbox",
        "data_dir",
        "migrate",
        "admin_token_file",
        "max_body_bytes",
        "docs",
        "failpoints",
    }
)
"""As in the server's own settings, where each has its type, default and description."""
