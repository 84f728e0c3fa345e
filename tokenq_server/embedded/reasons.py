"""Refusals of ``tokenq up`` and related commands, which always run in a shell on the machine itself."""

from tokenq.contract.problems import ProblemCode, Reason


class EmbeddedReason(Reason):
    """About the servers on this machine and their data folder."""

    NO_CLUSTER = (
        ProblemCode.UNAVAILABLE,
        "PostgreSQL could not make its data folder: {said}",
        "See {log} for details.",
    )
    NOT_PERMITTED = (
        ProblemCode.UNAVAILABLE,
        "The system does not let tokenq run on {folder}: {error}.",
        "Fix that, or choose another folder with --data-dir.",
    )
    NOT_STARTED = ProblemCode.UNAVAILABLE, "{program} does not start: {said}.", "See {log} for details."
    NOT_READY = (
        ProblemCode.UNAVAILABLE,
        "The supervisor ended before tokenq was ready.",
        "See {log} for the reason.",
    )
    NOT_ENDING = (
        ProblemCode.UNAVAILABLE,
        "The servers on {folder} do not stop.",
        "See {log}, and stop them manually.",
    )
    NOT_IN_PACKAGE = (
        ProblemCode.UNAVAILABLE,
        "The package {package} has no {program} for this kind of machine.",
        "Install {program} and set {variable} to it.",
    )
    NO_PROGRAM = ProblemCode.UNAVAILABLE, "{variable} is set, but {path} is not a program.", "Correct or unset it."
    NOT_RUNNABLE = (
        ProblemCode.FORBIDDEN,
        "The user {user} may not run {path}.",
        "Servers are not run as root: move the program to where every user may run it, or set TOKENQ_RUN_AS.",
    )
    NOT_INSTALLED = (
        ProblemCode.UNAVAILABLE,
        "{program} is not installed.",
        "{command}, or set {variable} to a program you have.",
    )
    OTHERS_SERVERS = (
        ProblemCode.FORBIDDEN,
        "tokenq was started by another user.",
        "Stop it as the user who started it.",
    )
    OTHERS_FOLDER = (
        ProblemCode.FORBIDDEN,
        "{folder} belongs to another user.",
        "Run this command as the user who started it.",
    )
    NO_ORDINARY_USER = (
        ProblemCode.INVALID,
        "The servers cannot run as {user}: there is no such ordinary user.",
        "PostgreSQL refuses to run as root. Add a user (useradd --system tokenq) or name one in TOKENQ_RUN_AS.",
    )
    NAMELESS_USER = (
        ProblemCode.INVALID,
        "User number {user} has no name on this machine, and PostgreSQL needs one.",
        "Add an entry to /etc/passwd, or run as a user that has one.",
    )
    FOLDER_OF_ANOTHER = (
        ProblemCode.FORBIDDEN,
        "{folder} belongs to {owner}, but the servers would run as {user}.",
        "Start it as the same user as before (root: set TOKENQ_RUN_AS), or choose another --data-dir.",
    )
    OPEN_FOLDER = (
        ProblemCode.FORBIDDEN,
        "Other users can write to {folder}.",
        "Look at what is in it, then forbid them to: chmod go-w {folder}. Or choose another --data-dir.",
    )
    LINKED_FOLDER = (
        ProblemCode.FORBIDDEN,
        "{folder} is a link.",
        "Replace it by a folder, or choose another --data-dir.",
    )
    UNUSABLE_FOLDER = (
        ProblemCode.FORBIDDEN,
        "The data folder {folder} cannot be used: {error}.",
        "Choose another one with --data-dir, or TOKENQ_DATA_DIR.",
    )
    UNREACHABLE_FOLDER = (
        ProblemCode.FORBIDDEN,
        "The servers run as {user}, who cannot enter {folder}.",
        "Choose a --data-dir outside private folders, such as /var/lib/tokenq, or chmod o+x the folders above it.",
    )
    NOT_A_DEMO = (
        ProblemCode.IN_USE,
        "{folder} was not created by the demo; the demo would serve real customers there.",
        "Omit --data-dir and TOKENQ_DATA_DIR to use the demo's own folder, or name an empty one.",
    )
    STILL_RUNNING = (
        ProblemCode.IN_USE,
        "Servers of an earlier run still use {folder}.",
        "Wait for them to stop; if they hang, stop them manually.",
    )
    ALREADY_RUNNING = (
        ProblemCode.IN_USE,
        "tokenq is already running on {folder}{where}.",
        "'{down}' stops it; 'tokenq up --data-dir DIR --port 0' starts a second one.",
    )
    NOTHING_TO_BACK_UP = (
        ProblemCode.UNAVAILABLE,
        "Nothing runs on {folder}, so its database cannot be read.",
        "Start it with 'tokenq up'. A folder on which nothing runs can be copied as it is.",
    )
    BACKUP_EXISTS = ProblemCode.EXISTS, "{file} exists already.", "Name a new file, or a folder."
    NO_FOLDER = ProblemCode.INVALID, "There is no folder {folder}.", "Create it, or name another one."
    BACKUP_FAILED = ProblemCode.UNAVAILABLE, "The backup {file} could not be written: {error}.", "No file was left."
    NO_RECIPIENT = (
        ProblemCode.INVALID,
        "'{text}' is no public key of age.",
        "It looks like age1…; 'age-keygen -o backup.key' makes a pair and shows it.",
    )
    NOT_EMPTY = (
        ProblemCode.IN_USE,
        "{folder} is not empty; nothing was restored.",
        "Name a new folder with --data-dir, or move this one away.",
    )
    NO_BACKUP = ProblemCode.INVALID, "{file} is no backup of tokenq, or is damaged.", "Name a file of 'tokenq backup'."
    NEWER_BACKUP = (
        ProblemCode.SCHEMA_AHEAD,
        "{file} was made by a newer release, {version}.",
        "Install that release, and restore with it.",
    )
    KEY_NEEDED = (
        ProblemCode.INVALID,
        "{file} is encrypted.",
        "Name the file with the key by --identity, as age-keygen wrote it.",
    )
    WRONG_KEY = (
        ProblemCode.FORBIDDEN,
        "{file} cannot be decrypted with {identity}.",
        "It needs the key of one of its recipients; or the file is damaged.",
    )
    RESTORE_FAILED = (
        ProblemCode.UNAVAILABLE,
        "{file} could not be restored: {error}.",
        "The new folder was removed again; the backup is as it was.",
    )
    NO_PORT = ProblemCode.INVALID, "There is no port {port}.", "Ports range from 0 (any free one) to 65535."
    RESERVED_PORT = (
        ProblemCode.FORBIDDEN,
        "Port {port} is reserved for root.",
        "Choose one above 1023 with --port.",
    )
    TAKEN_PORT = (
        ProblemCode.IN_USE,
        "Port {port} on {host} is already taken.",
        "Choose another one with --port; --port 0 takes any free one.",
    )
    NO_HOST = (
        ProblemCode.INVALID,
        "{host} is not an address of this machine.",
        "Use 127.0.0.1, or 0.0.0.0 for every network.",
    )
