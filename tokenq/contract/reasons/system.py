"""Reasons that lie in a request, in a setting or in a store."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason

_CORRECT = "Correct it and try again."
_CHECK = "Check them and try again."


class RequestReason(Reason):
    """About a request as such."""

    UNREADABLE = (ProblemCode.INVALID, "The request could not be read.", "Send JSON as documented under /docs.")
    NOT_FOUND = ProblemCode.NOT_FOUND, "Nothing exists at this address.", "See /docs for all addresses."
    WRONG_METHOD = (
        ProblemCode.METHOD_NOT_ALLOWED,
        "This address does not support that method.",
        "See /docs for the supported methods.",
    )
    TOO_LARGE = ProblemCode.TOO_LARGE, "The request is too large.", "Send less data at once."
    HEADERS_TOO_LARGE = (ProblemCode.HEADERS_TOO_LARGE, "The headers of the request are too large.", "Send fewer.")
    TOO_SLOW = (
        ProblemCode.TOO_SLOW,
        "The request did not arrive in time.",
        "Send it again; check the connection if that fails, too.",
    )
    UNKNOWN_PARAMETER = (
        ProblemCode.INVALID,
        "This address has no parameter '{name}'.",
        "Correct or remove it; an older release of the server may not know it.",
    )
    REPEATED_PARAMETER = ProblemCode.INVALID, "The parameter '{name}' is given more than once.", "Give it once."
    WRONG_KEY = (ProblemCode.INVALID, "An idempotency key is 1 to 255 visible ASCII characters.", "Use a random UUID.")
    OTHER_REQUEST = (
        ProblemCode.IDEMPOTENCY_MISMATCH,
        "This idempotency key was used for another request.",
        "Use a new key for a new request; reuse a key only to retry the same request.",
    )
    WRONG_EVENT_ID = (
        ProblemCode.INVALID,
        "The Last-Event-ID does not come from this stream.",
        "Omit it to start from now.",
    )
    TOO_MANY_STREAMS = ProblemCode.RATE_LIMITED, "You have too many event streams open.", "Close some."
    TOO_MANY = ProblemCode.RATE_LIMITED, "You have sent too many requests.", "Try again in {seconds} s."
    OVERLOADED = ProblemCode.OVERLOADED, "The server is overloaded.", "Try again in a second."
    FAILED = (
        ProblemCode.INTERNAL,
        "The server failed to handle this request.",
        "Its log has the details; please report them.",
    )
    NOT_CARRIED_OUT = (
        ProblemCode.INTERNAL,
        "The server could not carry this out; nothing has changed.",
        "Its log has the details.",
    )


class FieldReason(Reason):
    """About one field of a request; ``field`` is its name, or what an edge calls it."""

    MISSING = ProblemCode.INVALID, "{field} is missing.", _CORRECT
    UNKNOWN = ProblemCode.INVALID, "{field} is not a known field.", _CORRECT
    WRONG_FORM = ProblemCode.INVALID, "{field} has the wrong format.", _CORRECT
    NO_JSON = ProblemCode.INVALID, "{field} is not valid JSON.", _CORRECT
    NO_CHOICE = ProblemCode.INVALID, "{field} is not one of the allowed values.", _CORRECT
    NO_TEXT = ProblemCode.INVALID, "{field} must be a string.", _CORRECT
    NO_WHOLE_NUMBER = ProblemCode.INVALID, "{field} must be a whole number.", _CORRECT
    NO_TRUTH = ProblemCode.INVALID, "{field} must be true or false.", _CORRECT
    NO_LIST = ProblemCode.INVALID, "{field} must be a list.", _CORRECT
    NO_MAPPING = ProblemCode.INVALID, "{field} must be an object.", _CORRECT
    NO_OBJECT = ProblemCode.INVALID, "{field} must be a JSON object.", _CORRECT
    TOO_LONG = ProblemCode.INVALID, "{field} must not be longer than {limit} characters.", _CORRECT
    TOO_SHORT = ProblemCode.INVALID, "{field} must have at least {limit} characters.", _CORRECT
    TOO_FEW = ProblemCode.INVALID, "{field} must have at least {limit} items.", _CORRECT
    TOO_MANY = ProblemCode.INVALID, "{field} must have at most {limit} items.", _CORRECT
    TOO_SMALL = ProblemCode.INVALID, "{field} must be at least {limit}.", _CORRECT
    TOO_GREAT = ProblemCode.INVALID, "{field} must be at most {limit}.", _CORRECT
    EMPTY = ProblemCode.INVALID, "{field} must not be empty.", _CORRECT
    UNPRINTABLE = ProblemCode.INVALID, "{field} must contain printable characters only.", _CORRECT
    ENCODED_WORD = ProblemCode.INVALID, "{field} must not contain '=?'.", _CORRECT
    WRONG_KIND = ProblemCode.INVALID, "{field} must be {kind}.", _CORRECT
    WRONG_VALUE = ProblemCode.INVALID, "{field} {fault}.", _CORRECT


class SettingReason(Reason):
    """About a setting of a program or of a store it needs."""

    WRONG = ProblemCode.INVALID, "The setting {name} is wrong: {fault}.", "Correct it and start again."
    WRONG_KIND = ProblemCode.INVALID, "The setting {name} is wrong: {fault}.", "For example {name}={example}."
    SEVERAL_WRONG = ProblemCode.INVALID, "{count} settings are wrong: {faults}.", "Correct them and start again."
    WRONG_HERE = ProblemCode.INVALID, "The setting {name} is wrong: {fault}.", "Correct or remove it."
    FILE_UNREADABLE = (
        ProblemCode.INVALID,
        "The settings file {path} cannot be read: {error}.",
        "Fix the file or its permissions.",
    )
    FILE_MISSING = (
        ProblemCode.INVALID,
        "TOKENQ_CONFIG names {path}, which does not exist.",
        "Correct or unset TOKENQ_CONFIG.",
    )
    FILE_NOT_TOML = ProblemCode.INVALID, "The settings file {path} is not TOML: {error}.", "Fix that line."
    UNKNOWN_KEY = ProblemCode.INVALID, "'{name}' in {path} is not a setting.", "Correct or remove it."
    MISSPELT_KEY = ProblemCode.INVALID, "'{name}' in {path} is not a setting.", "Did you mean '{suggestion}'?"
    FILE_HOLDS_SECRET = (
        ProblemCode.INVALID,
        "The settings file {path} contains a {name}; secrets do not belong there.",
        "Remove it from the file; log in or use an environment variable instead.",
    )
    WRONG_DATABASE_URL = (
        ProblemCode.INVALID,
        "The setting {name} is wrong: {fault}.",
        "Write postgresql://user:password@host:port/database.",
    )
    DATABASE_WITHOUT_PASSWORD = (
        ProblemCode.INVALID,
        "The database lets anybody in without a password.",
        "Demand one in pg_hba.conf (scram-sha-256), or connect by a socket with peer login.",
    )
    REDIS_WITHOUT_PASSWORD = (
        ProblemCode.INVALID,
        "Redis lets anybody in without a password.",
        "Give it users (deploy/redis/users.acl), and write user and password into TOKENQ_REDIS_URL.",
    )
    BROKER_WITHOUT_LOGIN = (
        ProblemCode.INVALID,
        "Anybody who reaches Kafka can read customers' e-mail addresses.",
        "Give Kafka a login (TOKENQ_KAFKA_SECURITY_PROTOCOL), leave addresses out (TOKENQ_EVENTS_EMAIL=omit), or "
        "accept it (TOKENQ_EVENTS_EMAIL=plain).",
    )
    SEVERAL_OPEN = (
        ProblemCode.INVALID,
        "{count} things are not safe for production:{holes}",
        Action.MEND_ALL,
    )
    PLAIN_HTTP = (
        ProblemCode.INVALID,
        "The API listens on {host} without TLS: others on the network can read passwords and names.",
        Action.SECURE_API,
    )
    SESSIONS_CHANGE = (
        ProblemCode.INVALID,
        "{name} leads to a pooler in {mode} mode, which gives each {mode} another session of the database: "
        "locks are lost.",
        "Set PgBouncer's pool_mode to session for tokenq, or connect to PostgreSQL directly.",
    )
    WRONG_PROXIES = (
        ProblemCode.INVALID,
        "The setting {name} is wrong: {fault}.",
        "List only the proxies in front of the API, such as 127.0.0.1,10.1.2.0/28.",
    )
    WRONG_CERTIFICATE = (
        ProblemCode.INVALID,
        "The API cannot use the certificate in {files}: {fault}.",
        "TOKENQ_TLS_CERT is a PEM file with the server's certificate first, TOKENQ_TLS_KEY one with its key.",
    )
    KEY_WITHOUT_CERTIFICATE = (
        ProblemCode.INVALID,
        "TOKENQ_TLS_KEY is set, but TOKENQ_TLS_CERT is not.",
        "Set both: the certificate and its key.",
    )
    WRONG_REDIS_URL = (
        ProblemCode.INVALID,
        "The setting {name} is wrong: {fault}.",
        "Write redis://user:password@host:port/0, rediss:// for TLS, unix:///path/to/socket, "
        "or redis+cluster://host:port,host:port for a cluster.",
    )
    WRONG_SMTP_URL = (
        ProblemCode.INVALID,
        "{name} is not the address of a mail server.",
        "Use smtp://user:password@host:port, smtp+starttls://… or smtps://….",
    )
    WRONG_WEBHOOK_URL = (
        ProblemCode.INVALID,
        "{name} is not the address of a gateway.",
        "Use https://host/path; http:// is for this machine only.",
    )
    WRONG_WEBHOOK_SECRET = (
        ProblemCode.INVALID,
        "{name} is not a secret of 24 to 64 bytes.",
        "Make one: echo whsec_$(openssl rand -base64 32)",
    )
    REDIS_EVICTS = (
        ProblemCode.INVALID,
        "Redis may evict waiting customers: its maxmemory-policy is {policies}.",
        "Set maxmemory-policy to noeviction, or set TOKENQ_ENV=development on a test system.",
    )
    DATABASE_FORGETS = (
        ProblemCode.INVALID,
        "The database may lose acknowledged writes: {settings} is off.",
        "Switch it on, or set TOKENQ_ENV=development on a test system.",
    )


class StoreReason(Reason):
    """About the stores: the database, Redis, the topic."""

    DATABASE_UNAVAILABLE = (ProblemCode.UNAVAILABLE, "The database is unavailable.", "Try again in a few seconds.")
    IN_DOUBT = (
        ProblemCode.UNAVAILABLE,
        "The database is unavailable; whether this request was carried out is not yet known.",
        Action.REPEAT_WITH_KEY,
    )
    DATABASE_NEEDED = ProblemCode.UNAVAILABLE, "The database is unavailable.", Action.CHECK_PARTS
    REDIS_NEEDED = ProblemCode.UNAVAILABLE, "Redis is unavailable.", Action.CHECK_PARTS
    BROKER_NEEDED = ProblemCode.UNAVAILABLE, "The broker is unavailable.", Action.CHECK_PARTS
    BUSY = ProblemCode.UNAVAILABLE, "The department is busy.", "Try again in a few seconds."
    CROWDED = ProblemCode.UNAVAILABLE, "Too many requests for the same counters at once.", "Try again in a second."
    READ_ONLY = (
        ProblemCode.UNAVAILABLE,
        "The database denies this program access to its tables.",
        "Its user must own the tables or have privileges on them, and the server must not be read-only.",
    )
    NOT_THE_OWNER = (
        ProblemCode.UNAVAILABLE,
        "The user of the database may not change its tables.",
        "Set TOKENQ_OWNER_DATABASE_URL to the owner of the tables, or migrate as the owner.",
    )
    NAME_TAKEN = ProblemCode.EXISTS, "This name is already in use.", "Choose another name."
    STILL_REFERRED_TO = (
        ProblemCode.IN_USE,
        "This is still referenced elsewhere.",
        "Remove or change the reference first.",
    )
    REFUSED_VALUES = ProblemCode.INVALID, "The database rejected these values.", _CHECK
    UNHOLDABLE_VALUES = ProblemCode.INVALID, "The database cannot store these values.", _CHECK
    TABLES_MISSING = ProblemCode.SCHEMA_BEHIND, "The database lacks tables.", Action.MIGRATE
    SCHEMA_BEHIND = (
        ProblemCode.SCHEMA_BEHIND,
        "The database schema is {found}, but this release needs {needed}.",
        Action.MIGRATE,
    )
    SCHEMA_AHEAD = (
        ProblemCode.SCHEMA_AHEAD,
        "The database was migrated by a newer release of tokenq (its schema is {found}, this release knows {needed}).",
        "Install that release, or restore the backup from before the upgrade.",
    )
    TABLE_HELD = (
        ProblemCode.UNAVAILABLE,
        "A long transaction holds a table lock, so the schema cannot be changed.",
        Action.MIGRATE_AGAIN,
    )
    BEHIND_TOPIC = (
        ProblemCode.LOG_BEHIND,
        "The database lacks events that were already published: in {department}{more} its log ends at {log}, "
        "the topic at {topic}{spot}.",
        Action.REWIND,
    )
    BEHIND_REDIS = (
        ProblemCode.LOG_BEHIND,
        "The database lacks events that Redis has already seen: in {department}{more} its log ends at {log}, "
        "Redis is at {redis}.",
        Action.REWIND,
    )
    FORKED = (
        ProblemCode.LOG_BEHIND,
        "The database lacks events that were already published: in {department}{more} its log ends at {log}, "
        "and the topic has other events under the same numbers{spot}.",
        Action.REWIND,
    )
    TOO_FAR_BEHIND = (
        ProblemCode.LOG_BEHIND,
        "{department} lacks {missing} events; a rewind can replace at most {most}.",
        "Restore a newer backup. If Redis is wrong, flush it: it is rebuilt from the database.",
    )
    REDIS_SILENT = (
        ProblemCode.UNAVAILABLE,
        "Redis cannot report its position in {department}, and the database has lost it.",
        "Start Redis and try again. If its data is lost, flush it: numbers may then be issued twice.",
    )
    IN_USE_BY_OTHERS = (
        ProblemCode.UNAVAILABLE,
        "A relay or an API is running on this database.",
        "Stop both and try again.",
    )
    REWIND_REFUSED = (
        ProblemCode.INTERNAL,
        "The database rejected the rewind ({error}).",
        "Nothing was changed. Its own log has the details; please report them.",
    )
    LINE_BUSY = (
        ProblemCode.UNAVAILABLE,
        "{departments} is busy for longer than a rebuild waits; the other queues are rebuilt.",
        "Try again in a few seconds.",
    )
    LINE_UNREADABLE = (
        ProblemCode.UNAVAILABLE,
        "The database could not read {departments} ({error}); the other queues are rebuilt.",
        Action.SEE_PARTS,
    )
    NO_DEAD_LETTER = ProblemCode.NOT_FOUND, "There is no dead letter {id}.", Action.LIST_DEAD_LETTERS
    DEAD_LETTER_LOST = ProblemCode.UNAVAILABLE, "The dead letter could not be stored: {fault}"
