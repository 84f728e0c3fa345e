"""The command menu: every command, its section and its help text. Importing it loads no command module."""

from typing import NamedTuple

from tokenq.contract.verbs import VERBS, Verb


class Entry(NamedTuple):
    """One command; it is implemented in ``tokenq.cli.commands.<module>``."""

    name: str
    help: str

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.name.replace("-", "_")


def _entry(verb: Verb) -> Entry:
    return Entry(str(verb), VERBS[verb].help)


_ELSEWHERE = (Verb.CALL, Verb.SERVE, Verb.CANCEL)
_VERBS = [verb for verb, row in VERBS.items() if row.is_by_people and verb not in _ELSEWHERE]

SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Front desk",
        (
            Entry("issue", "Issue the next number to a customer."),
            Entry("desk", "Issue numbers from a full screen, or as a kiosk."),
            Entry("status", "Show one token: its state and its position in the queue."),
            _entry(Verb.CANCEL),
        ),
    ),
    (
        "Staff",
        (
            Entry("console", "Serve customers from a full-screen console."),
            Entry("queue", "Show who is waiting and who is at which counter."),
            Entry("next", "Show who would be called next, and why."),
            Entry("call", "Call the next customer, or a specific token, to a counter."),
            Entry("serve", "Mark a token as served, or call and serve the next one in one step."),
            *(_entry(verb) for verb in _VERBS),
            Entry("why", "Explain a token's position and who is ahead of it."),
            Entry("counter", "Open, pause, close and delete counters; set what each serves."),
        ),
    ),
    (
        "Lobby",
        (
            Entry("board", "Show the public board: which number goes to which counter."),
            Entry("replay", "Replay a day on the board, faster than real time."),
        ),
    ),
    (
        "Admin",
        (
            Entry("dept", "List, create, change, open, close and delete departments."),
            Entry("branch", "List, create, change and delete branches."),
            Entry("user", "List, create, change and delete users; set their roles."),
            Entry("erase", "Erase what is stored about a person, or show it."),
            Entry("key", "List, create, change and delete keys for kiosks and scripts."),
            Entry("apply", "Apply a configuration file."),
            Entry("diff", "Compare the configuration with a file."),
            Entry("export", "Export the configuration as a file."),
            Entry("login", "Sign in to a server."),
            Entry("logout", "Sign out."),
            Entry("whoami", "Show who you are signed in as."),
            Entry("passwd", "Change your password."),
            Entry("watch", "Print events as they happen."),
            Entry("log", "Print the history of one token."),
            Entry("audit", "List security events: sign-ins, refusals, changes of users and keys."),
            Entry("report", "Show the statistics of a day or a range of days."),
            Entry("simulate", "Simulate a past day with other counters or another ratio."),
            Entry("doctor", "Check every component and setting, and suggest fixes."),
            Entry("verify", "Check stored data against all invariants."),
        ),
    ),
    (
        "Operations",
        (
            Entry("up", "Run everything on this machine."),
            Entry("down", "Stop what 'up' started."),
            Entry("backup", "Back up what 'up' runs, into one file."),
            Entry("restore", "Restore a backup into a new data folder."),
            Entry("server", "Run the API, migrate the database, rebuild queues, recover after a restore."),
            Entry("relay", "Publish events from the database to Kafka."),
            Entry("notify", "Send e-mails and other notifications; manage failed ones."),
        ),
    ),
    (
        "Help",
        (Entry("help", "Show the help of a command, or write the manual pages."),),
    ),
)

ENTRIES: dict[str, Entry] = {entry.name: entry for _, entries in SECTIONS for entry in entries}
