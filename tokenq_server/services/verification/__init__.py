"""Parts of the verifier: its ports, one department's log, and what follows the log."""
