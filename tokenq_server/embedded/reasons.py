"""Why ``tokenq up`` and its kin cannot do what they are asked; always at a shell, on the machine itself."""

from tokenq.contract.problems import ProblemCode, Reason


class EmbeddedReason(Reason):
    """About the servers on this machine and their data folder."""

    NO_CLUSTER = (
        ProblemCode.UNAVAILABLE,
        "PostgreSQL could not make its data folder: {said}",
        "The whole story is in {log}.",
    )
    NOT_PERMITTED = (
        ProblemCode.UNAVAILABLE,
        "The system does not let tokenq run on {folder}: {error}.",
        "Mend that, or choose another folder with --data-dir.",
    )
    NOT_STARTED = ProblemCode.UNAVAILABLE, "{program} does not start: {said}.", "The whole story is in {log}."
    NOT_READY = (
        ProblemCode.UNAVAILABLE,
        "The supervisor ended before tokenq was ready.",
        "The reason is in {log}.",
    )
    NOT_ENDING = (
        ProblemCode.UNAVAILABLE,
        "The servers on {folder} do not end.",
        "See {log}, and end them by hand.",
    )
    NOT_IN_PACKAGE = (
        ProblemCode.UNAVAILABLE,
        "The package {package} holds no program for {program} on this kind of machine.",
        "Install {program} and set {variable} to it.",
    )
    NO_PROGRAM = ProblemCode.UNAVAILABLE, "{variable} is set, but {path} is not a program.", "Correct or unset it."
    NOT_RUNNABLE = (
        ProblemCode.FORBIDDEN,
        "The user {user} may not run {path}.",
        "Servers are not run as root: move the program where everybody may run it, or set TOKENQ_RUN_AS.",
    )
    NOT_INSTALLED = (
        ProblemCode.UNAVAILABLE,
        "{program} is not installed.",
        "pip install 'tokenq[embedded]', or set {variable} to a program you have.",
    )
    OTHERS_SERVERS = (
        ProblemCode.FORBIDDEN,
        "tokenq was started by another user.",
        "Stop it as the user who started it.",
    )
    OTHERS_FOLDER = (
        ProblemCode.FORBIDDEN,
        "{folder} belongs to another user.",
        "Ask as the user who started it.",
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
        "Start it as the user who started it before (root: set TOKENQ_RUN_AS), or choose another --data-dir.",
    )
    UNUSABLE_FOLDER = (
        ProblemCode.FORBIDDEN,
        "The data folder {folder} cannot be used: {error}.",
        "Choose another one with --data-dir, or TOKENQ_DATA_DIR.",
    )
    UNREACHABLE_FOLDER = (
        ProblemCode.FORBIDDEN,
        "The servers run as {user}, who cannot enter {folder}.",
        "Choose a --data-dir outside of private folders, such as /var/lib/tokenq, or chmod o+x the way to it.",
    )
    NOT_A_DEMO = (
        ProblemCode.IN_USE,
        "{folder} was not made by the demo; its staff would serve real people there.",
        "Leave out --data-dir and TOKENQ_DATA_DIR, then it takes a folder of its own; or name an empty one.",
    )
    STILL_RUNNING = (
        ProblemCode.IN_USE,
        "Servers of an earlier run still use {folder}.",
        "Wait for them to end; if they hang, end them by hand.",
    )
    ALREADY_RUNNING = (
        ProblemCode.IN_USE,
        "tokenq already runs on {folder}{where}.",
        "'{down}' stops it; 'tokenq up --data-dir DIR --port 0' starts a second one.",
    )
    NO_PORT = ProblemCode.INVALID, "There is no port {port}.", "Ports go from 0 (any free one) to 65535."
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
