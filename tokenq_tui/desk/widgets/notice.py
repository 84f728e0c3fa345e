"""The line that says what was done, or why not."""

from textual.content import Content
from textual.widgets import Static

from tokenq.printable import wrapped
from tokenq_tui.error_boundary import ErrorBoundary


class Notice(ErrorBoundary, Static):
    """Shows a sentence and a hint."""

    DEFAULT_CSS = """
    Notice { height: auto; min-height: 1; max-height: 4; padding: 0 2; background: $background; }
    """

    def say(self, sentence: str, hint: str = "", style: str = "bold") -> None:
        """Show a sentence, in the style of good or of bad news; longer ones on several lines."""
        width = max(self.size.width - 4, 20)
        lines = [Content.styled(line, style) for line in wrapped(sentence, width)]
        lines += [Content.styled(line, "$quiet") for line in wrapped(hint, width) if line]
        self.update(Content("\n").join(lines))
