"""The menu: every command, for whom it is, and its sentence. Reading it loads no command."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One line of the menu; ``tokenq.cli.commands.<module>`` does it."""

    name: str
    help: str

    @property
    def module(self) -> str:
        """The module's name."""
        return self.name.replace("-", "_")


SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Front desk",
        (
            Entry("issue", "Give the next number to a person."),
            Entry("status", "Show one token: its state and its place in line."),
            Entry("cancel", "Take a person out of the line."),
        ),
    ),
    (
        "Staff",
        (
            Entry("console", "Serve from a full screen with single keys."),
            Entry("queue", "Show who waits and who is at which counter."),
            Entry("next", "Show who would be called now, and why."),
            Entry("call", "Call the next person, or a certain one, to a counter."),
            Entry("recall", "Call the same person once more."),
            Entry("start", "Note that the service has begun."),
            Entry("serve", "Finish a token, or serve the next one in one step."),
            Entry("no-show", "Note that the called person did not come."),
            Entry("requeue", "Put a called person back in line."),
            Entry("park", "Set a called person aside, to come back later."),
            Entry("resume", "Let a parked person back into the line."),
            Entry("transfer", "Send a person to another department."),
            Entry("reinstate", "Let back in who did not come or was cancelled."),
            Entry("priority", "Change the class of a person who waits."),
            Entry("undo", "Take the last move of a token back."),
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
            Entry("verify", "Hold what the stores contain against every rule."),
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
