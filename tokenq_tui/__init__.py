"""Two screens for the terminal: the public board and the staff console."""
