"""What keeps a screen at work when its own code fails."""

from textual.message import Message
from textual.message_pump import MessagePump
from typing_extensions import override


class ErrorBoundary(MessagePump):
    """Tells the application of an error and takes the next message; Textual's own would take no other one.

    An application decides in ``_handle_exception`` what an error means to it.
    """

    @override
    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)
