"""Keeps a screen running when its own code fails."""

from textual.message import Message
from textual.message_pump import MessagePump
from typing_extensions import override


class ErrorBoundary(MessagePump):
    """Passes an error to the application's ``_handle_exception`` and continues with the next message.

    Textual's own pump would stop.
    """

    @override
    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)
