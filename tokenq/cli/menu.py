"""The menu: every command, for whom it is, and its sentence. Reading it loads no command."""

from typing import NamedTuple

from tokenq.contract.verbs import VERBS, Verb


class Entry(NamedTuple):
    """One line of the menu; ``tokenq.cli.commands.<module>`` does it."""

    name: str
    help: str

    @property
    def module(self) -> str:
        """The module's name."""
        return self.name.replace("-", "_")


def _entry(verb: Verb) -> Entry:
    return Entry(str(verb), VERBS[verb].help)


_ELSEWHERE = (Verb.CALL, Verb.SERVE, Verb.CANCEL)
_VERBS = [verb for verb, row in VERBS.items() if row.is_by_people and verb not in _ELSEWHERE]

SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Front desk",
        (
            Entry("issue", "Give the next number to a person."),
            Entry("status", "Show one token: its state and its place in line."),
            _entry(Verb.CANCEL),
        ),
    ),
    (
        "Staff",
        (
            Entry("console", "Serve from a full screen with single keys."),
            Entry("queue", "Show who waits and who is at which counter."),
            Entry("next", "Show who would be called now, and why."),
            Entry("call", "Call the next person, or a certain one, to a counter."),
            Entry("serve", "Finish a token, or serve the next one in one step."),
            *(_entry(verb) for verb in _VERBS),
            Entry("why", "Say why a token is where it is, and who goes before."),
            Entry("counter", "Open, pause, close and delete counters; say what each serves."),
        ),
    ),
    (
        "Lobby",
        (
            Entry("board", "Show the public screen: who goes where."),
            Entry("replay", "Show a day on the board again, faster."),
        ),
    ),
    (
        "Admin",
        (
            Entry("dept", "List, create, change, open, close and delete departments."),
            Entry("branch", "List, create, change and delete branches."),
            Entry("user", "List, create, change and delete users; say what they may do."),
            Entry("key", "List, create, change and delete keys for kiosks and scripts."),
            Entry("apply", "Make the configuration what a file says."),
            Entry("diff", "Show in what the configuration differs from a file."),
            Entry("export", "Print the configuration as a file."),
            Entry("login", "Sign in to a server."),
            Entry("logout", "Sign out."),
            Entry("whoami", "Show who the server thinks you are."),
            Entry("passwd", "Change your password."),
            Entry("watch", "Print events as they happen."),
            Entry("log", "Print everything that happened to one token."),
            Entry("report", "Show a day in figures."),
            Entry("simulate", "Show a real day with other counters or another ratio."),
            Entry("doctor", "Check every part and setting, and say how to mend them."),
            Entry("verify", "Check stored data against all invariants."),
        ),
    ),
    (
        "Operations",
        (
            Entry("up", "Run everything on this machine."),
            Entry("down", "Stop what 'up' runs."),
            Entry("server", "Run the API, migrate the database, rebuild the lines, mend a restored database."),
            Entry("relay", "Carry events from the database to Kafka."),
            Entry("notify", "Send the letters; look after those that failed."),
        ),
    ),
)

ENTRIES: dict[str, Entry] = {entry.name: entry for _, entries in SECTIONS for entry in entries}
