"""Messages from the tail to the board."""

from textual.message import Message


class Changed(Message):
    """The tail has an update; several of these may be merged."""

    def can_replace(self, message: Message) -> bool:
        """Replace one that is still queued."""
        return isinstance(message, Changed)
