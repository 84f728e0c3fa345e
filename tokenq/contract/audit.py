"""Security events: their kinds. Whatever needs to know them reads them here."""

from enum import StrEnum


class AuditKind(StrEnum):
    """What happened. ``meaning`` says it in a sentence."""

    meaning: str

    LOGIN = "login", "Somebody signed in; refused: the user name or the password was wrong."
    LOGOUT = "logout", "Somebody signed out."
    ACCESS = "access", "A request without the necessary permission, or with an invalid login or key."
    RATE_LIMIT = "rate_limit", "Too many requests or attempts."
    USER_CREATE = "user.create", "A user was created."
    USER_UPDATE = "user.update", "A user's name, user name or e-mail address was changed."
    USER_ROLE = "user.role", "A user's role or departments were changed."
    USER_DISABLE = "user.disable", "A user may no longer sign in."
    USER_ENABLE = "user.enable", "A user may sign in again."
    USER_PASSWORD = "user.password", "A user's password was changed; refused: the old password was wrong."
    USER_DELETE = "user.delete", "A user was deleted."
    KEY_CREATE = "key.create", "A key was created."
    KEY_UPDATE = "key.update", "A key's label, role or departments were changed."
    KEY_DELETE = "key.delete", "A key was revoked."
    COUNTER_TAKEOVER = "counter.takeover", "Somebody took a counter from the person who had claimed it."
    FLOOR_IMPORT = "floor.import", "A configuration file created or changed users; each has an event of its own, too."
    RECORD_UNKNOWN = (
        "record.unknown",
        "A record on the topic that is not in the log: nobody is notified; it may be forged.",
    )
    PERSON_ERASE = (
        "person.erase",
        "What is known about a person was erased; by housekeeping, what is old, with a count.",
    )
    PERSON_READ = "person.read", "What is known about a person was shown."
    LOG_DELETE = "log.delete", "Housekeeping deleted old entries of the log of events, with a count."

    def __new__(cls, name: str, meaning: str = "") -> "AuditKind":
        """The value is the name, so that ``AuditKind(name)`` finds the kind."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.meaning = meaning
        return kind


class AuditResult(StrEnum):
    """Whether it was done."""

    DONE = "done"
    REFUSED = "refused"
