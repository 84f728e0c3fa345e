"""Paper tickets: what stands on one, the two ways to encode it (ESC/POS, plain text), and the way to a printer."""
