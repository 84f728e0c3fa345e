"""Why a request, a setting or a store beneath stands in the way."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason

_CORRECT = "Correct it and send it again."
_CHECK = "Check them and try again."


class RequestReason(Reason):
    """About a request as such."""

    UNREADABLE = (
        ProblemCode.INVALID,
        "The request could not be read.",
        "Send JSON as the API's documentation shows.",
    )
    NOT_FOUND = ProblemCode.NOT_FOUND, "There is nothing at this address.", "See /docs for what there is."
    WRONG_METHOD = (
        ProblemCode.METHOD_NOT_ALLOWED,
        "This address does not take that method.",
        "See /docs for what it takes.",
    )
    TOO_LARGE = ProblemCode.TOO_LARGE, "The request is too large.", "Send less at once."
    WRONG_KEY = (
        ProblemCode.INVALID,
        "The idempotency key is not 1 to 255 visible ASCII characters.",
        "Use a random UUID.",
    )
    OTHER_REQUEST = (
        ProblemCode.IDEMPOTENCY_MISMATCH,
        "This idempotency key was used for another request.",
        "Use a new key for a new request, and the same key only to repeat the same one.",
    )
    WRONG_EVENT_ID = (
        ProblemCode.INVALID,
        "The Last-Event-ID is not one this stream gave.",
        "Leave it out to start now.",
    )
    TOO_MANY_STREAMS = ProblemCode.RATE_LIMITED, "You have too many event streams open.", "Close some."
    OVERLOADED = ProblemCode.OVERLOADED, "The server is overloaded right now.", "Try again in a second."
    FAILED = (
        ProblemCode.INTERNAL,
        "The server failed to answer this.",
        "Its log says why; please report it.",
    )
    NOT_CARRIED_OUT = (
        ProblemCode.INTERNAL,
        "The server could not carry this out; nothing has changed.",
        "The server's log says why.",
    )


class FieldReason(Reason):
    """About one field of a request; ``field`` is its name, or the words in which an edge has it."""

    MISSING = ProblemCode.INVALID, "{field} is missing.", _CORRECT
    UNKNOWN = ProblemCode.INVALID, "{field} is not known here.", _CORRECT
    WRONG_FORM = ProblemCode.INVALID, "{field} does not have the right form.", _CORRECT
    NO_JSON = ProblemCode.INVALID, "{field} is not JSON.", _CORRECT
    NO_CHOICE = ProblemCode.INVALID, "{field} is none of the words allowed there.", _CORRECT
    NO_TEXT = ProblemCode.INVALID, "{field} must be a text.", _CORRECT
    NO_WHOLE_NUMBER = ProblemCode.INVALID, "{field} must be a whole number.", _CORRECT
    NO_TRUTH = ProblemCode.INVALID, "{field} must be true or false.", _CORRECT
    NO_LIST = ProblemCode.INVALID, "{field} must be a list.", _CORRECT
    NO_MAPPING = ProblemCode.INVALID, "{field} must be an object.", _CORRECT
    NO_OBJECT = ProblemCode.INVALID, "{field} must be a JSON object.", _CORRECT
    TOO_LONG = ProblemCode.INVALID, "{field} must not be longer than {limit} characters.", _CORRECT
    TOO_SHORT = ProblemCode.INVALID, "{field} must have at least {limit} characters.", _CORRECT
    TOO_SMALL = ProblemCode.INVALID, "{field} must be at least {limit}.", _CORRECT
    TOO_GREAT = ProblemCode.INVALID, "{field} must be at most {limit}.", _CORRECT
    EMPTY = ProblemCode.INVALID, "{field} must not be empty.", _CORRECT
    UNPRINTABLE = ProblemCode.INVALID, "{field} must hold printable characters only.", _CORRECT
    ENCODED_WORD = ProblemCode.INVALID, "{field} must not hold '=?'.", _CORRECT
    WRONG_KIND = ProblemCode.INVALID, "{field} must be {kind}.", _CORRECT
    WRONG_VALUE = ProblemCode.INVALID, "{field} {fault}.", _CORRECT


class SettingReason(Reason):
    """About a setting of a program, or of a store that it needs."""

    WRONG = ProblemCode.INVALID, "The setting {name} is wrong: {fault}.", "Correct it and start again."
    WRONG_HERE = ProblemCode.INVALID, "The setting {name} is wrong: {fault}.", "Correct or remove it."
    FILE_UNREADABLE = (
        ProblemCode.INVALID,
        "The settings file {path} cannot be read: {error}.",
        "Mend the file or its permissions.",
    )
    FILE_NOT_TOML = ProblemCode.INVALID, "The settings file {path} is not TOML: {error}.", "Mend that line."
    FILE_HOLDS_SECRET = (
        ProblemCode.INVALID,
        "The settings file {path} holds a {name}; secrets do not belong there.",
        "Log in, or use the environment, and remove it from the file.",
    )
    WRONG_DATABASE_URL = (
        ProblemCode.INVALID,
        "The setting {name} is wrong: {fault}.",
        "Write postgresql://user:password@host:port/database.",
    )
    WRONG_PROXIES = (
        ProblemCode.INVALID,
        "The setting {name} is wrong: {fault}.",
        "Name the proxies before the API and nobody else, as in 127.0.0.1,10.1.2.0/28.",
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
    REDIS_EVICTS = (
        ProblemCode.INVALID,
        "Redis may evict people who wait: its maxmemory-policy is {policies}.",
        "Set maxmemory-policy to noeviction, or set TOKENQ_ENV=development where nothing is at stake.",
    )
    DATABASE_FORGETS = (
        ProblemCode.INVALID,
        "The database may lose what it acknowledged: {settings} is off.",
        "Switch it on, or set TOKENQ_ENV=development where nothing is at stake.",
    )


class StoreReason(Reason):
    """About the stores: the database, Redis, the topic."""

    DATABASE_UNAVAILABLE = (
        ProblemCode.UNAVAILABLE,
        "The database is unavailable.",
        "Try again in a few seconds.",
    )
    IN_DOUBT = (
        ProblemCode.UNAVAILABLE,
        "The database is unavailable; whether this request was carried out is not known yet.",
        Action.REPEAT_WITH_KEY,
    )
    DATABASE_NEEDED = ProblemCode.UNAVAILABLE, "The database is unavailable.", Action.CHECK_PARTS
    REDIS_NEEDED = ProblemCode.UNAVAILABLE, "Redis is unavailable.", Action.CHECK_PARTS
    BROKER_NEEDED = ProblemCode.UNAVAILABLE, "The broker is unavailable.", Action.CHECK_PARTS
    BUSY = ProblemCode.UNAVAILABLE, "The department is busy.", "Try again in a few seconds."
    CROWDED = ProblemCode.UNAVAILABLE, "Too many want the same counters at once.", "Try again in a second."
    READ_ONLY = (
        ProblemCode.UNAVAILABLE,
        "The database does not let this program read or write what it must.",
        "Its user must be the tables' owner, or be granted them; its server must not be read-only.",
    )
    NAME_TAKEN = ProblemCode.EXISTS, "Something of this name is there already.", "Choose another name."
    STILL_REFERRED_TO = ProblemCode.IN_USE, "Something else still refers to this.", "Remove or change that first."
    REFUSED_VALUES = ProblemCode.INVALID, "The database refused these values.", _CHECK
    UNHOLDABLE_VALUES = ProblemCode.INVALID, "The database cannot hold these values.", _CHECK
    TABLES_MISSING = ProblemCode.SCHEMA_BEHIND, "The database lacks tables.", Action.MIGRATE
    SCHEMA_BEHIND = (
        ProblemCode.SCHEMA_BEHIND,
        "The database's schema is {found}, this release needs {needed}.",
        Action.MIGRATE,
    )
    SCHEMA_AHEAD = (
        ProblemCode.SCHEMA_AHEAD,
        "The database was made by a newer release of tokenq (its schema is {found}, this release knows {needed}).",
        "Install that release, or restore the backup that was made before the upgrade.",
    )
    TABLE_HELD = (
        ProblemCode.UNAVAILABLE,
        "Somebody holds a table of the database for so long that its schema cannot be changed.",
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
        "{department} lacks {missing} events; a rewind fills in {most} at most.",
        "Restore a newer backup. If Redis is what is wrong, empty it: it is filled again from the database.",
    )
    REDIS_SILENT = (
        ProblemCode.UNAVAILABLE,
        "Redis can no longer tell what it holds of {department}, and the database has lost it.",
        "Start it and try again. If it is lost, empty it: numbers may then be given out a second time.",
    )
    IN_USE_BY_OTHERS = (
        ProblemCode.UNAVAILABLE,
        "A relay or an API is at work on this database.",
        "Stop both and try again.",
    )
    REWIND_REFUSED = (
        ProblemCode.INTERNAL,
        "The database refuses what the rewind would write ({error}).",
        "Nothing was changed. Its own log says more; please report it.",
    )
    LINE_BUSY = (
        ProblemCode.UNAVAILABLE,
        "{departments} is busy for longer than a rebuild waits; the other waiting lines are filled.",
        "Try again in a few seconds.",
    )
    LINE_UNREADABLE = (
        ProblemCode.UNAVAILABLE,
        "The database does not let {departments} be read ({error}); the other waiting lines are filled.",
        Action.SEE_PARTS,
    )
    NO_DEAD_LETTER = ProblemCode.NOT_FOUND, "There is no dead letter {id}.", Action.LIST_DEAD_LETTERS
    DEAD_LETTER_LOST = ProblemCode.UNAVAILABLE, "No dead letter can be kept: {fault}"
