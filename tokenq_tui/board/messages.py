"""What the tail tells the board."""

from textual.message import Message


class Changed(Message):
    """There is something new to take from the tail; several of them are as good as one."""

    def can_replace(self, message: Message) -> bool:
        """Merge with one that still waits in the line."""
        return isinstance(message, Changed)
